"""Type-checked, never run: a component of each kind, written against the public names alone.

What a plugin author's own type checker sees must not change unnoticed, so that each role is filled
here by a class that inherits nothing, and each hook yields its record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_type

import numpy as np
from pydantic import Field

from adharness import (
    SETTING,
    Bag,
    Bank,
    BankSpec,
    Calibration,
    ContentHash,
    DataError,
    Dataset,
    DatasetSpec,
    Extractor,
    ExtractorSpec,
    FeatureGrid,
    FeatureSet,
    FittedNormalizer,
    FittedScorer,
    ImageContext,
    Informative,
    Licence,
    Memory,
    MemoryKind,
    Normalizer,
    NormalizerSpec,
    Params,
    Pixels,
    Preprocess,
    Restoring,
    Sample,
    Scorer,
    ScorerSpec,
    Scores,
    Storable,
    Threshold,
    Thresholder,
    ThresholderSpec,
    check_pixel_query,
    check_pixels,
    check_query,
    hookimpl,
)
from adharness.arrays import AnyArray, Float32, Float64, UInt8


class TilesParams(Params):
    """Where tiles lie."""

    root: str | None = Field(None, json_schema_extra=SETTING)


class Tiles:
    """A data set."""

    def __init__(self, params: TilesParams) -> None:
        self.params = params

    @property
    def licence(self) -> Licence:
        return Licence("CC0", show_pixels=True)

    def samples(self) -> list[Sample]:
        if self.params.root is None:
            raise DataError("no root is set", hint="--data-root FOLDER", where="tiles")
        return [Sample(path="a.png", class_name="tile", portion="train", label=0)]

    def fingerprint(self, sample: Sample) -> ContentHash:
        return ContentHash(image=sample.path, mask=None)

    def image(self, sample: Sample) -> UInt8:
        return np.zeros((4, 4, 3), np.uint8)

    def mask(self, sample: Sample) -> None:
        return None


class Means:
    """An extractor."""

    preprocess = Preprocess(height=32, width=32)

    def fingerprint(self) -> str:
        return "means-1"

    def extract(self, images: UInt8) -> FeatureGrid:
        assert_type(images, UInt8)
        return FeatureGrid(patches=images[:, ::8, ::8].astype(np.float32))


class First:
    """A bank."""

    def reduce(self, features: FeatureSet, rng: np.random.Generator) -> Memory:
        assert_type(features.grid, tuple[int, int])
        chosen = np.sort(rng.permutation(features.count)[:10])
        rows = features.rows(chosen)
        assert_type(rows, Float32)
        for batch in features.batches(8):
            assert_type(batch, FeatureGrid)
            assert_type(batch.embeddings, Float32 | None)
        return Bag(rows=rows, images=chosen)


class FittedDistance:
    """A fitted scorer, which says something of its fit and can be stored."""

    def __init__(self, centre: Float32) -> None:
        self.centre = centre

    def score(self, features: FeatureGrid) -> Scores:
        check_query(features, self.centre.shape[0])
        away = np.linalg.norm(features.patches - self.centre, axis=-1)
        return Scores(patches=away.astype(np.float32))

    def facts(self) -> dict[str, float]:
        return {"norm": float(np.linalg.norm(self.centre))}

    def state(self) -> Mapping[str, AnyArray]:
        return {"centre": self.centre}


class Distance:
    """A scorer."""

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedDistance:
        assert_type(memory.kind, MemoryKind)
        if memory.kind != "bag":
            raise TypeError(memory.kind)
        assert_type(memory, Bag)
        return FittedDistance(memory.rows.mean(axis=0))

    def restore(self, state: Mapping[str, AnyArray]) -> FittedDistance:
        return FittedDistance(state["centre"])


class FittedAverage:
    """Fitted on images themselves, not on features."""

    def __init__(self, mean: Float32) -> None:
        self.mean = mean

    def score(self, features: FeatureGrid) -> Scores:
        pixels = check_pixel_query(features, (32, 32))
        assert_type(pixels, Float32)
        return Scores(patches=np.abs(pixels - self.mean).mean(axis=-1))


class Average:
    """A scorer that is trained on images."""

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedAverage:
        pixels = check_pixels(memory, scorer="average")
        assert_type(pixels, Pixels)
        return FittedAverage(next(pixels.features.batches(4)).patches.mean(axis=0))


class FittedShift:
    """A fitted normalizer."""

    def __init__(self, middle: float) -> None:
        self.middle = middle

    def apply(self, values: Float64, context: ImageContext) -> Float64:
        assert_type(context.classes, Sequence[str] | None)
        return values - self.middle


class Shift:
    """A normalizer."""

    def fit(self, calibration: Calibration) -> FittedShift:
        assert_type(calibration.scores, Float64)
        return FittedShift(float(np.median(calibration.scores)))


class Highest:
    """A thresholder."""

    def threshold(self, calibration: Calibration) -> Threshold:
        return Threshold(value=float(calibration.scores.max()), normals=1, anomalies=0)


ROLES: tuple[Dataset, Extractor, Bank, Scorer, Normalizer, Thresholder] = (
    *(Tiles(TilesParams()), Means(), First(), Distance(), Shift(), Highest()),
)
FITTED: tuple[FittedScorer, FittedNormalizer] = (
    FittedDistance(np.zeros(3, "f4")),
    FittedShift(0.0),
)
STORED: tuple[Storable, Restoring, Informative] = (
    *(FittedDistance(np.zeros(3, "f4")), Distance(), FittedDistance(np.zeros(3, "f4"))),
)


@hookimpl
def adharness_datasets() -> Iterator[DatasetSpec]:
    yield DatasetSpec(name="tiles", params=TilesParams, make=Tiles, summary="Tiles.")


@hookimpl
def adharness_extractors() -> Iterator[ExtractorSpec]:
    yield ExtractorSpec(name="means", params=Params, make=lambda _: Means(), summary="Means.")


@hookimpl
def adharness_banks() -> Iterator[BankSpec]:
    yield BankSpec(
        name="first", params=Params, make=lambda _: First(), emits="bag", summary="Some rows."
    )


@hookimpl
def adharness_scorers() -> Iterator[ScorerSpec]:
    yield ScorerSpec(
        name="distance",
        params=Params,
        make=lambda _: Distance(),
        needs=("bag", "images"),
        deterministic=True,
        summary="Distance to the mean.",
        source="nowhere",
    )
    yield ScorerSpec(
        name="average",
        params=Params,
        make=lambda _: Average(),
        needs="pixels",
        summary="Distance to the mean image.",
    )


@hookimpl
def adharness_normalizers() -> Iterator[NormalizerSpec]:
    yield NormalizerSpec(
        name="shift",
        params=Params,
        make=lambda _: Shift(),
        summary="Less the median.",
        needs_class=lambda _: "at-fit",
        keeps_class_order=True,
    )


@hookimpl
def adharness_thresholders() -> Iterator[ThresholderSpec]:
    yield ThresholderSpec(
        name="highest", params=Params, make=lambda _: Highest(), summary="The highest."
    )


def what_the_hooks_give() -> None:
    assert_type(next(adharness_scorers()), ScorerSpec)
    assert_type(next(adharness_scorers()).accepts, tuple[MemoryKind, ...])
    assert_type(next(adharness_datasets()).make(TilesParams()), Dataset)
    assert_type(next(adharness_banks()).make(Params()), Bank)
    assert_type(next(adharness_normalizers()).make(Params()), Normalizer)
    assert_type(next(adharness_banks()).emits, MemoryKind)
