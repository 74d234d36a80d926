"""`adharness run` and `adharness report`."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import click

from adharness.cli import exit_codes, render
from adharness.cli.choice import matches, wanted_by
from adharness.cli.executor import Means, executor_of
from adharness.cli.installed import read_registry
from adharness.cli.progress import shown
from adharness.engine.events import Event, Listener
from adharness.engine.journal import Line, journaled
from adharness.engine.options import RunOptions
from adharness.engine.run import run_plan
from adharness.engine.score import Reuse
from adharness.engine.work.request import Asked
from adharness.errors import SuiteError
from adharness.plan import PROTOCOLS, Plan, expand
from adharness.report.formats import counted
from adharness.report.write import ReportPaths, write_report
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from adharness.store.run_record import GivenRecord, RunRecord
from adharness.suite.bind import Overrides, bind
from adharness.suite.load import load_suite

FOLDER = click.Path(path_type=Path, file_okay=False)
SECONDS = click.FloatRange(min=0.0)


@click.command()
@click.argument("suite", type=click.Path(path_type=Path))
@click.option("--out", type=FOLDER, help="Where results go.  [default: reports/<suite>]")
@click.option("--data-root", type=FOLDER, help="Folder of the data sets; beats ADHARNESS_DATA.")
@click.option("--cache-dir", type=FOLDER, help="Folder of the features; beats ADHARNESS_CACHE.")
@click.option("--device", help="auto, cpu or cuda; beats the suite.")
@click.option("--only", multiple=True, metavar="KEY=VALUE", help="Run these cells only: method=knn")
@click.option("--limit", type=click.IntRange(min=2), help="At most N images a class and kind.")
@click.option("--fresh", is_flag=True, help="Use no stored result; features stay cached.")
@click.option("--keep-stale", is_flag=True, help="Use results that other versions made.")
@click.option("--jobs", type=click.IntRange(min=1), help="Cells at once, a process each.")
@click.option("--scheduler", metavar="ADDRESS", help="Run on this Dask cluster: tcp://host:8786.")
@click.option("--scheduler-timeout", type=SECONDS, help="Wait so long for it or a worker.  [300]")
@click.option("--resource", multiple=True, metavar="STAGE:NAME=N", help="Ask for extract:GPU=1.")
@click.option("--threads", type=click.IntRange(min=1), help="Of each cell's process.")
@click.option("--quiet", "-q", is_flag=True, help="Print failures and the result only.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
@click.pass_context
def run(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: click.Context,
    suite: Path,
    out: Path | None,
    data_root: Path | None,
    cache_dir: Path | None,
    device: str | None,
    only: tuple[str, ...],
    limit: int | None,
    fresh: bool,
    keep_stale: bool,
    jobs: int | None,
    scheduler: str | None,
    scheduler_timeout: float | None,
    resource: tuple[str, ...],
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run a suite and write its leaderboard."""
    overrides = Overrides(
        data_root=data_root, environment_root=environment_path("ADHARNESS_DATA"), device=device
    )
    means = Means(jobs, threads, scheduler, scheduler_timeout, resource)
    registry = read_registry()
    whole = expand(bind(load_suite(suite), registry, overrides))
    plan = chosen(whole, only)
    options = RunOptions(
        out=out or Path("reports") / plan.suite.name,
        cache=cache_dir or cache_folder(),
        command=shlex.join(["adharness", *sys.argv[1:]]),
        limit=limit,
        reuse=Reuse(fresh=fresh, keep_stale=keep_stale),
        given=GivenRecord(
            data_root=data_root is not None,
            device=device,
            only=list(only),
            fresh=fresh,
            keep_stale=keep_stale,
            jobs=jobs,
            threads=threads,
            cluster=scheduler is not None,
            plugins=registry.only,
        ),
    )
    with (
        shown(quiet=quiet or as_json) as show,
        journaled(options.out, options.command, len(plan.cells), *_told(as_json)) as keep,
    ):
        with executor_of(plan, Asked(overrides, whole), options, means) as executor:
            record, cells = run_plan(plan, options, both(show, keep), executor)
        paths = write_report(options.out)
    if not as_json:
        say_result(record, cells, paths)
    if any(cell.status != "ok" for cell in cells):
        ctx.exit(exit_codes.CELLS_FAILED)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
def report(run: Path) -> None:
    """Write the leaderboard of a run again, from its stored results."""
    paths = write_report(run)
    render.print_line(f"leaderboard: {paths.html}")
    record = RunFolder(run).run()
    if record.finished is None:
        shown = counted(len(record.cells), "cell")
        render.print_note(f"the run is not finished: the board shows {shown}")
        render.print_note(f"the same command goes on from what is stored: {record.command}")


def both(first: Listener, second: Listener) -> Listener:
    """Tell two listeners."""

    def told(event: Event) -> None:
        first(event)
        second(event)

    return told


def _told(as_json: bool) -> list[Callable[[Line], None]]:
    return [lambda line: render.print_line(json.dumps(line))] if as_json else []


def chosen(plan: Plan, only: tuple[str, ...]) -> Plan:
    """Keep the cells that match every `key=value`; values of one key are alternatives.

    Raises
    ------
    SuiteError
        A key is unknown, a value matches nothing, or no cell is left.
    """
    wanted = wanted_by([cell.fields() for cell in plan.cells], only, has="the suite has")
    cells = tuple(cell for cell in plan.cells if matches(cell.fields(), wanted))
    if not cells:
        raise SuiteError(f"no cell of the suite matches --only {' --only '.join(only)}")
    return Plan(plan.suite, cells)


def environment_path(name: str) -> Path | None:
    """Read a folder from the environment; None where it is not set."""
    value = os.environ.get(name)
    return Path(value) if value else None


def cache_folder() -> Path:
    """Where features are kept: ADHARNESS_CACHE, else the user's cache folder."""
    home = environment_path("XDG_CACHE_HOME") or Path.home() / ".cache"
    return environment_path("ADHARNESS_CACHE") or home / "adharness"


def say_result(record: RunRecord, cells: list[CellRecord], paths: ReportPaths) -> None:
    """Print the headline of each method, and where the board is."""
    failed = sum(cell.status != "ok" for cell in cells)
    render.print_table(
        ["data set", "protocol", "method", "image AUROC", "row"],
        [
            render.Row(_headline(cell), bad=cell.status == "failed")
            for cell in cells
            if _is_first(cell, cells)
        ],
    )
    outcome = f"{failed} of {len(cells)} cells failed" if failed else f"{len(cells)} cells"
    render.print_line(f"{outcome} in {record.seconds:.0f} s")
    render.print_line(f"leaderboard: {paths.html}")


def _is_first(cell: CellRecord, cells: list[CellRecord]) -> bool:
    """Whether the cell has the suite's first normalizer, thresholder and seed: one a method."""
    first = cells[0]
    mine = (cell.normalizer, cell.thresholder, cell.seed)
    return mine == (first.normalizer, first.thresholder, first.seed)


def _headline(cell: CellRecord) -> list[str]:
    name = "macro" if PROTOCOLS[cell.protocol].labels_at_eval else "pooled"
    row = next(row for row in cell.rows if row.class_name == name)
    value = row.metrics.get("image_auroc")
    if row.failure:
        number = f"failed: {row.failure.message}"
    else:
        number = "-" if value is None or value.value is None else f"{value.value:.4f}"
    return [cell.dataset, cell.protocol, cell.method, number, name]
