"""`adharness export`: results in the form that others ask for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from adharness.cli import exit_codes, render
from adharness.cli.installed import read_registry
from adharness.cli.run import FOLDER
from adharness.cli.score import judge_images, note_versions, saved_extractor
from adharness.contracts import Extractor
from adharness.engine.saved import SavedJudge, open_judge
from adharness.errors import StoreError
from adharness.exchange.ad2_upload import (
    Finding,
    check_upload,
    private_images,
    to_half,
    write_image,
)
from adharness.report.formats import counted
from adharness.report.long_files import Written, write_long
from adharness.report.long_form import (
    LongRun,
    cost_chunks,
    open_runs,
    score_chunks,
    table_chunks,
)
from adharness.report.long_schemas import COSTS, SCORES, TABLE
from adharness.store.models import read_method

SHOWN = 20
RUNS = click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True,
                      metavar="RUN...")  # fmt: skip
TO = click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), required=True,
                  help="File to write; .parquet or .csv.")  # fmt: skip


@click.group()
def export() -> None:
    """Results in the form that others ask for."""


@export.command()
@RUNS
@TO
def table(runs: tuple[Path, ...], target: Path) -> None:
    """Write every number of the RUNs in long form.

    One line a cell, row (class, macro or pooled) and metric; docs/export.md lists the columns.
    """
    opened = open_runs(runs)
    _say_long(target, opened, write_long(target, TABLE, table_chunks(opened)))


@export.command()
@RUNS
@TO
def scores(runs: tuple[Path, ...], target: Path) -> None:
    """Write the score of every test image of the RUNs in long form.

    One line a cell and image, with its label, threshold and decision; docs/export.md lists the
    columns.
    """
    opened = open_runs(runs)
    _say_long(target, opened, write_long(target, SCORES, score_chunks(opened)))


@export.command()
@RUNS
@TO
def costs(runs: tuple[Path, ...], target: Path) -> None:
    """Write what every cell of the RUNS cost: time by stage, memory, size of the banks.

    One line a cell; docs/export.md lists the columns.
    """
    opened = open_runs(runs)
    _say_long(target, opened, write_long(target, COSTS, cost_chunks(opened)))


def _say_long(target: Path, runs: list[LongRun], written: Written) -> None:
    planned = sum(len(run.record.cells) for run in runs)
    done = f"{counted(written.lines, 'line')} of {counted(written.cells, 'cell')}"
    render.print_line(f"{target}: {done}")
    if written.cells < planned:
        lost = counted(planned - written.cells, "planned cell")
        render.print_note(f"{lost} left out: failed, never finished or damaged")
    if written.formulas:
        first = min(written.formulas)
        render.print_note(
            f"{counted(len(written.formulas), 'text')} such as {first!r} would be a formula in a "
            "spreadsheet: open the file there as text"
        )


@export.command(name="mvtec-ad-2")
@click.argument("saved", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--out", type=FOLDER, required=True, help="Folder of the upload tree.")
@click.option("--device", help="auto, cpu or cuda.")
@click.pass_context
def mvtec_ad_2(ctx: click.Context, saved: Path, data: Path, out: Path, device: str | None) -> None:
    """Score the private images of MVTec AD 2 for its server.

    SAVED is what `adharness save` wrote, DATA the folder that holds the objects. Decisions are made
    at the saved pixel thresholds, which no test image has fitted. The tree is checked at the end.
    """
    registry = read_registry()
    record = read_method(saved)
    note_versions(record)
    images = private_images(data)
    extractor = saved_extractor(record, registry, device)
    problems: list[Finding] = []
    for (name, portion), paths in images.items():
        judge = open_judge(saved, record, name, registry)
        problems += _write(out, (name, portion), judge, extractor, paths)
        render.print_line(f"{name}/{portion}: {len(paths)} images")
    _answer(ctx, out, [*problems, *check_upload(out, data)])
    render.print_line(f"next: cd {out} && tar -czf upload.tar.gz anomaly_images*")


@export.command(name="check-mvtec-ad-2")
@click.argument("tree", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--data", type=FOLDER, help="Folder of the set: names and sizes are compared too.")
@click.pass_context
def check_mvtec_ad_2(ctx: click.Context, tree: Path, data: Path | None) -> None:
    """Check an upload tree for the server of MVTec AD 2; exit 1 where something is wrong."""
    _answer(ctx, tree, check_upload(tree, data))


def _write(
    out: Path,
    place: tuple[str, str],
    judge: SavedJudge,
    extractor: Extractor,
    paths: Sequence[Path],
) -> list[Finding]:
    """Write the files of one portion; give the images that could not be read."""
    problems = []
    for one in judge_images(judge, extractor, paths):
        if one.verdict is None:
            problems.append(Finding(str(one.path), one.problem or "not read"))
            continue
        drawn, flagged, ends = one.verdict.map, one.verdict.flagged, judge.part.colours
        if drawn is None or flagged is None or ends is None:
            raise StoreError(
                f"scorer '{judge.scorer_name}' gives no maps, and the server judges maps",
                hint="save a method that has pixel metrics on the board",
            )
        write_image(out, place, one.path.stem, to_half(drawn, ends), flagged)
    return problems


def _answer(ctx: click.Context, tree: Path, findings: Sequence[Finding]) -> None:
    if not findings:
        render.print_line(f"{tree} is what the server asks for")
        return
    rows = [render.Row([one.path, one.message], bad=True) for one in findings[:SHOWN]]
    render.print_table(["file", "finding"], rows)
    more = f", the first {SHOWN} are shown" if len(findings) > SHOWN else ""
    render.print_line(f"{len(findings)} findings{more}")
    ctx.exit(exit_codes.CELLS_FAILED)
