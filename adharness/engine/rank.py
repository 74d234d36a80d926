"""Metrics that need no threshold, measured once for each ranking that really differs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from adharness.arrays import Int64
from adharness.contracts import FittedNormalizer
from adharness.engine.family import Family
from adharness.engine.gather import Gathered
from adharness.engine.judge import POOLED, Measured, Referee, Table
from adharness.engine.scored_maps import ScoredMaps


@dataclass(frozen=True, eq=False)
class Rankings:
    """The rankings of one method's raw scores, shared by protocols and normalizers.

    A row is measured on the raw scores where the normalizer cannot change its order. Else it is
    measured on the normalized ones, and once for fitted normalizers that compare equal.
    """

    referee: Referee
    gathered: Gathered
    _measured: dict[tuple[str, Hashable], dict[str, Measured]] = field(default_factory=dict)

    def table(self, family: Family, *, keeps_class_order: bool) -> Table:
        """Measure every row of a family."""
        if not family.parts:
            return {}
        rows = family.test_rows()
        positions = self.gathered.positions[rows]
        return {
            row: self._row(row, rows, chosen, family, raw=keeps_class_order and row != POOLED)
            for row, chosen in self.referee.rows_of(positions).items()
        }

    def _row(
        self, row: str, rows: Int64, chosen: Int64, family: Family, *, raw: bool
    ) -> dict[str, Measured]:
        normalizers, contexts = family.transforms()
        mine = [normalizers[i] for i in chosen]
        shown = contexts[0].classes is not None
        key = (row, "raw" if raw else (_shared(mine), shown))
        if key not in self._measured:
            here = rows[chosen]
            maps = None
            if self.gathered.maps is not None:
                of_images = (None, ()) if raw else (mine, [contexts[i] for i in chosen])
                maps = ScoredMaps(self.gathered.maps, here, *of_images)
            scores = self.gathered.raw[here] if raw else family.test_scores()[chosen]
            positions = self.gathered.positions[here]
            self._measured[key] = self.referee.ranking(row, positions, scores, maps)
        return self._measured[key]


def _shared(normalizers: Sequence[FittedNormalizer]) -> Hashable:
    """Find the one transform that all images go through, or a key that nothing else equals."""
    first = normalizers[0]
    try:
        hash(first)
    except TypeError:  # holds arrays or a dict, so `==` may mean anything
        return object()
    return first if all(other == first for other in normalizers) else object()
