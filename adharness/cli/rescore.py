"""`adharness rescore`: the board of a run again, under other metrics, normalizers, thresholders."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from adharness.cli import exit_codes
from adharness.cli.installed import read_registry
from adharness.cli.progress import shown
from adharness.cli.run import FOLDER, both, cache_folder, environment_path, say_result
from adharness.engine.journal import journaled
from adharness.engine.options import RunOptions
from adharness.engine.rescore import rescore as rescored
from adharness.engine.rescore import rescored_plan
from adharness.engine.score import Reuse
from adharness.errors import SuiteError
from adharness.plan import Plan, expand
from adharness.report.write import write_report
from adharness.store.folder import RunFolder
from adharness.store.run_record import RunRecord
from adharness.suite.bind import BoundSuite, Overrides, bind
from adharness.suite.load import load_suite, parse_suite


@click.command()
@click.argument("run", type=FOLDER)
@click.argument("suite", type=click.Path(path_type=Path), required=False)
@click.option("--data-root", type=FOLDER, help="Folder of the data sets; beats ADHARNESS_DATA.")
@click.option("--cache-dir", type=FOLDER, help="Folder of the features; beats ADHARNESS_CACHE.")
@click.option("--keep-stale", is_flag=True, help="Use scores that other versions made.")
@click.option("--quiet", "-q", is_flag=True, help="Print failures and the result only.")
@click.pass_context
def rescore(  # noqa: PLR0913 - one argument an option
    ctx: click.Context,
    run: Path,
    suite: Path | None,
    data_root: Path | None,
    cache_dir: Path | None,
    *,
    keep_stale: bool,
    quiet: bool,
) -> None:
    """Judge the stored scores of RUN again, and write its leaderboard.

    SUITE is the run's suite with other metrics, dialects, normalizers, thresholders, statistics or
    another pixel threshold; the run's own by default. Nothing is extracted, fitted or scored: a
    scoring that is missing is named, and the run stays as it is (exit 2). The cache may be gone;
    the data set must be there, for its masks.
    """
    folder = RunFolder(run)
    record = folder.run()
    overrides = Overrides(data_root, environment_path("ADHARNESS_DATA"))
    registry = read_registry()
    own = bind(parse_suite(Path(record.suite_file), record.suite_text), registry, overrides)
    wanted = own if suite is None else bind(load_suite(suite), registry, overrides)
    splits = run / "splits"  # wherever the file is by now that the suite read them from
    plan = _plan(wanted.with_splits(splits), own.with_splits(splits), folder, record)
    options = RunOptions(
        out=run,
        cache=cache_dir or cache_folder(),
        command=shlex.join(["adharness", *sys.argv[1:]]),
        limit=record.limit,
        reuse=Reuse(keep_stale=keep_stale),
    )
    with (
        shown(quiet=quiet) as show,
        journaled(options.out, options.command, len(plan.cells)) as note,
    ):
        told, cells = rescored(plan, options, both(show, note))
        paths = write_report(options.out)
    say_result(told, cells, paths)
    if any(cell.status != "ok" for cell in cells):
        ctx.exit(exit_codes.CELLS_FAILED)


def _plan(wanted: BoundSuite, own: BoundSuite, folder: RunFolder, record: RunRecord) -> Plan:
    if wanted.name != record.suite:
        raise SuiteError(
            f"{folder.path} is a run of suite '{record.suite}', not of '{wanted.name}'",
            hint="give the suite of the run, edited, or none",
        )
    if wanted.split.told() != own.split.told():
        raise SuiteError(
            f"the split of the suite is not that of {folder.path}: other images would train",
            hint="adharness run SUITE fits what another split needs",
        )
    cells = [cell for cell in map(folder.cell_record, record.cells) if cell]
    return rescored_plan(expand(wanted), expand(own), cells)
