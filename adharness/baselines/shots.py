"""Few-shot banks: a bank reads some of the training images as if there were no others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from adharness.arrays import Float32, Int64
from adharness.contracts import FeatureGrid, FeatureSet, Params
from adharness.errors import DataError


class ShotsParams(Params):
    """Which training images a bank reads: all, or `shots` of them."""

    shots: int | None = Field(None, gt=0, description="training images read; null for all")
    draw: Literal["seed", "block"] = Field(
        "seed",
        description="seed draws them at random; block takes images in a row, in the set's order",
    )
    block: int = Field(
        0, ge=0, description="for draw: block: skips this many times `shots` images first"
    )

    @model_validator(mode="after")
    def _are_read(self) -> ShotsParams:
        if self.shots is None and (self.draw != "seed" or self.block):
            raise ValueError("draw and block choose among images only with shots")
        if self.draw == "seed" and self.block:
            raise ValueError(f"block = {self.block} is read only with draw: block")
        return self


@dataclass(frozen=True, eq=False)
class FewShots:
    """A FeatureSet of the chosen images of another, in the order given; nothing is copied.

    Parameters
    ----------
    whole
        All training images.
    images : (n,) int64
        Positions in `whole` of those that are seen.
    """

    whole: FeatureSet
    images: Int64

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self.images)

    @property
    def grid(self) -> tuple[int, int]:
        """Patches a column and a row, (h, w)."""
        return self.whole.grid

    @property
    def dim(self) -> int:
        """Length D of a patch vector."""
        return self.whole.dim

    @property
    def embedding_dim(self) -> int | None:
        """Length E of an image embedding; None where there is none."""
        return self.whole.embedding_dim

    def read(self, images: Int64) -> FeatureGrid:
        """Features of the images at these positions among the few, in this order."""
        return self.whole.read(self.images[images])

    def batches(self, size: int = 32) -> Iterator[FeatureGrid]:
        """All of the few in order, at most `size` at a time."""
        for start in range(0, self.count, size):
            yield self.whole.read(self.images[start : start + size])

    def rows(self, patches: Int64) -> Float32:
        """Patch vectors (M, D) by flat position among the few."""
        height, width = self.grid
        image, inside = np.divmod(patches, height * width)
        return self.whole.rows(self.images[image] * (height * width) + inside)


def seen(features: FeatureSet, params: ShotsParams, rng: np.random.Generator) -> FeatureSet:
    """Give the images that a bank reads: all of them without `shots`, and then nothing is drawn.

    Returns
    -------
    FeatureSet
        `features` itself, or a `FewShots` with its images in ascending order.

    Raises
    ------
    DataError
        Where there are fewer images than asked for.

    Notes
    -----
    `draw: block` is the rule of AnomalyDINO's authors, whose seed s takes
    `sorted(train/good)[s * k : (s + 1) * k]`, over the images that the split left for training. A
    bank is not told the classes: trained on all of them merged, the few are taken from all.

    References
    ----------
    Damm et al., AnomalyDINO, WACV 2025, and the code of its authors.
    """
    if params.shots is None:
        return features
    first = params.block * params.shots
    if first + params.shots > features.count:
        skipped = f" after the first {first}" if first else ""
        raise DataError(
            f"{params.shots} shots asked of {features.count} training image(s){skipped}",
            hint="lower shots or block, or hold out fewer images in the split",
        )
    if params.draw == "block":
        return FewShots(features, np.arange(first, first + params.shots))
    drawn = rng.choice(features.count, size=params.shots, replace=False, shuffle=False)
    return FewShots(features, np.sort(drawn).astype(np.int64))
