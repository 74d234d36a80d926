"""The parameters of each thresholder, as typed beside `use:`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from adharness import Params

Level = Annotated[float, Field(gt=0, lt=1)]


class F1Params(Params):
    """`f1` has no parameters."""


class YoudenParams(Params):
    """`youden` has no parameters."""


class MaxNormalParams(Params):
    """`max-normal` has no parameters."""


class QuantileParams(Params):
    """Parameters of `quantile`."""

    q: Level = Field(
        0.95, description="share of new normal images (or of their pixels) to let pass, on average"
    )


class MeanStdParams(Params):
    """Parameters of `mean-std`; 3 deviations are MVTec AD 2's."""

    k: float = Field(3.0, ge=0, le=1000, description="standard deviations above the mean")


class MedianMadParams(Params):
    """Parameters of `median-mad`; 3, as of `mean-std`, which it equals on normal data."""

    k: float = Field(3.0, ge=0, le=1000, description="robust deviations above the median")


class PotParams(Params):
    """Parameters of `pot`.

    Siffer et al. 2017 take level 0.98 and risk 1e-4 of 1000 values and more; calibration sets here
    hold tens to hundreds of images, so the defaults look at more of the tail and not as far out.
    """

    level: Level = Field(0.9, description="share of normal scores below the tail that is fitted")
    risk: Level = Field(0.001, description="share of new normal images that may pass")

    @model_validator(mode="after")
    def _lies_in_the_tail(self) -> PotParams:
        if self.risk >= 1 - self.level:
            raise ValueError(
                f"risk {self.risk:g} is not in the tail beyond level {self.level:g}: "
                "it must be below 1 - level"
            )
        return self


class RegionAreaParams(Params):
    """Parameters of `region-area`; the area is the user's to say, so it has no default."""

    min_area_px: int = Field(
        ge=1, description="smallest region, in pixels of the native image, that is a defect"
    )


class ConformalBHParams(Params):
    """Parameters of `conformal-bh`; 0.1 as in the experiments of Bates et al. 2023."""

    alpha: Level = Field(0.1, description="largest expected share of false ones among the alarms")


class FixedParams(Params):
    """Parameters of `fixed`."""

    value: float = Field(
        allow_inf_nan=False, description="the threshold, on the scale of the normalized scores"
    )
