"""The images that a bank reads: some of them, and turned copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Int64
from adharness.contracts.records import FeatureSet
from adharness.errors import DataError
from adharness.sampling.joined import Joined
from adharness.sampling.params import ReferenceParams, ShotsParams


@dataclass(frozen=True, eq=False)
class References:
    """The images that a bank reads.

    Parameters
    ----------
    features
        Of the n images; turned copies come after the images themselves, one turn after the other.
    images : (n,) int64
        The position of each in the whole training set: what `Bag.images` is made of.
    """

    features: FeatureSet
    images: Int64

    @property
    def per_image(self) -> int:
        """Patches an image."""
        height, width = self.features.grid
        return height * width

    @property
    def total(self) -> int:
        """Patches of all images."""
        return len(self.images) * self.per_image

    def origins(self, patches: Int64) -> Int64:
        """Give the training image (M,) of each flat patch position (M,)."""
        return self.images[patches // self.per_image]


def references(features: FeatureSet, params: ShotsParams, rng: np.random.Generator) -> References:
    """Choose what a bank reads: all images without `shots`, and then nothing is drawn.

    Raises
    ------
    DataError
        Where there is no image, or fewer than asked for.

    Notes
    -----
    Drawn images come in ascending order. `draw: block` is the rule of AnomalyDINO's authors, whose
    seed s takes `sorted(train/good)[s * k : (s + 1) * k]`, over the images that the split left for
    training. Trained on all classes merged, the few are taken from all.

    References
    ----------
    Damm et al., AnomalyDINO, WACV 2025, section 3.2 (eight turns by 45 degrees), and its code.
    """
    if features.count == 0:
        raise DataError("a bank was given no training image", hint="adharness data doctor")
    images = np.arange(features.count, dtype=np.int64)
    if params.shots is not None:
        images = _drawn(params.shots, params, features.count, rng)
        features = features.subset(images)
    turns = params.rotations if isinstance(params, ReferenceParams) else 1
    if turns == 1:
        return References(features, images)
    parts = [features, *(features.rotated(360.0 * i / turns) for i in range(1, turns))]
    return References(Joined(tuple(parts)), np.tile(images, turns))


def _drawn(shots: int, params: ShotsParams, total: int, rng: np.random.Generator) -> Int64:
    first = params.block * shots
    if first + shots > total:
        skipped = f" after the first {first}" if first else ""
        raise DataError(
            f"{shots} shots asked of {total} training image(s){skipped}",
            hint="lower shots or block, or hold out fewer images in the split",
        )
    if params.draw == "block":
        return np.arange(first, first + shots, dtype=np.int64)
    return np.sort(rng.choice(total, size=shots, replace=False, shuffle=False)).astype(np.int64)
