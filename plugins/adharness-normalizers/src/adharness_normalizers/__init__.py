"""Normalizers: scores of different classes on one scale, with and without knowing the class."""

from __future__ import annotations

from collections.abc import Iterator

from adharness import ClassNeed, Normalizer, NormalizerSpec, hookimpl
from adharness_normalizers.params import (
    ClusterParams,
    ClusterQuantileParams,
    ConformalParams,
    LocalDensityParams,
    RawParams,
    RegressedParams,
    ZscoreParams,
    ZscoreRoutedParams,
)

__version__ = "0.2.0"
__all__ = [
    "CLUSTER_QUANTILE",
    "CONFORMAL",
    "LOCAL_DENSITY",
    "RAW",
    "REGRESSED",
    "ZSCORE",
    "ZSCORE_ROUTED",
    "ClusterParams",
    "ClusterQuantileParams",
    "ConformalParams",
    "LocalDensityParams",
    "RawParams",
    "RegressedParams",
    "ZscoreParams",
    "ZscoreRoutedParams",
    "adharness_normalizers",
]


def _make_raw(_: RawParams) -> Normalizer:
    from adharness_normalizers.raw import RawNormalizer

    return RawNormalizer()


def _make_zscore(_: ZscoreParams) -> Normalizer:
    from adharness_normalizers.zscore import ZscoreNormalizer

    return ZscoreNormalizer()


def _make_zscore_routed(params: ZscoreRoutedParams) -> Normalizer:
    from adharness_normalizers.zscore_routed import ZscoreRoutedNormalizer

    return ZscoreRoutedNormalizer(params)


def _make_cluster_quantile(params: ClusterQuantileParams) -> Normalizer:
    from adharness_normalizers.cluster_quantile import ClusterQuantileNormalizer

    return ClusterQuantileNormalizer(params)


def _make_local_density(params: LocalDensityParams) -> Normalizer:
    from adharness_normalizers.local_density import LocalDensityNormalizer

    return LocalDensityNormalizer(params)


def _make_conformal(params: ConformalParams) -> Normalizer:
    from adharness_normalizers.conformal import ConformalNormalizer

    return ConformalNormalizer(params)


def _make_regressed(params: RegressedParams) -> Normalizer:
    from adharness_normalizers.regressed import RegressedNormalizer

    return RegressedNormalizer(params)


def _always(_: ZscoreParams) -> ClassNeed:
    return "always"


def _routed_need(params: ZscoreRoutedParams) -> ClassNeed:
    return "at-fit" if params.by == "class" else "never"


def _conformal_need(params: ConformalParams) -> ClassNeed:
    return "always" if params.per == "class" else "never"


def _per_cluster(params: ConformalParams) -> bool:
    return params.per == "cluster"


def _embedded(_: object) -> bool:
    return True


RAW = NormalizerSpec(
    name="raw",
    params=RawParams,
    make=_make_raw,
    keeps_class_order=True,
    summary="Scores as the scorer gave them.",
    exempt={
        "refuses-no-image": "It learns nothing, so that it needs no image.",
        "refuses-what-is-not-finite": "It reads no calibration score.",
    },
)

ZSCORE = NormalizerSpec(
    name="zscore",
    params=ZscoreParams,
    make=_make_zscore,
    needs_class=_always,
    keeps_class_order=True,
    summary="Scores in standard deviations from the mean normal score of the image's class.",
    source="Upper bound for CADA (arXiv 2404.00724), which has to guess these statistics",
)

ZSCORE_ROUTED = NormalizerSpec(
    name="zscore-routed",
    params=ZscoreRoutedParams,
    make=_make_zscore_routed,
    needs_class=_routed_need,
    needs_embedding=_embedded,
    examples=({}, {"by": "class"}, {"by": "class", "route": "neighbours"}),
    summary="z-scores of the cluster, or of the class, that the image's embedding is nearest to.",
    source="After HierCore (arXiv 2508.02477): criteria of a group that is found, not told",
)

CLUSTER_QUANTILE = NormalizerSpec(
    name="cluster-quantile",
    params=ClusterQuantileParams,
    make=_make_cluster_quantile,
    needs_embedding=_embedded,
    summary="The share of normal images of the image's cluster that score lower.",
    source="Mid-ranks over n + 1 within k-means clusters, continued on a line outside",
)

LOCAL_DENSITY = NormalizerSpec(
    name="local-density",
    params=LocalDensityParams,
    make=_make_local_density,
    needs_embedding=_embedded,
    examples=({}, {"of": "distances"}),
    summary="Scores divided by what is usual for the normal images around the image.",
    source="After LOF, Breunig et al. 2000, SIGMOD: a ratio to the neighbours' neighbourhoods",
)

CONFORMAL = NormalizerSpec(
    name="conformal",
    params=ConformalParams,
    make=_make_conformal,
    needs_class=_conformal_need,
    needs_embedding=_per_cluster,
    examples=({}, {"per": "class"}, {"per": "pooled", "tail": "exponential"}),
    summary="Minus the logarithm of the conformal p-value in its cluster, in its class or in all.",
    source="Bates et al. 2023 (arXiv 2104.08279), p = (1 + #{scores >= s}) / (n + 1)",
)

REGRESSED = NormalizerSpec(
    name="regressed",
    params=RegressedParams,
    make=_make_regressed,
    needs_embedding=_embedded,
    summary="z-scores with mean and deviation predicted from the image's embedding.",
    source="After CADA (arXiv 2404.00724), with ridge regressions for its head",
)


@hookimpl
def adharness_normalizers() -> Iterator[NormalizerSpec]:
    """Yield every normalizer of this plugin."""
    yield RAW
    yield ZSCORE
    yield ZSCORE_ROUTED
    yield CLUSTER_QUANTILE
    yield LOCAL_DENSITY
    yield CONFORMAL
    yield REGRESSED
