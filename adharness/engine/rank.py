"""Metrics that need no threshold, measured once for each ranking that really differs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from adharness.arrays import Float64, Int64
from adharness.contracts import FittedNormalizer, ImageContext
from adharness.engine.draws import POOLED
from adharness.engine.family import Family
from adharness.engine.gather import Gathered
from adharness.engine.judge import Kind, Referee, Table
from adharness.engine.measured import Measured
from adharness.engine.scored_maps import ScoredMaps

_Key: TypeAlias = tuple[str, Hashable, tuple[Kind, ...]]


@dataclass(frozen=True, eq=False)
class _Ranked:
    """The images of a row, by row of the gathered scores; without normalizers they are raw."""

    key: Hashable
    rows: Int64
    scores: Float64
    normalizers: Sequence[FittedNormalizer] | None = None
    contexts: Sequence[ImageContext] = ()

    def maps(self, gathered: Gathered) -> ScoredMaps | None:
        """Give the maps on the scale of the scores; None where the scorer gives none."""
        if gathered.maps is None:
            return None
        return ScoredMaps(gathered.maps, self.rows, self.normalizers, self.contexts)


@dataclass(frozen=True, eq=False)
class Rankings:
    """The rankings of one method's raw scores, shared by protocols and normalizers.

    A row's order is measured on the raw scores where the normalizer cannot change it. All else is
    measured on the normalized ones, and once for fitted normalizers that compare equal: dialects
    with score steps, which read the scale, and what is decided at a pixel threshold, which was
    fitted on that scale.
    """

    referee: Referee
    gathered: Gathered
    _measured: dict[_Key, dict[str, Measured]] = field(default_factory=dict)

    def table(self, family: Family, *, keeps_class_order: bool) -> Table:
        """Measure every row of a family."""
        if not family.parts:
            return {}
        rows, scores = family.test_rows(), family.test_scores()
        normalizers, contexts = family.transforms()
        shown = any(context.classes is not None for context in contexts[:1])
        table: Table = {}
        for row, chosen in self.referee.rows_of(self.gathered.positions[rows]).items():
            here, mine = rows[chosen], [normalizers[i] for i in chosen]
            transforms = (mine, [contexts[i] for i in chosen])
            own = _Ranked((_shared(mine), shown), here, scores[chosen], *transforms)
            raw = _Ranked("raw", here, self.gathered.raw[here])
            if keeps_class_order and row != POOLED:
                ranked = self._measure(row, raw, "order") | self._measure(row, own, "scale")
            else:
                ranked = self._measure(row, own, "order", "scale")
            table[row] = ranked | self._decide(row, own, chosen, family)
        return table

    def _measure(self, row: str, ranked: _Ranked, *kinds: Kind) -> dict[str, Measured]:
        key = (row, ranked.key, kinds)
        if key not in self._measured:
            maps, positions = ranked.maps(self.gathered), self.gathered.positions[ranked.rows]
            self._measured[key] = self.referee.ranking(
                row, positions, ranked.scores, maps, frozenset(kinds)
            )
        return self._measured[key]

    def _decide(self, row: str, own: _Ranked, chosen: Int64, family: Family) -> dict[str, Measured]:
        """Measure the pixels at the deployed threshold, which no thresholder has a say in."""
        if not self.referee.decides_pixels:
            return {}
        thresholds = family.test_pixel_thresholds()
        mine = None if thresholds is None else thresholds[chosen]
        positions = self.gathered.positions[own.rows]
        return self.referee.pixel_decisions(row, positions, own.maps(self.gathered), mine)


def _shared(normalizers: Sequence[FittedNormalizer]) -> Hashable:
    """Find the one transform that all images go through, or a key that nothing else equals."""
    first = normalizers[0]
    try:
        hash(first)
    except TypeError:  # holds arrays or a dict, so `==` may mean anything
        return object()
    return first if all(other == first for other in normalizers) else object()
