"""The two-stage search against the flat one: same rows and queries, one run, side by side.

    python benchmarks/bench_search.py
    python benchmarks/bench_search.py --sizes 20000x1024 --kinds clusters --images 28
    python benchmarks/bench_search.py --bank ROWS.npy --queries PATCHES.npy

Each measurement is a fresh process that searches image after image, as a scorer does; the two
searches take turns, and the medians are shown with their ratio, flat over two-stage. Then both
answers are compared. On a machine that others use too, set OMP_NUM_THREADS=1 and compare the
seconds of processor time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from clusters import save_features
from processes import measured

OURS = Path(__file__).parent / "search_ours.py"
MODES = ("flat", "two-stage")


def compare(bank: Path, queries: Path, name: str, options: argparse.Namespace) -> None:
    for k in options.k:
        runs: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
        answers = {mode: bank.with_suffix(f".{mode}.npz") for mode in MODES}
        for _ in range(options.rounds):
            for mode in MODES:
                command = (OURS, bank, queries, mode, k, options.patches, answers[mode])
                runs[mode].append(measured(sys.executable, *command))
        ratios = [median(runs["flat"], s) / median(runs["two-stage"], s) for s in ("wall", "cpu_s")]
        line = " ".join(f"{summary(runs[mode])}" for mode in MODES)
        print(f"{name:>24} {k:>3} {line} {ratios[0]:6.2f} x {ratios[1]:6.2f} x {alike(answers)}")


def alike(answers: dict[str, Path]) -> str:
    flat, other = (np.load(answers[mode], allow_pickle=False) for mode in MODES)
    different = [int((flat[part] != other[part]).sum()) for part in ("distances", "positions")]
    return f"{different[0]} and {different[1]} of {flat['distances'].size}"


def median(runs: list[dict[str, Any]], name: str) -> float:
    return statistics.median(run[name] for run in runs)


def summary(runs: list[dict[str, Any]]) -> str:
    fit, wall, cpu_s = (median(runs, name) for name in ("fit", "wall", "cpu_s"))
    return f"{fit:7.2f} s {wall:7.2f} s {cpu_s:7.2f} s "


def save(folder: Path, kind: str, rows: int, asked: int, dim: int) -> tuple[Path, Path]:
    """Write bank and queries, of one distribution."""
    bank, queries = folder / "bank.npy", folder / "queries.npy"
    if kind == "gauss":
        every = np.random.default_rng(0).standard_normal((rows + asked, dim), dtype=np.float32)
    else:
        every = np.load(save_features(folder / "all.npy", rows + asked, dim))
    np.save(bank, every[:rows])
    np.save(queries, every[rows:])
    return bank, queries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["5000x160", "20000x1024", "100000x384"])
    parser.add_argument("--kinds", nargs="+", default=["clusters", "gauss"])
    parser.add_argument("--images", type=int, default=28, help="of 784 patches: 22 thousand")
    parser.add_argument("--patches", type=int, default=784, help="searched at once")
    parser.add_argument("--k", type=int, nargs="+", default=[1, 9])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bank", type=Path, help="npy (M, D) float32; with --queries")
    parser.add_argument("--queries", type=Path, help="npy (n, D) float32")
    options = parser.parse_args()
    print("data, rows x D, neighbours; flat, then two-stage: fit, wall, cpu; flat / two-stage of")
    print("wall and cpu; distances and positions that differ")
    if options.bank:
        compare(options.bank, options.queries, options.bank.stem, options)
        return
    for kind in options.kinds:
        for size in options.sizes:
            rows, dim = map(int, size.split("x"))
            with tempfile.TemporaryDirectory() as folder:
                paths = save(Path(folder), kind, rows, options.images * options.patches, dim)
                compare(*paths, f"{kind} {size}", options)


if __name__ == "__main__":
    main()
