"""Judge every cell of a feature group, sharing what cells have in common."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from adharness.engine.cells import CellWorker
from adharness.engine.events import Failed, Listener, StepDone, StepStarted
from adharness.engine.failures import failure_of
from adharness.engine.family import Family, keeps_class_order, open_family
from adharness.engine.gather import Gathered, gather
from adharness.engine.group import FeatureGroup
from adharness.engine.judge import Table
from adharness.engine.rank import Rankings
from adharness.engine.score import ScoringOutcome, ScoringTask, tasks_of
from adharness.plan import PROTOCOLS, Cell
from adharness.store.records import CellRecord

Outcomes = dict[ScoringTask, ScoringOutcome]


def methods_of(group: FeatureGroup) -> list[list[int]]:
    """Sort the cells of a group by the raw scores that they share; positions in the group."""
    cells = group.cells
    order = sorted(range(len(cells)), key=lambda i: _method_key(cells[i]))
    return [list(its) for _, its in groupby(order, key=lambda i: _method_key(cells[i]))]


def judge_method(
    worker: CellWorker, cells: Sequence[Cell], outcomes: Outcomes, listener: Listener
) -> list[CellRecord]:
    """Judge cells that share raw scores; what is stored already is only read."""
    mine = {t.trained_on: outcomes[t] for t in tasks_of(cells[0], worker.group)}
    done: list[CellRecord] = []
    missing: list[Cell] = []
    for cell in cells:
        found = worker.stored(cell, list(mine.values()))
        if found is None:
            missing.append(cell)
        else:
            done.append(found)
            listener(StepDone("judge", reused=True))
    if missing:
        routed = PROTOCOLS[cells[0].protocol].routed
        begun = time.perf_counter()
        gathered = gather(worker.group, worker.folder, mine, cells[0].method, routed=routed)
        rankings = Rankings(worker.referee, gathered)
        shared_s = (time.perf_counter() - begun) / len(missing)
        for _, family in groupby(sorted(missing, key=_family_key), key=_family_key):
            its = list(family), list(mine.values())
            done += _judge_family(worker, *its, rankings, shared_s, listener)
    return done


def _judge_family(
    worker: CellWorker,
    cells: Sequence[Cell],
    outcomes: Sequence[ScoringOutcome],
    rankings: Rankings,
    shared_s: float,
    listener: Listener,
) -> list[CellRecord]:
    first, gathered, begun = cells[0], rankings.gathered, time.perf_counter()
    listener(StepStarted("judge", f"{first.method.name}, {first.protocol}"))
    family = open_family(first, worker.group, gathered)
    family, table = _ranked(family, rankings, first)
    shared_s += (time.perf_counter() - begun) / len(cells)
    records = []
    for cell in cells:
        records.append(worker.judge(cell, outcomes, family, table, shared_s))
        _report_new_failures(records[-1], gathered, cell, listener)
        listener(StepDone("judge"))
    return records


def _ranked(family: Family, rankings: Rankings, cell: Cell) -> tuple[Family, Table]:
    """Measure the rankings; a normalizer that fails on a map fails its cells, not the run."""
    try:
        return family, rankings.table(family, keeps_class_order=keeps_class_order(cell))
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes failed rows
        failure = failure_of("judge", error)
        failures = dict.fromkeys(family.group.survey.classes, failure) | family.failures
        return replace(family, parts=[], failures=failures), {}


def _report_new_failures(
    record: CellRecord, gathered: Gathered, cell: Cell, listener: Listener
) -> None:
    """Tell of failures that arose in judging; those of fitting were told when they happened."""
    for row in record.rows:
        if row.failure and row.class_name not in gathered.failures and not gathered.failures:
            listener(
                Failed(f"{cell.method.name}, {cell.protocol}, {cell.thresholder.name}", row.failure)
            )
            return


def _method_key(cell: Cell) -> tuple[str, bool, bool, int]:
    protocol = PROTOCOLS[cell.protocol]
    return cell.method.name, protocol.labels_at_train, protocol.routed, cell.seed


def _family_key(cell: Cell) -> tuple[str, str]:
    return cell.protocol, cell.normalizer.name
