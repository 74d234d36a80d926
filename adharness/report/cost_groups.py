"""What a figure of costs compares, and which methods no other one beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from adharness.report.costs import AXES, mean_cost
from adharness.report.leaderboard import Leaderboard, Standing
from adharness.store.records import CellRecord

DIGITS = 5


def pareto_front(costs: Sequence[float | None], values: Sequence[float]) -> list[int]:
    """Find what no other one beats: none costs less and is as good, or costs as much and is better.

    Parameters
    ----------
    costs
        Lower is better; None takes no part.
    values
        Higher is better.

    Returns
    -------
    list of int
        Places in ascending order of cost. Equals in both are all on the front.
    """
    known = sorted(((cost, -values[at], at) for at, cost in enumerate(costs) if cost is not None))
    front: list[int] = []
    best: tuple[float, float] | None = None
    for cost, worse, at in known:
        if best is None or worse < best[1] or (cost, worse) == best:
            best = (cost, worse)
            front.append(at)
    return front


@dataclass(frozen=True)
class CostGroup:
    """What is compared in one figure: methods of a data set and protocol that were judged alike.

    A normalizer changes the quality of a method and not what its models cost; where every one gives
    each method the same quality, the first stands for all.
    """

    dataset: str
    protocol: str
    apart: str
    cells: Mapping[str, Sequence[CellRecord]]
    """All of a method's, of whatever normalizer and thresholder."""
    standings: Mapping[str, Mapping[str, Standing]]
    """By normalizer and method."""

    @property
    def methods(self) -> list[str]:
        """Those that have costs and a number, in the order of the board."""
        return list(self.cells)

    @cached_property
    def alike(self) -> bool:
        """Whether the normalizer changes nothing."""
        numbers = [
            {m: (s.headline.value, values_of(s), is_bound(s)) for m, s in found.items()}
            for found in self.standings.values()
        ]
        return all(one == numbers[0] for one in numbers)

    @property
    def shown(self) -> dict[str, Mapping[str, Standing]]:
        """The normalizers that differ."""
        return dict(list(self.standings.items())[: 1 if self.alike else None])

    @cached_property
    def costs(self) -> list[list[float | None]]:
        """Each of `AXES` of each method."""
        return [[mean_cost(self.cells[m], axis.of) for axis in AXES] for m in self.methods]

    @cached_property
    def fronts(self) -> dict[str, list[list[int]]]:
        """Give under each normalizer the front of each axis, by places of the methods.

        What knows the class that its protocol hides cannot be had at any cost: it stands apart.
        """
        return {name: self._fronts(standings) for name, standings in self.shown.items()}

    def _fronts(self, standings: Mapping[str, Standing]) -> list[list[int]]:
        found = [standings.get(method) for method in self.methods]
        values = [(s.headline.value if s else None) or 0.0 for s in found]
        fair = [s is not None and not is_bound(s) for s in found]
        return [
            pareto_front([c[at] if ok else None for c, ok in zip(self.costs, fair, strict=True)],
                         values)
            for at in range(len(AXES))
        ]  # fmt: skip


def cost_groups(board: Leaderboard) -> list[CostGroup]:
    """Group the methods that have a cost and a number.

    The headline needs no threshold: lines that differ in the thresholder alone are one, the first.
    """
    cells: dict[tuple[str, ...], dict[str, list[CellRecord]]] = {}
    standings: dict[tuple[str, ...], dict[str, dict[str, Standing]]] = {}
    for one in board.standings:
        group = one.group
        if one.headline.value is not None and any(c.costs for c in one.cells):
            key = (group.dataset, group.protocol, group.apart)
            cells.setdefault(key, {}).setdefault(one.method, []).extend(one.cells)
            of = standings.setdefault(key, {}).setdefault(group.normalizer, {})
            of.setdefault(one.method, one)
    return [
        CostGroup(dataset, protocol, apart, cells[dataset, protocol, apart], found)
        for (dataset, protocol, apart), found in standings.items()
    ]


def values_of(standing: Standing) -> tuple[float | None, ...]:
    """Give the headline of a standing and the ends of its interval or spread, as it is drawn."""
    score = standing.headline
    return tuple(map(_share, (score.value, *(score.spread or (score.low, score.high)))))


def is_bound(standing: Standing) -> bool:
    """Whether it is an upper bound: told what its protocol hides."""
    return any(cell.class_oracle for cell in standing.cells)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
