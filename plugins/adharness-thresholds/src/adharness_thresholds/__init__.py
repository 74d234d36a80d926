"""Thresholders of images and of pixels: from labels, from normal images, or declared."""

from __future__ import annotations

from collections.abc import Iterator

from adharness import BatchThresholder, PixelThresholder, Thresholder, ThresholderSpec, hookimpl
from adharness_thresholds.parameters import (
    ConformalBHParams,
    F1Params,
    FixedParams,
    MaxNormalParams,
    MeanStdParams,
    MedianMadParams,
    PotParams,
    QuantileParams,
    RegionAreaParams,
    YoudenParams,
)

__version__ = "0.1.0"
__all__ = [
    "CONFORMAL_BH",
    "F1",
    "FIXED",
    "MAX_NORMAL",
    "MEAN_STD",
    "MEDIAN_MAD",
    "POT",
    "QUANTILE",
    "REGION_AREA",
    "YOUDEN",
    "ConformalBHParams",
    "F1Params",
    "FixedParams",
    "MaxNormalParams",
    "MeanStdParams",
    "MedianMadParams",
    "PotParams",
    "QuantileParams",
    "RegionAreaParams",
    "YoudenParams",
    "adharness_thresholders",
]


def _make_f1(_: F1Params) -> Thresholder:
    from adharness_thresholds.labelled import BestCut, f1

    return BestCut(f1)


def _make_youden(_: YoudenParams) -> Thresholder:
    from adharness_thresholds.labelled import BestCut, youden

    return BestCut(youden)


def _make_quantile(params: QuantileParams) -> Thresholder:
    from adharness_thresholds.conformal import ConformalQuantile

    return ConformalQuantile(params.q)


def _make_mean_std(params: MeanStdParams) -> Thresholder:
    from adharness_thresholds.deviations import MeanStd

    return MeanStd(params.k)


def _make_median_mad(params: MedianMadParams) -> Thresholder:
    from adharness_thresholds.robust import MedianMad

    return MedianMad(params.k)


def _make_pot(params: PotParams) -> Thresholder:
    from adharness_thresholds.tail import PeaksOverThreshold

    return PeaksOverThreshold(params.level, params.risk)


def _make_max_normal(_: MaxNormalParams) -> Thresholder:
    from adharness_thresholds.maximum import MaxNormal

    return MaxNormal()


def _make_region_area(params: RegionAreaParams) -> PixelThresholder:
    from adharness_thresholds.regions import RegionArea

    return RegionArea(params.min_area_px)


def _make_conformal_bh(params: ConformalBHParams) -> BatchThresholder:
    from adharness_thresholds.batch import ConformalBH

    return ConformalBH(params.alpha)


def _make_fixed(params: FixedParams) -> Thresholder:
    from adharness_thresholds.declared import Fixed

    return Fixed(params.value)


F1 = ThresholderSpec(
    name="f1",
    params=F1Params,
    make=_make_f1,
    needs_labels=True,
    summary="The cut with the best F1 on labelled calibration images.",
    source="F1 = 2 TP / (2 TP + FP + FN) over every cut between distinct scores",
)

YOUDEN = ThresholderSpec(
    name="youden",
    params=YoudenParams,
    make=_make_youden,
    needs_labels=True,
    summary="The cut with the largest true-positive minus false-positive rate on calibration.",
    source="Youden 1950, Index for rating diagnostic tests",
)

QUANTILE = ThresholderSpec(
    name="quantile",
    params=QuantileParams,
    make=_make_quantile,
    levels=("image", "pixel"),
    summary="The conformal quantile of normal calibration scores: needs no anomalous image.",
    source="Bates et al. 2023 (arXiv 2104.08279), the ceil((n+1)q)-th smallest score; of pixels "
    "Angelopoulos et al. 2024 (arXiv 2208.02814), theorem 1",
)

MEAN_STD = ThresholderSpec(
    name="mean-std",
    params=MeanStdParams,
    make=_make_mean_std,
    levels=("image", "pixel"),
    summary="Mean + k standard deviations of normal calibration scores, or of all their pixels.",
    source="Heckler-Kram et al. 2025, MVTec AD 2, section 4 (k = 3, over pixels)",
)

MEDIAN_MAD = ThresholderSpec(
    name="median-mad",
    params=MedianMadParams,
    make=_make_median_mad,
    levels=("image", "pixel"),
    summary="Median + k * 1.4826 * MAD of normal calibration scores, or of all their pixels.",
    source="Hampel 1974, The influence curve and its role in robust estimation",
)

POT = ThresholderSpec(
    name="pot",
    params=PotParams,
    make=_make_pot,
    summary="A generalised Pareto tail of normal scores, cut where a share `risk` passes.",
    source="Siffer et al., KDD 2017, equation 1",
)

MAX_NORMAL = ThresholderSpec(
    name="max-normal",
    params=MaxNormalParams,
    make=_make_max_normal,
    levels=("image", "pixel"),
    summary="The highest normal calibration score, or the highest pixel of their maps.",
    source="The conformal quantile at level n / (n + 1)",
)

REGION_AREA = ThresholderSpec(
    name="region-area",
    params=RegionAreaParams,
    make=_make_region_area,
    levels=("pixel",),
    examples=({"min_area_px": 6},),
    summary="The smallest pixel threshold that leaves no region of `min_area_px` on normal maps.",
    source="Bergmann et al. 2019, MVTec AD, section 4.2",
)

CONFORMAL_BH = ThresholderSpec(
    name="conformal-bh",
    params=ConformalBHParams,
    make=_make_conformal_bh,
    batch=True,
    summary="Benjamini-Hochberg on conformal p-values of the test batch: false-discovery rate.",
    source="Bates et al. 2023 (arXiv 2104.08279), theorem 2",
)

FIXED = ThresholderSpec(
    name="fixed",
    params=FixedParams,
    make=_make_fixed,
    levels=("image", "pixel"),
    summary="A number that the suite declares: no image fits it.",
    source="the suite",
    examples=({"value": 9.0},),
    exempt={
        "moves-with-the-scores": "It is a number that the suite declares, whatever the scores are.",
        "refuses-no-image": "No image fits it, so that none is needed.",
        "refuses-what-is-not-finite": "It reads no score and no map.",
        "counts-its-images": "No image fitted it, and so it counts none.",
    },
)


@hookimpl
def adharness_thresholders() -> Iterator[ThresholderSpec]:
    """Yield all thresholders, those that need anomalous images first."""
    yield from (F1, YOUDEN)
    yield from (QUANTILE, MAX_NORMAL, MEAN_STD, MEDIAN_MAD, POT, REGION_AREA)
    yield from (CONFORMAL_BH, FIXED)
