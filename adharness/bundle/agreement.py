"""What scores alone cannot tell must at least agree with itself: pixel and region metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from adharness.arrays import AnyArray
from adharness.bundle.claims import MACRO, POOLED, statistics_of
from adharness.bundle.recompute import Disagreement, close
from adharness.engine.measured import Measured, macro_of
from adharness.errors import StoreError
from adharness.metrics import MetricValue, find_metric
from adharness.report.reading import read_drawn
from adharness.statistics import Drawn
from adharness.store.records import CellRecord, Row, Value
from adharness.store.run_record import RunRecord

SINGLE = 2e-6
"""Tolerance of what is read off replicates, which are stored in single precision."""


def contradictions(
    run: RunRecord,
    cell: CellRecord,
    scores: Mapping[str, AnyArray],
    replicates: Mapping[str, AnyArray],
    draws: str,
) -> Iterator[Disagreement]:
    """Yield where the pixel and region metrics of a cell contradict what lies beside them.

    Parameters
    ----------
    scores, replicates
        Arrays of `scores.npz` and `replicates.npz`; empty where the cell has none.
    draws
        Digest of the images as they are drawn.

    Notes
    -----
    Checked: the macro mean is that of the classes, intervals are those of the replicates, and a
    metric that gives each image a number is the mean of these, with their quartiles.

    Raises
    ------
    StoreError
        The replicates are of other images, rows or metrics.
    """
    rows = {row.class_name: row for row in cell.rows if row.status == "ok"}
    stored = _replicates(run, cell, replicates, draws)
    how = statistics_of(run)
    for metric in run.metrics:
        if find_metric(metric).level == "image":
            continue
        claimed = {
            row: _claimed(rows[row], metric, stored.get((row, metric)), scores)
            for row in rows
            if row != MACRO
        }
        found = dict(claimed)
        if MACRO in rows:
            classes = {row: {metric: one} for row, one in claimed.items() if row != POOLED}
            found[MACRO] = macro_of(classes, how)[metric]
        yield from _other_estimates(cell.id, metric, claimed, stored)
        for row, one in found.items():
            place = (cell.id, row, metric)
            told, again = rows[row].metrics[metric], one.record(how)
            yield from _compare(place, told, again)


def _other_estimates(
    cell: str,
    metric: str,
    claimed: Mapping[str, Measured],
    stored: Mapping[tuple[str, str], Drawn],
) -> Iterator[Disagreement]:
    """Yield where the replicates say that they were drawn of another value than the claimed one."""
    for row, one in claimed.items():
        drawn = stored.get((row, metric))
        known = None if drawn is None or np.isnan(drawn.estimate) else drawn.estimate
        if known is not None and not close(float(one.value), known):
            yield Disagreement(cell, row, metric, "estimate", known, float(one.value))


def _compare(place: tuple[str, str, str], claimed: Value, found: Value) -> Iterator[Disagreement]:
    if not close(claimed.value, found.value):
        yield Disagreement(*place, "value", claimed.value, found.value)
    for what in ("low", "high"):
        mine, theirs = getattr(claimed, what), getattr(found, what)
        if not close(mine, theirs, SINGLE):
            yield Disagreement(*place, what, mine, theirs)
    mine, theirs = (
        None if one.spread is None else one.spread.model_dump() for one in (claimed, found)
    )
    if (mine is None) != (theirs is None) or (
        mine and theirs and not all(close(mine[name], theirs[name]) for name in mine)
    ):
        yield Disagreement(*place, "spread", mine, theirs)


def _claimed(
    row: Row, metric: str, drawn: Drawn | None, scores: Mapping[str, AnyArray]
) -> Measured:
    """Give the claimed value of a row as the judge would hold it, with the numbers of its images.

    Where each image has a number of its own, the value is the mean of those.
    """
    value = row.metrics[metric]
    name = f"{metric}_{POOLED}" if row.class_name == POOLED else metric
    per_image: tuple[float | None, ...] | None = None
    number = np.nan if value.value is None else value.value
    if name in scores and value.value is not None:
        every = row.class_name == POOLED
        mine = scores[name][every | (scores["classes"] == row.class_name)]
        per_image = tuple(None if np.isnan(one) else float(one) for one in mine)
        own = [one for one in per_image if one is not None]
        number = float(np.mean(own)) if own else np.nan
    if drawn is not None:  # of what is claimed, whatever the file says that it was drawn of
        drawn = replace(drawn, estimate=number)
    return Measured(MetricValue(number, value.reason, per_image), drawn)


def _replicates(
    run: RunRecord, cell: CellRecord, arrays: Mapping[str, AnyArray], draws: str
) -> dict[tuple[str, str], Drawn]:
    """Give the replicates, and what each image does to them, by row and metric."""
    if not arrays:
        return {}
    where = f"cell {cell.id}: replicates.npz"
    scopes, metrics = arrays["scopes"].tolist(), arrays["metrics"].tolist()
    if arrays["draws"].item() != draws:
        raise StoreError(f"{where} is of other images, or of other draws")
    resamples = statistics_of(run).bootstrap
    if arrays["values"].shape[2] != resamples:
        raise StoreError(f"{where} has {arrays['values'].shape[2]} resamples, not {resamples}")
    known = {row.class_name for row in cell.rows} - {MACRO}
    if not (set(scopes) <= known and len(set(scopes)) == len(scopes)):
        raise StoreError(f"{where} is of the rows {scopes[:20]}")
    if not (set(metrics) <= set(run.metrics) and len(set(metrics)) == len(metrics)):
        raise StoreError(f"{where} is of the metrics {metrics[:20]}")
    found: dict[tuple[str, str], Drawn] = {}
    for j, metric in enumerate(metrics):
        lowest, highest = find_metric(metric).range
        values = arrays["values"][:, j]
        if np.any((values < lowest) | (values > highest)):
            raise StoreError(f"{where}: a value of {metric} is outside its range")
        found |= {(scope, metric): read_drawn(arrays, i, j) for i, scope in enumerate(scopes)}
    return {key: one for key, one in found.items() if not np.isnan(one.replicates).all()}
