"""The whole extension surface: six hooks that take nothing and yield records.

A plugin is a distribution with an entry point in the group `adharness` that names a module; the
module implements any of these hooks. Importing it must be cheap: heavy imports belong in `make`.

```toml
[project.entry-points.adharness]
my-scorer = "adharness_my_scorer"
```
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from adharness.contracts.specs import (
    BankSpec,
    DatasetSpec,
    ExtractorSpec,
    NormalizerSpec,
    ScorerSpec,
    ThresholderSpec,
)

GROUP = "adharness"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)
"""Marks a module's function as the implementation of the hook whose name it has."""


@hookspec
def adharness_datasets() -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """Yield data sets.

    >>> @hookimpl
    ... def adharness_datasets():
    ...     yield DatasetSpec(name="tiles", params=TilesParams, make=TilesDataset, summary="...")
    """


@hookspec
def adharness_extractors() -> Iterable[ExtractorSpec]:  # type: ignore[empty-body]
    """Yield feature extractors.

    >>> @hookimpl
    ... def adharness_extractors():
    ...     yield ExtractorSpec(name="pixels", params=PixelParams, make=make_pixels, summary="...")
    """


@hookspec
def adharness_banks() -> Iterable[BankSpec]:  # type: ignore[empty-body]
    """Yield banks.

    >>> @hookimpl
    ... def adharness_banks():
    ...     yield BankSpec(name="all", params=AllParams, make=AllBank, emits="bag", summary="...")
    """


@hookspec
def adharness_scorers() -> Iterable[ScorerSpec]:  # type: ignore[empty-body]
    """Yield scorers.

    >>> @hookimpl
    ... def adharness_scorers():
    ...     yield ScorerSpec(name="knn", params=KnnParams, make=make, needs="bag", summary="...")
    """


@hookspec
def adharness_normalizers() -> Iterable[NormalizerSpec]:  # type: ignore[empty-body]
    """Yield score normalizers.

    >>> @hookimpl
    ... def adharness_normalizers():
    ...     yield NormalizerSpec(name="raw", params=RawParams, make=RawNormalizer, summary="...")
    """


@hookspec
def adharness_thresholders() -> Iterable[ThresholderSpec]:  # type: ignore[empty-body]
    """Yield thresholders.

    >>> @hookimpl
    ... def adharness_thresholders():
    ...     yield ThresholderSpec(name="f1", params=F1Params, make=F1, summary="...")
    """
