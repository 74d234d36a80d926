"""`adharness verify`: measure the numbers of a bundle again, and say which are not so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from adharness.bundle.contents import open_bundle
from adharness.bundle.recompute import TOLERANCE
from adharness.bundle.rerun import TOLERANCE as RERUN_TOLERANCE
from adharness.bundle.rerun import Rerun, compare_with_run
from adharness.bundle.verify import Verdict, verdict_of
from adharness.cli import exit_codes, render
from adharness.cli.installed import read_registry
from adharness.cli.run import FOLDER, environment_path
from adharness.report.formats import counted
from adharness.suite.bind import Overrides, bind
from adharness.suite.bound import BoundSuite
from adharness.suite.load import load_suite

SHOWN = 20
"""Disagreements that are listed; of the rest their number is told."""


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--rerun", type=click.Path(path_type=Path, file_okay=False), metavar="RUN",
              help="Your own run of the same suite.")  # fmt: skip
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="SUITE",
    help="Your own suite: its data sets are compared with what the bundle tells.",
)
@click.option("--data-root", type=FOLDER, help="Folder of the data sets; beats ADHARNESS_DATA.")
@click.option("--tolerance", type=click.FloatRange(min=0.0, max=1.0), default=RERUN_TOLERANCE,
              show_default=True, help="Largest difference from your own run.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def verify(  # noqa: PLR0913 - one argument an option
    ctx: click.Context,
    bundle: Path,
    rerun: Path | None,
    data: Path | None,
    data_root: Path | None,
    tolerance: float,
    *,
    as_json: bool,
) -> None:
    """Measure every number of BUNDLE again that its scores can give.

    Exit 1 where a number is not what the scores give, or is not that of your own run. Exit 2 where
    the file is malformed or hostile. Nothing of it is unpacked or run.
    """
    suite = own_suite(data, data_root) if data else None
    with open_bundle(bundle) as opened:
        verdict = verdict_of(opened, suite)
        reruns = compare_with_run(opened, rerun, tolerance) if rerun else []
    if as_json:
        render.print_json(_document(verdict, reruns))
    else:
        _print(verdict, reruns)
    failed = verdict.disagreements or any(
        one.state in {"differs", "not comparable"} for one in reruns
    )
    ctx.exit(exit_codes.DISAGREES if failed else exit_codes.FINE)


def own_suite(path: Path, root: Path | None) -> BoundSuite:
    """Bind a suite of this machine, for its data sets."""
    overrides = Overrides(data_root=root, environment_root=environment_path("ADHARNESS_DATA"))
    return bind(load_suite(path), read_registry(), overrides)


def _print(verdict: Verdict, reruns: Sequence[Rerun]) -> None:
    by = verdict.manifest.submitter or "nobody named"
    cells = counted(len(verdict.cells), "cell")
    render.print_line(f"{verdict.path}: {verdict.run.suite}, {cells}, by {by}")
    wrong = [*verdict.disagreements, *(d for one in reruns for d in one.differences)]
    columns = ["cell", "row", "metric", "what", "claimed", "found"]
    if wrong:
        rows = [render.Row([str(part) for part in one], bad=True) for one in wrong[:SHOWN]]
        render.print_table(columns, rows)
    if len(wrong) > SHOWN:
        render.print_note(f"and {len(wrong) - SHOWN} more")
    for one in reruns:
        if one.why:
            render.print_note(f"cell {one.cell.id} is not comparable with yours: {one.why}")
    _conclude(verdict, reruns)


def _conclude(verdict: Verdict, reruns: Sequence[Rerun]) -> None:
    again = f"measured again within {TOLERANCE:g}"
    if verdict.disagreements:
        told = counted(len(verdict.disagreements), "number")
        render.print_line(f"refused: {told} disagree; {verdict.numbers} were {again}")
    else:
        render.print_line(f"verified: {counted(verdict.numbers, 'number')} {again}")
    if verdict.not_recomputed:
        metrics = ", ".join(verdict.not_recomputed)
        render.print_line(f"not recomputed, self-reported: {metrics}; costs and facts")
    if reruns:
        counts = Counter(one.state for one in reruns)
        render.print_line(", ".join(f"{count} {state}" for state, count in counts.items()))


def _document(verdict: Verdict, reruns: Sequence[Rerun]) -> dict[str, Any]:
    states = {one.cell.id: one for one in reruns}
    return {
        "schema": 1,
        "bundle": str(verdict.path),
        "sha256": verdict.sha256,
        "suite": verdict.run.suite,
        "submitter": verdict.manifest.submitter,
        "contact": verdict.manifest.contact,
        "created": verdict.manifest.created,
        "tolerance": TOLERANCE,
        "verified": not verdict.disagreements,
        "numbers": verdict.numbers,
        "not_recomputed": verdict.not_recomputed,
        "disagreements": [one._asdict() for one in verdict.disagreements],
        "cells": [
            {
                "cell": one.cell.id,
                "status": one.status,
                "not_recomputed": list(one.not_recomputed),
                **_rerun(states.get(one.cell.id)),
            }
            for one in verdict.cells
        ],
    }


def _rerun(found: Rerun | None) -> dict[str, Any]:
    if found is None:
        return {}
    moved = [one._asdict() for one in found.differences]
    return {"rerun": found.state, "differences": moved} | ({"why": found.why} if found.why else {})
