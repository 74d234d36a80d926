"""`adharness bundle`: a finished run as one file for others."""

from __future__ import annotations

from pathlib import Path

import click

from adharness.bundle.pack import Packed, Submission, pack_run
from adharness.cli import render
from adharness.report.formats import counted


@click.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="The file.  [default: RUN.adbundle]")  # fmt: skip
@click.option("--maps", is_flag=True, help="Put anomaly maps in too; they are large.")
@click.option("--by", default="", metavar="NAME", help="Who submits; shown beside the rows.")
@click.option("--contact", default="", metavar="TEXT", help="Where questions go: a page, a mail.")
def bundle(run: Path, out: Path | None, maps: bool, by: str, contact: str) -> None:
    """Make one file of a finished RUN: records and scores, no picture, no path of this machine."""
    target = out or Path(f"{run.absolute().name}.adbundle")
    packed = pack_run(run, target, Submission(by, contact, maps))
    _say(packed)


def _say(packed: Packed) -> None:
    counts: dict[str, int] = {}
    for name in packed.manifest.files:
        kind = name.rsplit("/", 1)[-1]
        counts[kind] = counts.get(kind, 0) + 1
    rows = [
        render.Row([kind, str(counts.get(kind, 1)), _size(size)])
        for kind, size in sorted(packed.sizes.items())
    ]
    render.print_table(["file", "how many", "size"], rows)
    for place, count in packed.scrubbed.items():
        render.print_note(
            f"{place}: paths of this machine were taken out of {counted(count, 'text')}"
        )
    if packed.kept:
        told = ", ".join(packed.kept[:5])
        render.print_note(f"these paths stay, for a cell's id is a hash of them: {told}")
    by = packed.manifest.submitter or "nobody named"
    render.print_line(f"{packed.path}: {_size(packed.path.stat().st_size)}, by {by}")
    render.print_line(f"check it as others will: adharness verify {packed.path}")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
