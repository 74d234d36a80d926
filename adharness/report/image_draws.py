"""Replicates of image metrics, made again from stored scores.

What is drawn depends on the images alone, not on what a method says of them, so it is made once for
all cells that judged the same images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from adharness.arrays import AnyArray, Bool, Int64
from adharness.metrics.costs import MistakeCosts
from adharness.metrics.evaluate import DEFAULT_COSTS
from adharness.metrics.table import find_metric
from adharness.report.reading import ImageScores
from adharness.statistics import (
    Drawn,
    IntervalKind,
    MacroKind,
    Sampling,
    bootstrap_weights,
    join,
    replicates_of,
    strata_of,
    units_of,
)
from adharness.store.identity import digest
from adharness.store.run_record import RunRecord

Key: TypeAlias = tuple[str, str]
"""Metric and scope."""
KEPT = 4
"""Sets of images whose draws are kept: of 1,700 images and 1,000 draws one takes 35 MB."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How images are drawn again, and what is counted on them.

    Parameters
    ----------
    draws
        Bootstrap samples; 0 for no intervals.
    level
        Share of the draws inside the interval, in (0, 1).
    seed
        Every cell sees the same draws, so an interval does not depend on its neighbours.
    costs
        What the metrics of costs count by.
    interval, macro
        As under `statistics:` of a suite; runs of before these were there have `percentile`.
    """

    draws: int
    level: float
    seed: int
    costs: MistakeCosts = DEFAULT_COSTS
    interval: IntervalKind = "bca"
    macro: MacroKind = "fixed"

    @classmethod
    def of(cls, run: RunRecord) -> Resampling:
        """Draw and count as the run did."""
        told, costs = run.statistics, run.deployment
        return cls(
            draws=int(told.get("bootstrap") or 0),
            level=float(told.get("level", 0.95)),
            seed=int(told.get("seed", 0)),
            costs=DEFAULT_COSTS
            if costs is None
            else MistakeCosts(*(float(costs[name]) for name in _COSTS)),
            interval="bca" if told.get("interval") == "bca" else "percentile",
            macro="hierarchical" if told.get("macro") == "hierarchical" else "fixed",
        )


_COSTS = ("miss_cost", "false_alarm_cost", "defect_rate")


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """How the images of one set are drawn: `order` sorts them by their paths."""

    name: str
    """Equal for equal draws of the same images."""
    order: Int64
    scopes: Mapping[str, tuple[Bool, Sampling]]
    """Class name or `pooled` -> which of the sorted images, and how they are drawn."""


class ImageDraws:
    """Draws the images of cells again, and judges them on each draw.

    Parameters
    ----------
    metrics
        Ids of the image level.
    how
        How images are drawn again.
    """

    def __init__(self, metrics: Sequence[str], how: Resampling) -> None:
        self.how, self._metrics = how, list(metrics)
        self._ranked = [name for name in metrics if not find_metric(name).at_threshold]
        self._known: dict[str, _Draws] = {}

    def content(self, scores: ImageScores) -> str:
        """Digest of all that the replicates depend on: no threshold, where no metric reads it."""
        told = [*_images(scores), scores.scores]
        decided = len(self._ranked) < len(self._metrics)
        return _digest([*told, scores.threshold] if decided else told)

    def replicates(self, scores: ImageScores) -> tuple[str, dict[Key, Drawn]]:
        """Give the name of the draws, and each metric of each class and `pooled`."""
        draws = self._draws(scores)
        labels, values, threshold = (
            getattr(scores, name)[draws.order] for name in ("labels", "scores", "threshold")
        )
        found: dict[Key, Drawn] = {}
        for scope, (taken, sampling) in draws.scopes.items():
            known = bool(np.isfinite(threshold[taken]).all())  # NaN where nothing could fit one
            of_scope = {n: np.full(len(sampling.weights), np.nan) for n in self._metrics}
            of_scope |= replicates_of(
                self._metrics if known else self._ranked,
                labels[taken],
                values[taken],
                sampling.weights,
                threshold[taken] if known else None,
                self.how.costs,
            )
            found.update({(name, scope): sampling.read(of) for name, of in of_scope.items()})
        return draws.name, found

    def _draws(self, scores: ImageScores) -> _Draws:
        key = _digest(_images(scores))
        if key not in self._known:
            while len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]  # the oldest
            self._known[key] = _draw(scores, self.how)
        return self._known[key]


def _draw(scores: ImageScores, how: Resampling) -> _Draws:
    order = np.argsort(scores.samples)
    samples, classes, labels, groups = (one[order] for one in _images(scores))
    units = units_of(groups.tolist(), classes.tolist())
    strata = strata_of(labels, classes.tolist(), units)
    rng = np.random.default_rng(how.seed)
    weights = bootstrap_weights(strata, how.draws, rng, units)
    scopes = {str(name): classes == name for name in np.unique(classes)}
    scopes["pooled"] = np.ones(len(labels), dtype=bool)
    drawn = {
        scope: (taken, join([weights[:, taken]], [strata[taken]], [units[taken]], rng))
        for scope, taken in scopes.items()
    }
    name = digest([samples.tolist(), strata.tolist(), units.tolist()])
    return _Draws(name, order, drawn)


def _images(scores: ImageScores) -> list[AnyArray]:
    return [scores.samples, scores.classes, scores.labels, scores.groups]


def _digest(arrays: Iterable[AnyArray]) -> str:
    """Digest of arrays; text of another width is another array."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
