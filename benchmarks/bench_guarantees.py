"""What conformal thresholds promise, simulated: tables of the rates over many calibration sets.

    python benchmarks/bench_guarantees.py [--draws 4000]

Each line draws a calibration set and test images anew `draws` times and prints the mean of what was
measured, the nominal rate, and the largest mean that chance allows a rule that keeps its promise
(Chernoff's bound: once in a million). Rules that look alike stand below ours. Markdown, minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from adharness import Calibration
from adharness_thresholds import (
    CONFORMAL_BH,
    QUANTILE,
    ConformalBHParams,
    QuantileParams,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
import guarantees as sim


def quantile(q: float) -> sim.Rule:
    """Ours, as a rule of the simulation."""
    rule = QUANTILE.make(QuantileParams(q=q))
    return lambda held, scores: scores > rule.threshold(Calibration(held)).value  # type: ignore[union-attr]


def conformal_bh(alpha: float) -> sim.Rule:
    """Ours, as a rule of the simulation."""
    rule = CONFORMAL_BH.make(ConformalBHParams(alpha=alpha))
    return lambda held, scores: np.asarray(
        scores > rule.rule(Calibration(held)).decide(scores).value  # type: ignore[union-attr]
    )


def pixel_quantile(q: float) -> sim.MapRule:
    """Ours, as a rule of the simulation."""
    rule = QUANTILE.make(QuantileParams(q=q))
    return lambda maps: rule.pixel_threshold(maps).value  # type: ignore[union-attr]


def false_positive_rows(draws: int) -> Iterator[tuple[str, str, str, sim.Measured]]:
    """Rows of the table of `quantile`."""
    for title, make in (("quantile", quantile), ("numpy's quantile", sim.plain_quantile)):
        for kind, draw in sim.SCORES.items():
            for normals, q in ((7, 0.8), (19, 0.95), (41, 0.95), (79, 0.95)):
                found = sim.false_positive_rate(
                    make(q), draw, normals=normals, nominal=1 - q, draws=draws
                )
                yield title, kind, f"{normals} normals, q {q:g}", found


def false_discovery_rows(draws: int) -> Iterator[tuple[str, str, str, sim.Measured]]:
    """Rows of the table of `conformal-bh`."""
    rules = {
        "conformal-bh": conformal_bh,
        "p without + 1": sim.bh_without_plus_one,
        "ties in favour": sim.bh_with_ties_in_favour,
        "each at alpha": sim.each_at_alpha,
    }
    for title, make in rules.items():
        for kind, draw in sim.SCORES.items():
            for batch in ((10, 0), (12, 4), (40, 10)):
                found = sim.false_discovery_rate(
                    make(0.2), draw, normals=24, batch=batch, nominal=0.2, draws=draws
                )
                yield title, kind, f"{batch[0]} normal, {batch[1]} anomalous", found


def false_pixel_rows(draws: int) -> Iterator[tuple[str, str, str, sim.Measured]]:
    """Rows of the table of `quantile` over pixels."""
    rules = {"quantile": pixel_quantile, "of all pixels": sim.plain_pixel_quantile}
    for title, make in rules.items():
        for normals, q in ((4, 0.8), (19, 0.9)):
            found = sim.false_pixel_rate(make(q), normals=normals, nominal=1 - q, draws=draws)
            yield title, "dependent pixels", f"{normals} normals, q {q:g}", found


def table(title: str, rows: Iterator[tuple[str, str, str, sim.Measured]]) -> None:
    """Print one table as it is measured."""
    print(f"\n### {title}\n\n| rule | scores | case | rate | nominal | chance allows | within |")
    print("|---|---|---|---|---|---|---|")
    for rule, kind, case, found in rows:
        numbers = f"{found.rate:.4f} | {found.nominal:.4f} | {found.allowed:.4f}"
        print(f"| {rule} | {kind} | {case} | {numbers} | {'yes' if found.kept else '**no**'} |")


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=4000)
    draws = parser.parse_args().draws
    table("False positives of a new normal image", false_positive_rows(draws))
    table("False discoveries in a batch, rate 0.2, 24 normals", false_discovery_rows(draws))
    table("Pixels of a new normal map above the threshold", false_pixel_rows(draws))


if __name__ == "__main__":
    main()
