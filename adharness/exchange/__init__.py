"""What was made elsewhere, let in: features, maps, scores; and the files others want, let out."""

from __future__ import annotations

from collections.abc import Iterator

from adharness.contracts import BankSpec, ExtractorSpec, ScorerSpec
from adharness.exchange.imported import ImportedParams, ImportedScores, trains_per_class
from adharness.exchange.nothing import NoBank, NoFeatures, NoneParams
from adharness.exchange.precomputed import Precomputed, PrecomputedParams
from adharness.hooks import hookimpl


@hookimpl
def adharness_extractors() -> Iterator[ExtractorSpec]:
    """Yield the extractor that reads features, and the one that has none."""
    yield ExtractorSpec(
        name="precomputed",
        params=PrecomputedParams,
        make=Precomputed,
        imported=True,
        summary="Features that lie on disk: an npz and a csv a class; no image is decoded.",
    )
    yield ExtractorSpec(
        name="none",
        params=NoneParams,
        make=NoFeatures,
        imported=True,
        exempt={"invents-nothing": "It gives the same nothing of every image, whatever its name."},
        summary="No features, for scorers that need none.",
    )


@hookimpl
def adharness_banks() -> Iterator[BankSpec]:
    """Yield the bank of scorers that need no memory."""
    yield BankSpec(
        name="none",
        params=NoneParams,
        make=NoBank,
        emits="nothing",
        summary="Remembers nothing, for scorers that need no memory.",
    )


@hookimpl
def adharness_scorers() -> Iterator[ScorerSpec]:
    """Yield the scorer whose outputs lie on disk."""
    yield ScorerSpec(
        name="imported",
        params=ImportedParams,
        make=ImportedScores,
        needs="nothing",
        imported=True,
        trains_per_class=trains_per_class,
        summary="Maps and image scores that lie on disk, made elsewhere; judged as they are.",
    )
