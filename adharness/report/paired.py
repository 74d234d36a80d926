"""Intervals of the difference of two cells that judged the same images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from adharness.report.image_draws import ImageDraws, Key
from adharness.report.image_draws import Resampling as Resampling
from adharness.report.leaderboard import headline_class
from adharness.report.reading import ImageScores, PixelReplicates
from adharness.statistics import Drawn, MacroKind, macro_mean
from adharness.store.records import CellRecord

HEADLINE = "headline"
"""The scope that compares each protocol's own headline number: macro minus macro or pooled."""

Intervals = Mapping[tuple[str, str], tuple[float, float]]
"""Metric and scope (a class name, `macro`, `pooled` or `headline`) -> low, high."""
Resample = Callable[[CellRecord, CellRecord], Intervals]
"""Paired bootstrap, first cell minus second; without the metrics for which it can't be done."""

KEPT_CELLS = 16
"""Cells whose replicates are kept, all metrics of all classes: of 1,000 draws some MB each."""


@dataclass(frozen=True, slots=True, eq=False)
class Single:
    """One statistic of a cell. Those of equal `draws` are paired."""

    draws: str
    drawn: Drawn


@dataclass(frozen=True, slots=True)
class _Replicates:
    """Of one cell: what was drawn, and its statistics; those of equal draws are paired."""

    draws: str
    values: Mapping[Key, Drawn]


class Resampler:
    """The paired bootstrap over the images that two cells share.

    Parameters
    ----------
    read
        Gives the image scores of a cell.
    metrics
        Ids of the image level.
    how
        How images are drawn again.
    stored
        Gives the replicates of a cell's pixel and region metrics, which the judge drew: they need
        the maps.

    Notes
    -----
    Images are drawn within class and label, views of one object together, so no draw lacks one of
    them. The thresholds stay.
    """

    def __init__(
        self,
        read: Callable[[CellRecord], ImageScores | None],
        metrics: Sequence[str],
        how: Resampling,
        stored: Callable[[CellRecord], PixelReplicates | None] = lambda _: None,
    ) -> None:
        self._read, self.how, self._stored = read, how, stored
        self._draws = ImageDraws(metrics, how)
        self._known: dict[str, list[_Replicates]] = {}
        self._singles: dict[tuple[str, Key], Single | None] = {}
        self._alike: dict[tuple[str, Key], Single | None] = {}

    def intervals(self, first: CellRecord, second: CellRecord) -> Intervals:
        """Interval of first minus second, of all metrics and scopes."""
        headline = headline_class(second.protocol)
        drawn = {
            key: one
            for mine, theirs in self._pairs(first, second)
            for key, one in _differences(mine, theirs, headline).items()
        }
        how = self.how
        found = {key: one.interval(how.level, how.interval) for key, one in drawn.items()}
        return {key: ends for key, ends in found.items() if np.isfinite(ends).all()}

    def single(self, cell: CellRecord, key: Key) -> Single | None:
        """One image metric and scope of a cell; None where it can't be drawn.

        Made once for a cell, and once for cells of equal scores: the same object.
        """
        if (cell.id, key) not in self._singles:
            scores = self._read(cell) if self.how.draws > 0 else None
            self._singles[cell.id, key] = None if scores is None else self._shared(scores, key)
        return self._singles[cell.id, key]

    def of(self, cell: CellRecord, key: Key) -> Drawn | None:
        """One image metric and scope of a cell; None where it can't be drawn."""
        found = self.single(cell, key)
        return None if found is None else found.drawn

    def _shared(self, scores: ImageScores, key: Key) -> Single | None:
        content = self._draws.content(scores), key
        if content not in self._alike:
            found = self._of_images(scores)
            drawn = found.values.get(key)
            self._alike[content] = None if drawn is None else Single(found.draws, drawn)
        return self._alike[content]

    def _pairs(
        self, first: CellRecord, second: CellRecord
    ) -> Iterator[tuple[_Replicates, _Replicates]]:
        for mine, theirs in product(self._replicated(first), self._replicated(second)):
            if mine.draws == theirs.draws:
                yield mine, theirs

    def _replicated(self, cell: CellRecord) -> list[_Replicates]:
        """Give all of a cell; of the cells of before only some are kept, for they are large."""
        if self.how.draws < 1:
            return []
        if cell.id not in self._known:
            while len(self._known) >= KEPT_CELLS:
                del self._known[next(iter(self._known))]  # the oldest
            scores, pixels = self._read(cell), self._stored(cell)
            found = [self._of_images(scores)] if scores else []
            found += [_of_pixels(pixels, self.how)] if pixels else []
            self._known[cell.id] = found
        return self._known[cell.id]

    def _of_images(self, scores: ImageScores) -> _Replicates:
        draws, values = self._draws.replicates(scores)
        return _Replicates(f"images {draws}", _with_macro(values, self.how.macro))


def _of_pixels(pixels: PixelReplicates, how: Resampling) -> _Replicates:
    return _Replicates(pixels.draws, _with_macro(pixels.values, how.macro))


def _with_macro(values: Mapping[Key, Drawn], macro: MacroKind) -> dict[Key, Drawn]:
    """Add the mean over the classes that are there; where one failed, no gap is shown."""
    found = dict(values)
    for metric in dict.fromkeys(metric for metric, _ in values):
        of_classes = [v for (m, scope), v in values.items() if m == metric and scope != "pooled"]
        if of_classes:
            found[metric, "macro"] = macro_mean(of_classes, macro)
    return found


def _differences(first: _Replicates, second: _Replicates, headline: str) -> dict[Key, Drawn]:
    mine, theirs = first.values, second.values
    found = {key: mine[key].minus(theirs[key]) for key in mine.keys() & theirs.keys()}
    for metric, scope in mine:
        if scope == "macro" and (metric, headline) in theirs:
            found[metric, HEADLINE] = _unlike(mine[metric, "macro"], theirs[metric, headline])
    return found


def _unlike(macro: Drawn, headline: Drawn) -> Drawn:
    """Difference of a macro and a pooled number: their images are left out in other rows."""
    if len(macro.influence) == len(headline.influence):
        return macro.minus(headline)
    none = np.zeros(0), np.zeros(0, np.int64)
    return Drawn(macro.estimate, macro.replicates, *none).minus(
        Drawn(headline.estimate, headline.replicates, *none)
    )
