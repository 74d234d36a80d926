"""Where one threshold for all classes turns an order that holds within the classes.

Averaged over classes, an AUROC compares images of one class only; pooled, it compares images of all
classes on one scale. A method whose classes have different scales loses the second and not the
first, and so two methods can change places though not a single score changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

from adharness.report.formats import listed, points, points_interval
from adharness.report.leaderboard import (
    HEADLINE_METRIC,
    Leaderboard,
    Standing,
    find_value,
    headline_class,
)
from adharness.report.metric_names import metric_name
from adharness.report.paired import Resample
from adharness.report.seeds import Score, over_seeds


class Reversal(NamedTuple):
    """Two methods, scored once, whose order by the mean over classes is turned by pooling."""

    within: Standing
    """The one ahead by the mean over classes."""
    pooled: Standing
    """The one ahead over all images pooled."""
    by_class: float
    """How far `within` leads by the mean over classes; > 0."""
    by_pool: float
    """How far `pooled` leads over all images; > 0."""
    repairs: tuple[str, ...]
    """Normalizers after which `within` leads over all images too."""


def reversals(board: Leaderboard, normalizer: str = "raw") -> list[Reversal]:
    """Give the largest reversal of each data set and protocol that hides the class; none if none.

    Parameters
    ----------
    normalizer
        Of the scores that are compared.

    Notes
    -----
    The size of a reversal is the smaller of its two leads; of equal ones the first in the order of
    the board is given. Equal numbers are no lead, and undefined ones (a failed cell) no number.
    """
    found: dict[tuple[str, str], Reversal] = {}
    for upper, lower in _pairs(board, normalizer):
        by_class, by_pool = _lead(upper, lower, "macro"), _lead(lower, upper, "pooled")
        if by_class is None or by_pool is None or min(by_class, by_pool) <= 0:
            continue
        key = (upper.group.dataset, upper.group.protocol)
        held = found.get(key)
        if held is None or min(by_class, by_pool) > min(held.by_class, held.by_pool):
            repairs = tuple(_repairs(board, upper, lower))
            found[key] = Reversal(upper, lower, by_class, by_pool, repairs)
    return list(found.values())


def told_reversals(board: Leaderboard, resample: Resample | None = None) -> list[str]:
    """Say each of `reversals` in a sentence, with intervals of the leads where there are any."""
    return [_told(reversal, resample) for reversal in reversals(board)]


def _told(found: Reversal, resample: Resample | None) -> str:
    upper, lower = found.within, found.pooled
    name = metric_name(HEADLINE_METRIC).full
    leads = [
        f"{first.method} leads {second.method} by {points(lead)} points{_span(span)}"
        for first, second, lead, span in (
            (upper, lower, found.by_class, _interval(upper, lower, "macro", resample)),
            (lower, upper, found.by_pool, _interval(lower, upper, "pooled", resample)),
        )
    ]
    said = (
        f"One threshold turns an order on {upper.group.dataset}: by the mean {name} over classes "
        f"{leads[0]}, and over all images of the same {upper.group.protocol} scores {leads[1]}, "
        f"for scores of different classes are not on one scale"
    )
    if not found.repairs:
        return f"{said}; no normalizer of this suite turns it back."
    return f"{said}; turned back by {listed(found.repairs)}."


def _pairs(board: Leaderboard, normalizer: str) -> Iterator[tuple[Standing, Standing]]:
    """Methods of one group, each pair both ways; thresholds change no ranking: one is enough."""
    first: dict[tuple[str, str, str], Standing] = {}
    for standing in board.standings:
        group = standing.group
        if headline_class(group.protocol) == "pooled" and group.normalizer == normalizer:
            first.setdefault((group.dataset, group.protocol, standing.method), standing)
    for upper, lower in permutations(first.values(), 2):
        if _alike(upper, lower):
            yield upper, lower


def _alike(first: Standing, second: Standing) -> bool:
    """Whether two methods stand under one protocol on one data set, judged alike."""
    one, other = (s.group._replace(normalizer="", thresholder="") for s in (first, second))
    return one == other


def _repairs(board: Leaderboard, upper: Standing, lower: Standing) -> Iterator[str]:
    others = [s for s in board.standings if _alike(s, upper)]
    names = dict.fromkeys(s.group.normalizer for s in others)
    for name in names:
        of_this = [s for s in others if s.group.normalizer == name]
        one, other = (_of(of_this, s.method) for s in (upper, lower))
        lead = _lead(one, other, "pooled") if one and other else None
        if lead is not None and lead > 0:
            told_class = one is not None and any(c.class_oracle for c in one.cells)
            yield f"{name} (told the class: an upper bound)" if told_class else name


def _of(standings: Sequence[Standing], method: str) -> Standing | None:
    return next((s for s in standings if s.method == method), None)


def _lead(first: Standing, second: Standing, scope: str) -> float | None:
    numbers = [_score(standing, scope).value for standing in (first, second)]
    return None if numbers[0] is None or numbers[1] is None else numbers[0] - numbers[1]


def _score(standing: Standing, scope: str) -> Score:
    return over_seeds([find_value(cell, scope, HEADLINE_METRIC) for cell in standing.cells])


def _interval(
    first: Standing, second: Standing, scope: str, resample: Resample | None
) -> tuple[float, float] | None:
    if resample is None or len(first.cells) != 1 or len(second.cells) != 1:
        return None
    return resample(first.cells[0], second.cells[0]).get((HEADLINE_METRIC, scope))


def _span(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f" ({points_interval(Score(0.0, *ends))})"
