"""Small images with declared regions, on which the properties of pixel metrics are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from adharness.metrics import (
    DIALECTS,
    METRICS,
    DeclaredRegions,
    MetricSpec,
    evaluate_pixels,
    find_metric,
    pimo,
    pixels,
    runs,
    spool,
)
from adharness.metrics.inputs import read_pixels
from adharness.metrics.pixel_values import RankedPixels

SPOKEN = [(metric, name) for name, dialect in DIALECTS.items() for metric in dialect.metrics]
SPOKEN += [("region_aupro", "binned_50"), ("pixel_ap", "binned_50")]
NAMES = [name for name, spec in METRICS.items() if spec.level != "image"]
NAMES += ["region_aupro_100", "region_spro_30"]
NAMES += [f"{m.replace('aupro', 'aupro_30')}@{d}" for m, d in SPOKEN if not m.startswith("image")]
SPECS = {name: find_metric(name) for name in NAMES}
LOWEST, HIGHEST = 0.02, 0.4
"""Bounds of AUPIMO that the rates of an 8 x 8 map can lie between; its own are 1e-5 and 1e-4."""


@dataclass(frozen=True, eq=False)
class Case:
    """Images, the last of them good; scores in steps of 1/8, so that few steps are many ties."""

    regions: Sequence[DeclaredRegions | None]
    maps: Sequence[np.ndarray]
    thresholds: np.ndarray
    seed: int
    in_pieces: bool = False


def _declared(rng: np.random.Generator, shape: tuple[int, ...]) -> DeclaredRegions:
    """Up to three regions that may overlap and fall apart, saturated by a part of them."""
    masks = [rng.random(shape) < rng.choice([0.1, 0.3]) for _ in range(rng.integers(1, 4))]
    for mask in masks:
        mask.flat[0], mask.flat[-1] = True, False
    return DeclaredRegions(masks, [int(rng.integers(1, mask.sum() + 1)) for mask in masks])


def build(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    width, side = int(rng.choice([2, 6, 30])), 24 if seed % 5 == 0 else 8
    shapes = [tuple(rng.integers(2, side + 1, 2)) for _ in range(rng.integers(2, 5))]
    kept = [True, *(rng.random() < 0.7 for _ in shapes[2:]), False]
    regions = [_declared(rng, s) if bad else None for s, bad in zip(shapes, kept, strict=True)]
    maps = [(rng.integers(-width, width + 1, shape) / 8).astype(np.float32) for shape in shapes]
    thresholds = rng.integers(-width - 2, width + 2, len(maps)) / 8
    one = np.full(len(maps), thresholds[0])
    return Case(regions, maps, thresholds if rng.random() < 0.5 else one, seed)


class Lazy(Sequence[np.ndarray]):
    """Maps that exist only while they are read."""

    def __init__(self, maps: Sequence[np.ndarray]) -> None:
        self._maps = maps

    def __len__(self) -> int:
        return len(self._maps)

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        return self._maps[index].copy()


@contextmanager
def tiny_pieces() -> Iterator[Path]:
    """Sizes so small that a map of 8 x 8 outgrows each of them."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(pixels, "BRACKET", 3)
        patch.setattr(spool, "BLOCK", 5)
        patch.setattr(runs, "READ_BLOCK", 2)
        patch.setattr(pimo, "_KEPT_AT_LEAST", 7)
        yield Path(folder)


def _ranked_in_pieces(case: Case, specs: list[MetricSpec]) -> dict[str, float]:
    with tiny_pieces() as folder:
        ranked = RankedPixels(specs, len(case.maps), 200, folder)
        for image in read_pixels(case.regions, Lazy(case.maps)):
            ranked.add(image)
        return {name: value.value for name, value in ranked.values().items()}


def values(case: Case, names: list[str]) -> dict[str, float]:
    ranking = [name for name in names if case.in_pieces and not SPECS[name].at_threshold]
    others = [name for name in names if name not in ranking]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pimo, "LOWEST", LOWEST)
        patch.setattr(pimo, "HIGHEST", HIGHEST)
        patch.setattr(pimo, "_DECADES", np.log(HIGHEST / LOWEST))
        found = evaluate_pixels(case.regions, case.maps, others, threshold=case.thresholds)
        pieces = _ranked_in_pieces(case, [SPECS[name] for name in ranking]) if ranking else {}
    return {name: value.value for name, value in found.items()} | pieces


def mapped(case: Case, change: Callable[[np.ndarray], np.ndarray]) -> Case:
    """Change maps and masks alike; the saturations stay as they are."""
    regions = [r and replace(r, masks=[change(mask) for mask in r.masks]) for r in case.regions]
    return replace(case, regions=regions, maps=[change(scores) for scores in case.maps])


def scored(case: Case, change: Callable[[np.ndarray], np.ndarray]) -> Case:
    return replace(case, maps=[change(scores) for scores in case.maps])


def taken(case: Case, images: Sequence[int]) -> Case:
    regions, maps = [case.regions[i] for i in images], [case.maps[i] for i in images]
    return replace(case, regions=regions, maps=maps, thresholds=case.thresholds[list(images)])


def union(regions: DeclaredRegions | None, scores: np.ndarray) -> np.ndarray:
    return np.any(regions.masks, axis=0) if regions else np.zeros(scores.shape, bool)


def unions(case: Case) -> list[np.ndarray]:
    return [union(r, scores) for r, scores in zip(case.regions, case.maps, strict=True)]


def flat(case: Case) -> tuple[np.ndarray, np.ndarray]:
    labels = np.concatenate([mask.ravel() for mask in unions(case)])
    return labels, np.concatenate([scores.ravel() for scores in case.maps])
