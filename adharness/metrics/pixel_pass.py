"""One reading of all images for every pixel and region metric of a call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import Float64, Int64
from adharness.metrics.decisions import DECISIONS, PixelDecider
from adharness.metrics.inputs import PixelImage, read_threshold
from adharness.metrics.pixel_values import RankedPixels
from adharness.metrics.table import MetricSpec
from adharness.metrics.values import MetricValue, explained


class PixelPass:
    """One reading of all images: their pixels ranked, and decided at the thresholds.

    Parameters
    ----------
    specs
        Metrics of the pixel and the region level.
    images
        How many images there will be.
    threshold, budget_bytes, folder
        As of `evaluate_pixels`.
    """

    def __init__(
        self,
        specs: Sequence[MetricSpec],
        images: int,
        threshold: ArrayLike | None,
        budget_bytes: int,
        folder: Path | None,
    ) -> None:
        self._specs = specs
        ranking = [spec for spec in specs if not spec.at_threshold]
        self.ranked = RankedPixels(ranking, images, budget_bytes, folder) if ranking else None
        deciding = any(spec.at_threshold for spec in specs)
        self.decider = _decider(threshold, images) if deciding else None

    def read(self, images: Iterable[PixelImage]) -> None:
        """Take each image once."""
        for image in images:
            if self.ranked:
                self.ranked.add(image)
            if self.decider:
                self.decider.add(image)

    def values(self) -> dict[str, MetricValue]:
        """Give every metric, in the order in which they were asked for."""
        found = self.ranked.values() if self.ranked else {}
        if self.decider:
            deciding = [spec for spec in self._specs if spec.at_threshold]
            found |= {spec.name: _pixels_decided(spec, self.decider) for spec in deciding}
        return {spec.name: found[spec.name] for spec in self._specs}


def read_decider(spec: MetricSpec, decider: PixelDecider, weights: Int64 | None = None) -> Float64:
    """Read a pixel or region metric at its thresholds, (...), with weights (..., n) of images."""
    if spec.level == "region":
        return decider.region_recall(weights)
    return DECISIONS[spec.quantity](decider.confusion(weights))


def _decider(threshold: ArrayLike | None, images: int) -> PixelDecider:
    return PixelDecider(np.broadcast_to(read_threshold(threshold, images), (images,)))


def _pixels_decided(spec: MetricSpec, decider: PixelDecider) -> MetricValue:
    value = float(read_decider(spec, decider))
    if spec.level == "region":
        return explained(value, {"region": decider.regions})
    return explained(value, {"anomalous pixel": int(decider.confusion().positives)})
