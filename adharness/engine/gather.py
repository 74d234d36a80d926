"""Raw scores of all the models that a family of cells judges, put together by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from adharness.arrays import AnyArray, Float32, Float64, Int64
from adharness.engine.costs import total
from adharness.engine.failures import failure_of
from adharness.engine.group import FeatureGroup
from adharness.engine.image_scores import image_scores
from adharness.engine.looked_up import MapsElsewhere, image_names, imported_scorer
from adharness.engine.meter import warm
from adharness.engine.neighbours import cross_class_share
from adharness.engine.score import ScoringOutcome
from adharness.engine.scored_maps import FoundMaps, NativeMaps, RawMaps
from adharness.engine.survey import Survey
from adharness.errors import StoreError
from adharness.store.folder import RunFolder
from adharness.store.records import Costs, Failure
from adharness.suite.bound import BoundMethod

ROUTING = "routing accuracy"
"""The fact of a routed cell: the share of test images that the right model scored."""


@dataclass(frozen=True, eq=False)
class Gathered:
    """Raw scores of every image that was scored, by ascending position in the survey.

    Parameters
    ----------
    positions : (n,) int64
    raw : (n,) float64
    patches : (n, h, w) float32, optional
    failures
        Classes without scores, or whose masks could not be read, and why.
    image_score
        How `raw` came about, as the board calls it.
    facts
        What the models say of themselves; the lowest of each.
    """

    positions: Int64
    raw: Float64
    patches: Float32 | None
    maps: NativeMaps | None
    failures: Mapping[str, Failure]
    costs: Costs | None
    image_score: str = "scorer's own"
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def map_ms(self) -> float | None:
        """Median time to draw a map so far; None where none was drawn."""
        return warm(self.maps.drawn_ms) if isinstance(self.maps, RawMaps) else None

    def rows(self, positions: Int64) -> Int64:
        """Find the rows of these positions; those without a score are left out."""
        here = positions[np.isin(positions, self.positions)]
        return np.searchsorted(self.positions, here).astype(np.int64)

    def first_failure(self) -> StoreError:
        """Say which class has no scores."""
        name, failure = next(iter(self.failures.items()))
        return StoreError(f"class {name}: {failure.message}", hint=failure.hint)


def gather(
    group: FeatureGroup,
    folder: RunFolder,
    outcomes: Mapping[str | None, ScoringOutcome],
    method: BoundMethod,
    *,
    routed: bool = False,
) -> Gathered:
    """Read the stored scorings of a method; those that failed become failures by class.

    `outcomes` maps the class that a model was trained on, or None for all, to what came of it.
    `routed` tells that images were given to models by a predicted class, and how well is a fact.
    """
    failures = {c: failure_of("judge", error) for c, error in group.truth.broken.items()}
    for trained_on, outcome in outcomes.items():
        if outcome.failure:
            names = group.survey.classes if trained_on is None else (trained_on,)
            failures |= dict.fromkeys(names, outcome.failure)
    done = [outcome for outcome in outcomes.values() if not outcome.failure]
    stored = [folder.scoring_arrays(outcome.id, "scores.npz") for outcome in done]
    positions, order = _positions(group, stored)
    own, patches = (_whole(stored, name, order) for name in ("own", "patches"))
    sizes = [group.sizes[int(i)] for i in positions]
    settings = method.maps
    as_scored: Sequence[Float32] | Float32 | None = patches
    maps: NativeMaps | None = None
    if patches is not None:
        drawing = (settings.smooth_px, settings.upsample, group.margins, group.pad)
        maps = RawMaps(patches, sizes, group.input_size, *drawing)
    elif _whole(stored, "found", order) is not None:
        scorer = imported_scorer(method.scorer)
        assert scorer is not None  # noqa: S101  no other stores sizes of found maps
        as_scored = MapsElsewhere(scorer, image_names(group, positions))
        maps = FoundMaps(as_scored, sizes, settings.upsample)
    raw, label = np.zeros(0), settings.image_score.label
    if stored:
        raw, label = image_scores(settings.image_score, own, as_scored, maps)
    costs = total([outcome.costs for outcome in done if outcome.costs])
    facts = _lowest([outcome.facts for outcome in done])
    facts |= _cross_class(group.survey, positions, _whole(stored, "neighbours", order))
    facts |= _routing(group) if routed and not group.failures else {}
    return Gathered(positions, raw, patches, maps, failures, costs, label, facts)


def _routing(group: FeatureGroup) -> dict[str, float]:
    """Measure the share of test images that are taken for the class they are of."""
    tested = group.survey.portion("test")
    right = group.routed_to[tested] == group.survey.class_numbers(tested)
    return {ROUTING: float(right.mean())} if len(tested) else {}


def _positions(
    group: FeatureGroup, stored: Sequence[Mapping[str, AnyArray]]
) -> tuple[Int64, Int64]:
    """Positions (n,) of all stored images, ascending, and the order that sorts them."""
    place = {sample.path: i for i, sample in enumerate(group.survey.samples)}
    found = [place[path] for arrays in stored for path in arrays["samples"].tolist()]
    positions = np.array(found, dtype=np.int64)
    order = np.argsort(positions, kind="stable")
    return positions[order], order


def _whole(stored: Sequence[Mapping[str, AnyArray]], name: str, order: Int64) -> AnyArray | None:
    """Join an array of all scorings, in order; None where one of them has none."""
    parts = [arrays[name] for arrays in stored if name in arrays]
    return np.concatenate(parts)[order] if parts and len(parts) == len(stored) else None


def _cross_class(survey: Survey, positions: Int64, neighbours: AnyArray | None) -> dict[str, float]:
    """Measure the share of other classes among neighbours, on the normals that were scored."""
    normal = survey.labels(positions) == 0
    if neighbours is None or not normal.any():
        return {}
    classes = survey.class_numbers(positions[normal])
    return {"cross-class neighbours": cross_class_share(neighbours[normal], classes)}


def _lowest(facts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Give the lowest of each fact over the models: of a recall, the worst is the one to show."""
    names = dict.fromkeys(name for told in facts for name in told)
    return {name: min(told[name] for told in facts if name in told) for name in names}
