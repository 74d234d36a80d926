"""The floor: what a method must beat, in numpy alone. Registered through core's own entry point."""

from __future__ import annotations

from collections.abc import Iterator

from adharness.baselines.banks import (
    AllBank,
    AllParams,
    GridBank,
    GridParams,
    ImagesBank,
    ImagesParams,
    PixelsBank,
    PixelsParams,
    RandomBank,
    RandomParams,
)
from adharness.baselines.mean_image import MeanImage, MeanImageParams
from adharness.baselines.pixel_images import PixelImages, PixelImagesParams
from adharness.baselines.pixel_patches import PixelPatches, PixelPatchesParams
from adharness.baselines.random_scores import RandomScorer, RandomScoresParams
from adharness.contracts import BankSpec, ExtractorSpec, ScorerSpec
from adharness.hooks import hookimpl
from adharness.sampling import balances_classes


@hookimpl
def adharness_extractors() -> Iterator[ExtractorSpec]:
    """Yield the extractor that learnt nothing, and the one that hands on the images."""
    yield ExtractorSpec(
        name="pixel-patches",
        params=PixelPatchesParams,
        make=PixelPatches,
        summary="Mean and standard deviation of the colours in each square patch.",
    )
    yield ExtractorSpec(
        name="pixels",
        params=PixelImagesParams,
        make=PixelImages,
        gives="pixels",
        summary="The images themselves, for models trained end to end.",
    )


@hookimpl
def adharness_banks() -> Iterator[BankSpec]:
    """Yield the banks that need no method: everything, some of it, in place, or images alone."""
    yield BankSpec(
        name="all",
        params=AllParams,
        make=AllBank,
        emits="bag",
        examples=({}, {"shots": 2, "rotations": 4}),
        summary="Every patch of every training image.",
    )
    yield BankSpec(
        name="random",
        params=RandomParams,
        make=RandomBank,
        emits="bag",
        needs_class=balances_classes,
        examples=({}, {"balance": "class"}),
        summary="Patches drawn at random without replacement, whatever their image.",
    )
    yield BankSpec(
        name="grid",
        params=GridParams,
        make=GridBank,
        emits="grid",
        summary="All patches with their place kept, for models of each position.",
    )
    yield BankSpec(
        name="images",
        params=ImagesParams,
        make=ImagesBank,
        emits="images",
        summary="One embedding a training image.",
    )
    yield BankSpec(
        name="pixels",
        params=PixelsParams,
        make=PixelsBank,
        emits="pixels",
        summary="The training images themselves, for models trained end to end.",
    )


@hookimpl
def adharness_scorers() -> Iterator[ScorerSpec]:
    """Yield the scorers that every method must beat, and every one that is trained on images."""
    yield ScorerSpec(
        name="random-scores",
        params=RandomScoresParams,
        make=RandomScorer,
        needs=("bag", "grid", "images", "pixels"),
        deterministic=False,
        summary="Uniform random scores that depend on the image and the seed alone.",
        exempt={
            "scores-anomalies-higher": "It is the floor: it knows nothing of what is normal.",
            "refuses-what-is-not-finite": "Of a grid it reads the vectors' length, and no value.",
            "refuses-an-empty-memory": "Of a grid it reads the vectors' length, and no image.",
            "refuses-images-of-another-size": "It draws for the bytes of any image.",
        },
    )
    yield ScorerSpec(
        name="mean-image",
        params=MeanImageParams,
        make=MeanImage,
        needs="pixels",
        summary="Distance of each block of pixels from its mean over the training images.",
        source="a Gaussian a pixel and colour, as old as golden-template inspection; a floor",
    )
