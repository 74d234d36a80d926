"""The question of a run, asked again from its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adharness.engine.division import split_path
from adharness.engine.survey import survey
from adharness.engine.work.request import Asked
from adharness.errors import DataError, StoreError
from adharness.plan import Cell, Plan, expand
from adharness.registry import Registry
from adharness.report.leaderboard import AXES
from adharness.report.reading import read_run
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from adharness.store.run_record import DatasetRecord, RunRecord
from adharness.suite.bind import BoundSuite, Overrides, bind
from adharness.suite.load import parse_suite


@dataclass(frozen=True)
class Again:
    """A run's record, the cells of it that are stored, and the plan that makes those again.

    Parameters
    ----------
    asked
        Where data lie, and the whole plan of the suite.
    lost
        Cells of the record that are missing or damaged.
    """

    run: RunRecord
    cells: tuple[CellRecord, ...]
    plan: Plan
    asked: Asked
    lost: int = 0


def ask_again(folder: Path, registry: Registry, overrides: Overrides) -> Again:
    """Read a run and plan its stored cells again, from the suite's text in its record.

    Parameters
    ----------
    folder
        A run, finished or not. A split that was read from a file is read from the run's own
        `splits/`; other paths of the suite are from the current folder, as they were.
    overrides
        Where data lie now. The device is that of the run's command line unless it is given.

    Raises
    ------
    StoreError
        This is no run, it was merged from others, none of its cells is stored, or its suite asks
        for none of them now.
    SuiteError, PluginError
        As `bind`: a plugin is missing.
    """
    run, cells = read_run(folder)
    _check(folder, run, cells)
    asked = replace(overrides, device=overrides.device or run.given.device)
    suite = bind(parse_suite(Path(run.suite_file), run.suite_text), registry, asked)
    plan = expand(_with_stored_splits(suite, RunFolder(folder)))
    wanted = {_axes(cell) for cell in cells}
    chosen = tuple(cell for cell in plan.cells if _planned(cell) in wanted)
    gone = wanted - {_planned(cell) for cell in chosen}
    if gone:
        raise StoreError(
            f"the suite of {folder} no longer asks for {' '.join(map(str, min(gone)))}",
            hint="the plugins are of other versions: adharness plugins shows which are installed",
        )
    lost = len(run.cells) - len(cells)
    return Again(run, tuple(cells), Plan(plan.suite, chosen), Asked(asked, plan), lost)


def check_data(again: Again, cache: Path) -> None:
    """Refuse data that are not those of the run.

    Raises
    ------
    DataError
        A set is missing, or names, pixels, labels or masks of its images are others.
    """
    known = {data.name: data for data in again.run.datasets}
    for bound in {cell.dataset.name: cell.dataset for cell in again.plan.cells}.values():
        found = survey(again.plan.suite, bound, limit=again.run.limit, cache=cache).record()
        if found.fingerprint != known[bound.name].fingerprint:
            raise _other_data(known[bound.name], found)


def _other_data(then: DatasetRecord, now: DatasetRecord) -> DataError:
    counts = [sum(sum(one.values()) for one in data.counts.values()) for data in (then, now)]
    told = f": {counts[0]} images then, {counts[1]} now" if counts[0] != counts[1] else ""
    return DataError(
        f"data set '{then.name}' is not the one of the run{told}; its fingerprint was "
        f"{then.fingerprint} and is {now.fingerprint}",
        hint="point --data-root at the images of the run, or bring them back to what they were",
    )


def _check(folder: Path, run: RunRecord, cells: Sequence[CellRecord]) -> None:
    if run.origins:
        raise StoreError(
            f"{folder} was merged from several sources", hint="reproduce the runs it came from"
        )
    if not cells:
        end = "" if run.finished else ", and the run is not finished"
        raise StoreError(
            f"{folder} holds no result to compare with{end}",
            hint=f"give the command that began it again: {run.command}",
        )


def _with_stored_splits(suite: BoundSuite, folder: RunFolder) -> BoundSuite:
    if suite.split.policy != "file" or suite.split.path is None:
        return suite
    splits = folder.path / "splits"
    lost = [one.name for one in suite.data if not split_path(splits, one.clean.name).is_file()]
    if lost:
        raise StoreError(
            f"the run keeps no split of {', '.join(lost)}: {splits} has no such file",
            hint="the suite read its split from a file, and the path of that is not to be relied "
            "on; put the file there",
        )
    return suite.with_splits(splits)


def _axes(cell: CellRecord) -> tuple[str, ...]:
    return tuple(str(getattr(cell, axis)) for axis in AXES)


def _planned(cell: Cell) -> tuple[str, ...]:
    fields = cell.fields()
    return tuple(fields[axis] for axis in AXES)
