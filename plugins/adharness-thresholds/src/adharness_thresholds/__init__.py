"""The thresholders `f1`, `youden` and `quantile`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from adharness import Params, Thresholder, ThresholderSpec, hookimpl

__version__ = "0.1.0"
__all__ = [
    "F1",
    "QUANTILE",
    "YOUDEN",
    "F1Params",
    "QuantileParams",
    "YoudenParams",
    "adharness_thresholders",
]


class F1Params(Params):
    """`f1` has no parameters."""


class YoudenParams(Params):
    """`youden` has no parameters."""


class QuantileParams(Params):
    """Parameters of `quantile`."""

    q: float = Field(
        0.95, gt=0, lt=1, description="share of new normal images to let pass, at least, on average"
    )


def _make_f1(_: F1Params) -> Thresholder:
    from adharness_thresholds.labelled import BestCut, f1

    return BestCut(f1)


def _make_youden(_: YoudenParams) -> Thresholder:
    from adharness_thresholds.labelled import BestCut, youden

    return BestCut(youden)


def _make_quantile(params: QuantileParams) -> Thresholder:
    from adharness_thresholds.conformal import ConformalQuantile

    return ConformalQuantile(params.q)


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
    summary="The conformal quantile of normal calibration scores: needs no anomalous image.",
    source="Bates et al. 2023 (arXiv 2104.08279), the ceil((n+1)q)-th smallest score",
)


@hookimpl
def adharness_thresholders() -> Iterator[ThresholderSpec]:
    """Yield `f1`, `youden` and `quantile`."""
    yield F1
    yield YOUDEN
    yield QUANTILE
