"""`adharness merge`: one board from one's own runs and the bundles of others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from adharness.bundle.merge import merge as merge_sources
from adharness.bundle.sources import Disagrees
from adharness.cli import exit_codes, render
from adharness.cli.run import FOLDER
from adharness.cli.verify import own_suite
from adharness.report.formats import counted


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path),
                metavar="RUN|BUNDLE...")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="Folder of the board; one that `merge` wrote is replaced.")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), metavar="SUITE",
              help="Your own suite: bundles are verified by its data sets too.")  # fmt: skip
@click.option("--data-root", type=FOLDER, help="Folder of the data sets; beats ADHARNESS_DATA.")
@click.pass_context
def merge(
    ctx: click.Context,
    sources: tuple[Path, ...],
    out: Path,
    data: Path | None,
    data_root: Path | None,
) -> None:
    """Put runs of your own and BUNDLES of others on one board.

    Every bundle is verified first, and its rows are marked by what that found. Exit 1 where a
    bundle's numbers are not what its scores give: nothing is written then.
    """
    try:
        merged = merge_sources(sources, out, own_suite(data, data_root) if data else None)
    except Disagrees as error:
        render.print_error(error.message, where=error.where, hint=error.hint)
        ctx.exit(exit_codes.DISAGREES)
    rows: dict[str, Counter[str]] = {}
    for origin in merged.run.origins.values():
        rows.setdefault(origin.source, Counter())[origin.status] += 1
    render.print_table(
        ["source", "file", "cells"],
        [
            render.Row([label, str(path), ", ".join(
                f"{count} {status}" for status, count in rows.get(label, Counter()).items()
            ) or "the same as others"])
            for label, path in merged.sources
        ],
    )  # fmt: skip
    for note in dict.fromkeys(
        f"{origin.source}: {origin.note}" for origin in merged.run.origins.values() if origin.note
    ):
        render.print_note(note)
    render.print_line(f"{counted(len(merged.run.cells), 'cell')} in {out / 'leaderboard.html'}")
