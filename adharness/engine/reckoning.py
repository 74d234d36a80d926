"""From counts and measured costs to seconds and bytes. Pure: nothing is read or run here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adharness.contracts.specs import NormalizerSpec
from adharness.engine.growth import Span
from adharness.engine.method_trials import MethodCosts
from adharness.engine.scored_maps import KEPT_BYTES
from adharness.engine.trial_judge import JUDGED_SIDE, JudgeCosts
from adharness.engine.workload import Workload
from adharness.metrics import find_metric
from adharness.metrics.evaluate import MEMORY_MB
from adharness.plan import Plan

ROUGH = 2.0
"""The judge was timed on made-up maps: real ones have other ties and other regions."""
UNSEEN_MEMORY = 2.0
"""Libraries hold copies of their own, which are not seen."""
CELL_BYTES, CELL_IMAGE_BYTES = 85_000, 450
"""Records and the page of a cell; and the names, labels, scores of an image. As on quickstart."""


@dataclass(eq=False)
class Judges:
    """What judging one row takes, without maps and with maps of `JUDGED_SIDE` pixels a side.

    Parameters
    ----------
    pixels
        Of an image of each data set.
    """

    plain: JudgeCosts | None = None
    drawn: JudgeCosts | None = None
    pixels: dict[str, int] = field(default_factory=dict)

    def costs(self, dataset: str, *, maps: bool) -> JudgeCosts | None:
        """Give the costs for a data set's images."""
        if not maps or self.drawn is None:
            return self.plain
        return self.drawn.scaled(self.pixels.get(dataset, JUDGED_SIDE**2) / JUDGED_SIDE**2)


def fit_and_score(work: Workload, methods: Mapping[str, MethodCosts]) -> Span:
    """Seconds to fit every model and to score its images; of the methods that were tried."""
    fits = (
        methods[method].fit_s.at(size)
        for (_, method, _, _), size in work.fits.items()
        if method in methods and size
    )
    return Span.sum([*fits, *(span for _, span in _scorings(work, methods))])


def of_method(work: Workload, name: str, costs: MethodCosts) -> tuple[int, Span, Span]:
    """Tell of one method: how many models, the seconds to fit them, and to score with them."""
    sizes = [size for (_, method, _, _), size in work.fits.items() if method == name and size]
    scored = _scorings(work, {name: costs})
    return len(sizes), Span.sum(map(costs.fit_s.at, sizes)), Span.sum(span for _, span in scored)


def _scorings(work: Workload, methods: Mapping[str, MethodCosts]) -> Iterable[tuple[str, Span]]:
    for (_, method, _, _), (size, images) in work.scorings.items():
        if method in methods and size:
            yield method, methods[method].score_s.at(size).times(images)


def judging(plan: Plan, work: Workload, methods: Mapping[str, MethodCosts], judges: Judges) -> Span:
    """Seconds to judge every cell; of the methods that were tried."""
    keeps = {bound.name: _keeps(bound.component.spec) for bound in plan.suite.normalizers}
    total = 0.0
    for dataset, method, *_ in work.rankings:
        costs, rows = _costs(dataset, method, methods, judges), work.rows[dataset]
        if costs:
            total += costs.drawn.at(rows.pooled) + sum(map(costs.order.at, rows.images))
    for (dataset, method, _, normalizer, _), cells in work.sharing.items():
        costs, rows = _costs(dataset, method, methods, judges), work.rows[dataset]
        if costs is None:
            continue
        every = [*rows.images, rows.pooled]
        total += costs.order.at(rows.pooled) + sum(map(costs.scale.at, every))
        if not keeps[normalizer]:
            total += sum(map(costs.order.at, rows.images))
        total += cells * sum(map(costs.decided.at, every))
    return Span.about(total, off=ROUGH)


def _costs(
    dataset: str, method: str, methods: Mapping[str, MethodCosts], judges: Judges
) -> JudgeCosts | None:
    if method not in methods:
        return None
    return judges.costs(dataset, maps=methods[method].map_grid is not None)


def _keeps(spec: object) -> bool:
    return isinstance(spec, NormalizerSpec) and spec.keeps_class_order


def peak_memory(
    work: Workload, methods: Mapping[str, MethodCosts], held: int, pixels: Mapping[str, int]
) -> Span:
    """Bytes at the peak: what is held already, and the largest model or the maps of one method."""
    fits = [
        methods[method].memory.at(size)
        for (_, method, _, _), size in work.fits.items()
        if method in methods and size
    ]
    fitted = Span.largest(fits)
    fitted = Span(fitted.low, fitted.likely, fitted.high * UNSEEN_MEMORY)
    maps = [4 * pixels.get(name, 0) * rows.pooled for name, rows in work.rows.items()]
    drawn = max(
        (min(size, KEPT_BYTES) + min(2 * size, MEMORY_MB * 2**20) for size in maps), default=0
    )
    judged = Span.about(drawn, off=ROUGH) if methods else Span()
    return Span(held, held, held) + Span.largest([fitted, judged])


def stored_bytes(plan: Plan, work: Workload, methods: Mapping[str, MethodCosts]) -> Span:
    """Bytes of scores, maps, replicates, records and the page."""
    grids = {name: c.map_grid[0] * c.map_grid[1] for name, c in methods.items() if c.map_grid}
    total = sum(n * (4 * grids.get(key[1], 0) + 150) for key, (_, n) in work.scorings.items())
    for dataset, method, *_ in work.sharing:
        images = work.rows[dataset]
        total += images.pooled * (4 * grids.get(method, 0) + 150)
        if method in grids:
            total += _replicate_bytes(plan, len(images.images) + 1, images.pooled)
    for dataset, cells in work.cells.items():
        total += cells * (CELL_BYTES + CELL_IMAGE_BYTES * work.rows[dataset].pooled)
    return Span.about(total, off=ROUGH)


def _replicate_bytes(plan: Plan, rows: int, images: int) -> int:
    specs = [find_metric(name) for name in plan.suite.metrics]
    drawn = sum(spec.level != "image" and spec.dialect is None for spec in specs)
    return 4 * rows * drawn * (plan.suite.statistics.bootstrap + images)
