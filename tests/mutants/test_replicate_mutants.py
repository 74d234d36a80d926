"""Changes to the resampling of pixels, each of which a named property must notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from adharness.arrays import AnyArray
from adharness.statistics import (
    draw,
    knots,
    pixel_bootstrap,
    resample_pixels,
    weighted_pixels,
)
from adharness.statistics.weighted_pixels import WeightedSums
from pixel_cases import build
from replicate_cases import draws, literal, smooth_world

NAMES = ["pixel_auroc", "pixel_ap", "region_aupro_30"]


# --- properties -----------------------------------------------------------------------------


def replicates_are_the_metric_of_the_images_as_often_as_drawn() -> bool:
    return all(_as_drawn(build(seed)) for seed in (1, 2, 3, 4))


def _as_drawn(case: object) -> bool:
    names = [*NAMES, "pixel_auroc_anomalous", "region_spro_05"]
    weights = draws(case)
    found = resample_pixels(case.regions, case.maps, names, weights)
    expected = [literal(case.regions, case.maps, names, weight) for weight in weights]
    return all(
        np.allclose(found[n].replicates, [e[n] for e in expected], atol=1e-9, equal_nan=True)
        for n in names
    )


def replicates_lie_around_the_value() -> bool:
    """Weights of one, with few knots, give the value itself."""
    masks, maps = smooth_world(3, images=8, size=48)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knots, "ENTRIES", 8 * 30)
        found = resample_pixels(masks, maps, NAMES, np.ones((1, 8), np.int64))
    return all(abs(one.replicates[0] - one.value.value) < 1e-12 for one in found.values())


def intervals_cover_the_truth() -> bool:
    """In nine of ten data sets or more: a 95 % interval that misses so often is none.

    Pixels of one image rise and fall together, so there are far fewer of them than it seems.
    """
    rng = np.random.default_rng(12)
    truth = _auroc(*_population(rng, 3000))
    covered = 0
    for _ in range(100):
        masks, maps = _population(rng, 40)
        sampling = draw(np.arange(40) % 2, 100, rng)
        found = resample_pixels(masks, maps, ["pixel_auroc"], sampling.weights)
        low, high = sampling.read(found["pixel_auroc"].replicates).interval()
        covered += low <= truth <= high
    return covered >= 88


def _population(rng: np.random.Generator, images: int) -> tuple[list[AnyArray | None], AnyArray]:
    """Images of 4 x 4 pixels with an offset each; every other one has four defective pixels."""
    maps = rng.normal(size=(images, 4, 4)) + rng.normal(size=(images, 1, 1))
    mask = np.zeros((4, 4), bool)
    mask[1:3, 1:3] = True
    maps[1::2] += 1.0 * mask
    return [mask if i % 2 else None for i in range(images)], maps.astype(np.float32)


def _auroc(masks: list[AnyArray | None], maps: AnyArray) -> float:
    chosen = np.ones((1, len(maps)), np.int64)
    return resample_pixels(masks, maps, ["pixel_auroc"], chosen)["pixel_auroc"].value.value


# --- mutants --------------------------------------------------------------------------------


def _normals_once(self: WeightedSums) -> AnyArray:
    """The normal pixels are not drawn."""
    return np.ones_like(self._weights) @ self._counts.normal


def _anomalous_once(self: WeightedSums) -> AnyArray:
    return np.ones_like(self._weights) @ self._counts.anomalous


def _regions_once(self: WeightedSums) -> dict[str, AnyArray]:
    """The number of regions is that of the images as they are."""
    ones = np.ones_like(self._weights)
    return {kind: ones @ regions for kind, regions in self._counts.regions.items()}


def _all_beside(self: WeightedSums) -> AnyArray:
    """Normal pixels of good images count among those of anomalous ones."""
    return self._weights @ self._counts.normal


def _at_for_above(at: AnyArray) -> AnyArray:
    """A tie enters before itself."""
    return at


def _unmoved(specs, values, counts, weights):
    """What the knots do to the value is left in the replicates."""
    return WeightedSums(counts, weights).values(specs)


def _pixels_of_their_own(specs, values, counts, weights):
    """Pixels are drawn as if each were an image: intervals far too narrow."""
    rng = np.random.default_rng(0)
    gains = {name: np.diff(getattr(counts, name).sum(axis=0), prepend=0)
             for name in ("anomalous", "normal")}  # fmt: skip
    drawn = {
        name: np.cumsum(rng.multinomial(int(of.sum()), of / of.sum(), len(weights)), axis=1)
        for name, of in gains.items()
    }
    alone = replace(counts, **{name: of.astype(float) for name, of in drawn.items()})
    return WeightedSums(alone, np.eye(len(weights), dtype=np.int64)).values(specs)


def _inclusive(below: Callable[..., AnyArray]) -> Callable[..., AnyArray]:
    return lambda scores, image: below(np.nextafter(scores, np.float32(np.inf)), image)


class _Constant:
    """A property that is worked out once; here from a function of the mutant."""

    def __init__(self, find: Callable[[WeightedSums], object]) -> None:
        self._find = find

    def __get__(self, sums: WeightedSums, _: type) -> object:
        return self._find(sums)


@dataclass(frozen=True)
class Trial:
    """A place in the code, what stands there in the mutant, and what must notice."""

    holds: Callable[[], bool]
    owner: object
    name: str
    mutant: object


AS_DRAWN = replicates_are_the_metric_of_the_images_as_often_as_drawn
TRIALS = [
    Trial(AS_DRAWN, WeightedSums, "normal", _Constant(_normals_once)),
    Trial(AS_DRAWN, WeightedSums, "anomalous", _Constant(_anomalous_once)),
    Trial(AS_DRAWN, WeightedSums, "regions", _Constant(_regions_once)),
    Trial(AS_DRAWN, WeightedSums, "beside", _Constant(_all_beside)),
    Trial(AS_DRAWN, weighted_pixels, "_before", _at_for_above),
    Trial(AS_DRAWN, knots, "_normals_at", _inclusive(knots._normals_at)),
    Trial(replicates_lie_around_the_value, pixel_bootstrap, "_replicates", _unmoved),
    Trial(intervals_cover_the_truth, pixel_bootstrap, "_replicates", _pixels_of_their_own),
]


@pytest.mark.parametrize(
    "holds", dict.fromkeys(trial.holds for trial in TRIALS), ids=lambda h: h.__name__
)
def test_the_property_holds_for_our_own_code(holds):
    assert holds()


@pytest.mark.parametrize(
    "trial", TRIALS, ids=[getattr(t.mutant, "__name__", t.name) for t in TRIALS]
)
def test_the_property_rejects_the_mutant(trial, monkeypatch):
    monkeypatch.setattr(trial.owner, trial.name, trial.mutant)
    assert not trial.holds()
