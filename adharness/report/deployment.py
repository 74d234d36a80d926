"""What a line of the board would do in production: at its deployed thresholds, at stated costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adharness.report.leaderboard import AGGREGATES, rows_of, score_of
from adharness.report.seeds import Score
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord

PARTS = 1000
"""False alarms are counted per so many good parts, costs per so many inspected parts."""
COST, COST_ORACLE = "image_cost", "image_cost_oracle"
_RECALL, _FPR, _F1, _F1_ORACLE = "image_recall", "image_fpr", "image_f1", "image_f1_oracle"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A row at its deployed threshold; what was not measured is undefined, with the reason.

    Parameters
    ----------
    recall
        Share of anomalous images found.
    false_alarms
        Per 1,000 good parts.
    cost
        Expected, per 1,000 inspected parts.
    f1_below_oracle
        `image_f1_oracle` - `image_f1`. Thresholds of several classes can beat one oracle: then it
        is below zero.
    cost_above_oracle
        `image_cost` - `image_cost_oracle`, per 1,000 inspected parts; may be below zero likewise.
    """

    recall: Score
    false_alarms: Score
    cost: Score
    f1_below_oracle: Score
    cost_above_oracle: Score


def shows_deployment(run: RunRecord) -> bool:
    """Whether the run measured what a mistake costs."""
    return COST in run.metrics and run.deployment is not None


def deployed(cells: Sequence[CellRecord], row: str) -> Deployed:
    """Describe a row of cells that differ in nothing but their seed."""
    read = {m: score_of(cells, row, m) for m in (_RECALL, _FPR, COST, COST_ORACLE, _F1, _F1_ORACLE)}
    return Deployed(
        recall=read[_RECALL],
        false_alarms=_times(read[_FPR], PARTS),
        cost=_times(read[COST], PARTS),
        f1_below_oracle=_difference(read[_F1_ORACLE], read[_F1]),
        cost_above_oracle=_times(_difference(read[COST], read[COST_ORACLE]), PARTS),
    )


def worst_class(cells: Sequence[CellRecord]) -> tuple[str, Deployed] | None:
    """Give the class of the highest cost, of equal ones the first; None where one has no cost."""
    names = dict.fromkeys(row.class_name for cell in cells for row in rows_of(cell))
    found = [(name, deployed(cells, name)) for name in names if name not in AGGREGATES]
    costs = [one.cost.value for _, one in found if one.cost.value is not None]
    if not found or len(costs) < len(found):
        return None
    return found[costs.index(max(costs))]


def told_costs(run: RunRecord) -> str:
    """State the costs in a sentence or two, and what two detectors without sense would cost."""
    told = run.deployment or {}
    miss, alarm, rate = (
        float(told[key]) for key in ("miss_cost", "false_alarm_cost", "defect_rate")
    )
    return (
        f"A missed defect costs {miss:g}, a false alarm {alarm:g}, and {100 * rate:g} % of parts "
        f"are defective. Per {PARTS:,} parts, to flag nothing costs {PARTS * rate * miss:g}, "
        f"to flag everything {PARTS * (1 - rate) * alarm:g}."
    )


def _times(score: Score, factor: int) -> Score:
    ends = score.spread and (factor * score.spread[0], factor * score.spread[1])
    low, high = (None if end is None else factor * end for end in (score.low, score.high))
    value = None if score.value is None else factor * score.value
    return Score(value, low, high, spread=ends, reason=score.reason)


def _difference(first: Score, second: Score) -> Score:
    """Subtract two means; intervals are not carried over: the two are of the same images."""
    if first.value is None or second.value is None:
        return Score(None, reason=first.reason or second.reason)
    return Score(first.value - second.value)
