"""Scores of every class on one axis with the deployed thresholds, as mirrored histograms.

One figure says what strips of single scores said (where a threshold cuts each class) and how many
images lie there, at a size that does not grow with the test set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from adharness.arrays import Bool, Float64
from adharness.report.cross_class import classes_of
from adharness.report.curve_figures import DIGITS, Group, figure_groups, note_of
from adharness.report.drawings import Figure
from adharness.report.embedded import Plain
from adharness.report.leaderboard import Leaderboard
from adharness.report.reading import ImageScores
from adharness.store.records import CellRecord

BINS = 48
"""Of equal width; what lies beyond an end is counted in the last one there."""


def score_histograms(
    board: Leaderboard, read: Callable[[CellRecord], ImageScores | None]
) -> list[tuple[str, Figure]]:
    """Draw the scores of every group of cells, each figure with its protocol."""
    found = []
    for group in figure_groups(board):
        methods = {
            method: told
            for method, cells in group.methods.items()
            for told in [_method(cells, classes_of(board, cells[0]), read)]
            if told
        }
        if methods:
            found.append((group.protocol, _figure(board, group, methods)))
    return found


def score_axis(scores: Float64, cuts: Sequence[float]) -> tuple[float, float]:
    """Give the ends of an axis: from the lowest score to the 98th percentile, thresholds inside."""
    known = [cut for cut in cuts if np.isfinite(cut)]
    low = min(float(scores.min()), *known, float("inf"))
    high = max(float(np.quantile(scores, 0.98)), *known, float("-inf"))
    largest = max(abs(low), abs(high))
    if high - low > max(1e-12 * largest, 1e-300):  # wide enough for floats between the bins
        room = (high - low) * 0.03
    else:
        room = max(0.5, 1e-6 * largest)
    return low - room, high + room


def counts(scores: Float64, ends: tuple[float, float]) -> list[int]:
    """Count scores in each bin, the ends taking what lies beyond; none is left out."""
    inside = np.clip(scores, *ends)
    found: list[int] = np.histogram(inside, BINS, ends)[0].tolist()
    return found


def _method(
    cells: Sequence[CellRecord],
    classes: Sequence[str],
    read: Callable[[CellRecord], ImageScores | None],
) -> dict[str, Plain]:
    by_rule = {cell.thresholder: own for cell in cells for own in [read(cell)] if own is not None}
    first = next(iter(by_rule.values()), None)
    if first is None or not len(first.scores):
        return {}
    cuts = [cut for own in by_rule.values() for cut in np.unique(own.threshold).tolist()]
    ends = score_axis(first.scores, cuts)
    return {
        "ends": [float(f"{end:.5g}") for end in ends],
        "bound": cells[0].class_oracle,
        "classes": [_class(name, by_rule, first, ends) for name in classes],
    }


def _class(
    name: str, by_rule: Mapping[str, ImageScores], first: ImageScores, ends: tuple[float, float]
) -> Plain:
    own = np.asarray(first.classes == name, np.bool_)
    return {
        "name": name,
        "counts": [counts(first.scores[own & (first.labels == kind)], ends) for kind in (0, 1)],
        "cuts": {rule: _cut(scores, own) for rule, scores in by_rule.items()},
    }


def _cut(scores: ImageScores, own: Bool) -> Plain:
    """Give the threshold (lowest and highest where images have several), false alarms, recall."""
    levels = scores.threshold[own]
    if not len(levels):
        return None
    flagged = scores.scores[own] > levels
    shares = [
        round(float(flagged[scores.labels[own] == kind].mean()), DIGITS)
        if (scores.labels[own] == kind).any()
        else None
        for kind in (0, 1)
    ]
    lines = sorted({float(f"{level:.5g}") for level in (levels.min(), levels.max())})
    return {"at": [line for line in lines if np.isfinite(line)], "shares": shares}


def _figure(board: Leaderboard, group: Group, methods: Mapping[str, Plain]) -> Figure:
    return Figure(
        kind="histograms",
        title=f"{group.dataset}: scores and thresholds, {group.protocol}",
        note=note_of(board, group),
        keys={"dataset": group.dataset, "normalizer": group.normalizer},
        data={
            "choices": [
                {"name": "method", "label": "Method", "values": list(methods)},
                {"name": "thresholder", "label": "Threshold by", "values": group.thresholders},
            ],
            "scale": f"score after normalizer {group.normalizer}",
            "methods": methods,
        },
        instead="The rates at each threshold are in the tables per class and under Thresholds.",
    )
