"""Areas, optima and operating points, each read off a ranking in one pass.

A quantity is a `part` of a bracket of the ranking, parts joined by a sum or a maximum, and a
`share` of the whole. So a ranking that does not fit in memory is read bracket by bracket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from adharness.arrays import Float64, Int64
from adharness.metrics.ranking import Ranking, ratio


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a ranking, (...) float64.

    NaN without a positive or without a negative: where it would not be defined, or would be
    the best value for any scores.

    Parameters
    ----------
    part
        What a bracket of the ranking adds, (...) float64.
    share
        The number, from the joined parts and any bracket, for the totals.
    join
        How parts become one.
    """

    part: Callable[[Ranking], Float64]
    share: Callable[[Float64, Ranking], Float64]
    join: Literal["sum", "max"] = "sum"

    def of(self, brackets: Iterable[Ranking]) -> Float64:
        """Read the number off the brackets of one ranking, at least one."""
        total, last = None, None
        for last in brackets:
            part = self.part(last)
            total = part if total is None else self.joined(total, part)
        if total is None or last is None:
            raise ValueError("no bracket")
        return self.value(total, last)

    def joined(self, total: Float64, part: Float64) -> Float64:
        """Join the parts of two sets of brackets."""
        return total + part if self.join == "sum" else np.maximum(total, part)

    def value(self, total: Float64, ranking: Ranking) -> Float64:
        """Give the number, from the joined parts of all brackets."""
        defined = (ranking.positives > 0) & (ranking.negatives > 0)
        return np.where(defined, self.share(total, ranking), np.nan)


def ramp_share(before: Int64, after: Int64, end: float | Float64) -> Float64:
    """Mean of a curve's step over false positives from 0 to `end`, as a share of 1.

    A positive is found from the false positives on at which its score enters: `before`. If
    negatives tie with it, the curve rises linearly from `before` to `after`. The area of that
    ramp up to `end` has a closed form, so no curve is ever built, and the cut at the end is the
    linear interpolation of it.

    Parameters
    ----------
    before, after : (..., K) int64
        Negatives above, and at or above, each score.
    end
        Number of false positives at which the curve is cut, above 0; need not be whole.

    Returns
    -------
    (..., K) float64
        Exactly 1 where no negative scores as high, 0 where the step lies beyond the end.
    """
    on_ramp = np.clip(end, before, after) - before
    ramp = np.where(after > before, ratio(on_ramp**2, 2 * (after - before)), 0.0)
    return ratio(ramp + np.maximum(end - after, 0.0), end)


def _pairs_in_order(ranking: Ranking) -> Float64:
    """Twice the pairs in order, a tie counted half; integers, so exact up to 2**63."""
    twice_below = 2 * ranking.negatives[..., None] - ranking.normals_above - ranking.false_positives
    return np.asarray((ranking.gains * twice_below).sum(axis=-1))


def _share_of_pairs(twice: Float64, ranking: Ranking) -> Float64:
    return ratio(twice, 2 * ranking.positives * ranking.negatives)


def _precision_gained(ranking: Ranking) -> Float64:
    """Sum over the positives of the precision at which each enters."""
    # A resample may hold nothing this high: no gain there, so any divisor will do.
    flagged = np.maximum(ranking.true_positives + ranking.false_positives, 1)
    return np.asarray((ranking.gains * (ranking.true_positives / flagged)).sum(axis=-1))


def _precision_by_lines(ranking: Ranking) -> Float64:
    """Sum over the positives of the mean of the precisions before and after each enters."""
    before = ranking.found_above + ranking.normals_above
    earlier = np.where(before > 0, ranking.found_above / np.maximum(before, 1), 1.0)
    after = np.maximum(ranking.true_positives + ranking.false_positives, 1)
    later = ranking.true_positives / after
    return np.asarray((ranking.gains * (earlier + later) / 2).sum(axis=-1))


def _share_of_positives(total: Float64, ranking: Ranking) -> Float64:
    return ratio(total, ranking.positives)


def _best_f1(ranking: Ranking) -> Float64:
    flagged = ranking.true_positives + ranking.false_positives
    f1 = ratio(2 * ranking.true_positives, flagged + ranking.positives[..., None])
    return np.asarray(f1.max(axis=-1, initial=0.0))


def _best_iou(ranking: Ranking) -> Float64:
    iou = ratio(ranking.true_positives, ranking.false_positives + ranking.positives[..., None])
    return np.asarray(iou.max(axis=-1, initial=0.0))


def _as_found(total: Float64, _: Ranking) -> Float64:
    return total


def _most_right(ranking: Ranking) -> Float64:
    """Most images judged right at any score; nothing flagged is a choice too."""
    right = ranking.true_positives - ranking.false_positives
    return np.asarray(ranking.negatives + right.max(axis=-1, initial=0), dtype=np.float64)


def _share_of_all(total: Float64, ranking: Ranking) -> Float64:
    return ratio(total, ranking.positives + ranking.negatives)


FPR10 = 0.1
"""Where `auroc_fpr10` is cut."""


def _found_early(ranking: Ranking) -> Float64:
    end = FPR10 * np.asarray(ranking.negatives, np.float64)[..., None]
    share = ramp_share(ranking.normals_above, ranking.false_positives, end)
    # Without a negative the share is NaN; so is the value, but the sum must not warn.
    return np.asarray((ranking.gains * share).sum(axis=-1))


def _false_positives_at_95(ranking: Ranking) -> Float64:
    """Count the false positives where 95 % are found, on the line through a tie.

    A whole ranking only: the step that reaches 95 % must be in it.
    """
    if not ranking.gains.shape[-1]:
        return np.zeros(ranking.positives.shape)
    enough = 20 * ranking.true_positives >= 19 * ranking.positives[..., None]  # in integers
    step = enough.argmax(axis=-1)[..., None]
    above, at, found, gain = (
        np.take_along_axis(counts, step, axis=-1)[..., 0]
        for counts in (
            ranking.normals_above,
            ranking.false_positives,
            ranking.found_above,
            ranking.gains,
        )
    )
    # In [0, 1] but for rounding; no gain means no positive, and no value.
    along = np.clip(np.nan_to_num(ratio(0.95 * ranking.positives - found, gain)), 0.0, 1.0)
    return np.asarray(above + (at - above) * along)


def _share_of_negatives(total: Float64, ranking: Ranking) -> Float64:
    return ratio(total, ranking.negatives)


QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        "auroc": Quantity(_pairs_in_order, _share_of_pairs),
        "ap": Quantity(_precision_gained, _share_of_positives),
        "ap@trapezoid": Quantity(_precision_by_lines, _share_of_positives),
        "auroc_fpr10": Quantity(_found_early, _share_of_positives),
        "fpr_at_95_tpr": Quantity(_false_positives_at_95, _share_of_negatives, "max"),
        "f1_oracle": Quantity(_best_f1, _as_found, "max"),
        "iou_oracle": Quantity(_best_iou, _as_found, "max"),
        "accuracy_oracle": Quantity(_most_right, _share_of_all, "max"),
    }
)
"""By `quantity`, or `quantity@dialect` where a dialect reads the same ranking otherwise."""
