"""What a mistake costs, and the expected cost of a part that is inspected."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float64
from adharness.errors import MetricError
from adharness.metrics.decisions import Confusion, fpr, recall
from adharness.metrics.quantities import Quantity
from adharness.metrics.ranking import Ranking, ratio


@dataclass(frozen=True, slots=True)
class MistakeCosts:
    """What a production line loses by mistakes, in any one unit.

    Parameters
    ----------
    miss
        Cost of a defective part that passes.
    false_alarm
        Cost of a good part that is flagged.
    defect_rate
        Share of defective parts on the line, in (0, 1): not that of the test images.

    Raises
    ------
    MetricError
        If a cost is not above 0 and finite, or the rate is not in (0, 1).
    """

    miss: float = 10.0
    false_alarm: float = 1.0
    defect_rate: float = 0.01

    def __post_init__(self) -> None:
        for name in ("miss", "false_alarm"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise MetricError(f"the cost {name} is {value}, expected a finite one above 0")
        if not 0 < self.defect_rate < 1:
            raise MetricError(
                f"the defect rate is {self.defect_rate}, expected a share between 0 and 1",
                hint="0.01 for one part in a hundred",
            )

    @property
    def all_missed(self) -> float:
        """Cost of a part where no defect is found."""
        return self.defect_rate * self.miss

    @property
    def all_flagged(self) -> float:
        """Cost of a part where every good part is flagged."""
        return (1 - self.defect_rate) * self.false_alarm


def expected_cost(counts: Confusion, costs: MistakeCosts) -> Float64:
    """Cost of a part at a threshold; NaN without a positive or without a negative."""
    return _of_part(recall(counts), fpr(counts), costs)


def least_cost(costs: MistakeCosts) -> Quantity:
    """Smallest cost of a part over all thresholds; to flag nothing is a choice too."""

    def least(ranking: Ranking) -> Float64:
        """Negated, for parts are joined by their maximum."""
        found = ratio(ranking.true_positives, ranking.positives[..., None])
        false = ratio(ranking.false_positives, ranking.negatives[..., None])
        negated = -_of_part(found, false, costs)
        return np.asarray(negated.max(axis=-1, initial=-costs.all_missed), dtype=np.float64)

    return Quantity(least, lambda total, _: -total, join="max")


def _of_part(found: Float64, false: Float64, costs: MistakeCosts) -> Float64:
    """Cost of a part, by the same arithmetic for the deployed threshold and the oracle."""
    return np.asarray(costs.all_missed * (1 - found) + costs.all_flagged * false, np.float64)
