"""`adharness reproduce`: run a run again from its own record, and say whether its numbers agree."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from adharness.cli import exit_codes, render
from adharness.cli.executor import Means, executor_of
from adharness.cli.installed import read_registry
from adharness.cli.progress import shown
from adharness.cli.reproduced import conclude, print_changed, print_compared
from adharness.cli.run import FOLDER, both, cache_folder, environment_path
from adharness.engine.events import Event, StepDone
from adharness.engine.journal import journaled
from adharness.engine.options import RunOptions
from adharness.engine.run import run_plan
from adharness.engine.score import Reuse
from adharness.engine.work.inline import Executor, Inline
from adharness.errors import StoreError
from adharness.report.formats import counted
from adharness.reproduction import TOLERANCE, Again, Changed, Compared, ask_again, changed
from adharness.reproduction.again import check_data
from adharness.reproduction.numbers import compare_runs
from adharness.store.folder import RunFolder
from adharness.store.run_record import GivenRecord
from adharness.suite.bind import Overrides


@dataclass
class Extracted:
    """How many images were extracted, and how many came from the cache."""

    fresh: bool
    anew: int = 0
    cached: int = 0

    def listen(self, event: Event) -> None:
        """Count the images of a step."""
        if isinstance(event, StepDone) and event.stage == "extract":
            self.cached += event.count * event.reused
            self.anew += event.count * (not event.reused)

    def __str__(self) -> str:
        if not self.cached:
            place = ", in a cache of its own" if self.fresh else ""
            return f"features: all of {counted(self.anew, 'image')} extracted anew{place}"
        return (
            f"features: {counted(self.cached, 'image')} from the cache, {self.anew} extracted; "
            "--fresh-features extracts all anew"
        )


@click.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option("--out", type=FOLDER, help="Where it is made again.  [default: RUN-reproduced]")
@click.option("--data-root", type=FOLDER, help="Folder of the data sets; beats ADHARNESS_DATA.")
@click.option("--cache-dir", type=FOLDER, help="Folder of the features; beats ADHARNESS_CACHE.")
@click.option("--device", help="auto, cpu or cuda; beats the run's own.")
@click.option("--jobs", type=click.IntRange(min=1), help="Cells at once; beats the run's own.")
@click.option("--fresh-features", is_flag=True, help="Extract anew, whatever the cache holds.")
@click.option("--tolerance", type=click.FloatRange(min=0.0, max=1.0), default=TOLERANCE,
              show_default=True, help="Largest relative difference that agrees.")  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="Print failures and the result only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def reproduce(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: click.Context,
    run: Path,
    out: Path | None,
    data_root: Path | None,
    cache_dir: Path | None,
    device: str | None,
    jobs: int | None,
    fresh_features: bool,
    tolerance: float,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run RUN again from its own record, and compare every number with the stored one.

    Exit 1 where a number differs by more than the tolerance. Exit 2 where it cannot be run: a
    plugin or a data set is missing, or the data are others.
    """
    overrides = Overrides(
        data_root=data_root, environment_root=environment_path("ADHARNESS_DATA"), device=device
    )
    registry = read_registry()
    again = ask_again(run, registry, overrides)
    place = out or run.absolute().with_name(f"{run.absolute().name}-reproduced")
    if place.absolute().resolve() == run.absolute().resolve():
        raise StoreError(f"{place} is the run itself", hint="choose another folder with --out")
    extracted = Extracted(fresh_features)
    with _cache(cache_dir, place, fresh=fresh_features) as cache:
        check_data(again, cache)
        given = GivenRecord(
            data_root=data_root is not None,
            device=again.asked.overrides.device,
            fresh=True,
            jobs=jobs or again.run.given.jobs,
            threads=again.run.given.threads,
            plugins=registry.only,
        )
        options = _options(again, place, cache, given)
        _run(again, options, extracted, quiet=quiet or as_json)
    found = compare_runs(run, place)
    moved, unknown = changed(again.run, RunFolder(place).run())
    agree = found.agree(tolerance)
    if as_json:
        render.print_json(_document(again, found, moved, tolerance, extracted))
    else:
        print_compared(again, found, tolerance)
        print_changed(moved, unknown)
        render.print_line(str(extracted))
        render.print_line(f"made again in {place}")
        conclude(found, tolerance)
    ctx.exit(exit_codes.FINE if agree else exit_codes.DISAGREES)


@contextmanager
def _cache(chosen: Path | None, out: Path, *, fresh: bool) -> Iterator[Path]:
    """Give the cache; a fresh one lies beside what is made, where there is space, and goes."""
    if not fresh:
        yield chosen or cache_folder()
        return
    place = chosen or out.parent
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.features-", dir=place) as folder:
        yield Path(folder)


def _options(again: Again, out: Path, cache: Path, given: GivenRecord) -> RunOptions:
    """No stored result is used, but for those of a reproduction that was stopped on its way."""
    return RunOptions(
        out=out,
        cache=cache,
        command=shlex.join(["adharness", *sys.argv[1:]]),
        limit=again.run.limit,
        reuse=Reuse(fresh=not _goes_on(again, out)),
        given=given,
    )


def _goes_on(again: Again, out: Path) -> bool:
    try:
        earlier = RunFolder(out).run()
    except StoreError:
        return False
    same = earlier.suite_text == again.run.suite_text and earlier.limit == again.run.limit
    if same and earlier.finished is None:
        render.print_note(f"goes on with what was made again in {out} before it was stopped")
        return True
    return False


def _run(again: Again, options: RunOptions, extracted: Extracted, *, quiet: bool) -> None:
    with (
        shown(quiet=quiet) as show,
        journaled(options.out, options.command, len(again.plan.cells)) as keep,
        _executor(again, options) as executor,
    ):
        told = both(both(show, keep), extracted.listen)
        run_plan(again.plan, options, told, executor)


def _executor(again: Again, options: RunOptions) -> AbstractContextManager[Executor]:
    if again.plan.suite.split.path is None:
        means = Means(jobs=options.given.jobs, threads=options.given.threads)
        return executor_of(again.plan, again.asked, options, means)
    # Other processes make the plan from the suite's text, whose split file may be gone.
    return nullcontext(Inline())


def _document(
    again: Again, found: Compared, moved: list[Changed], tolerance: float, extracted: Extracted
) -> dict[str, Any]:
    return {
        "schema": 1,
        "suite": again.run.suite,
        "tolerance": tolerance,
        "agree": found.agree(tolerance),
        "cells": len(again.cells),
        "lost": again.lost,
        "missing": [cell.id for cell in found.missing],
        "added": [cell.id for cell in found.added],
        "numbers": [kind.document() for kind in found.kinds.values()],
        "not_compared": dict(found.not_stored),
        "changed": [one._asdict() for one in moved],
        "features": {"extracted": extracted.anew, "from_cache": extracted.cached},
    }
