"""A gallery as arrays by name, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from adharness import FeatureGrid, Layout, check_state
from adharness.arrays import AnyArray, Float32, Int64
from adharness_spade.gallery import Gallery

LAYOUT: Layout = {
    "patches": ("float32", ("M", "h", "w", "D")),
    "embeddings": ("float32", ("M", "E")),
}


@dataclass(frozen=True, eq=False)
class StoredPatches:
    """Patches (M, h, w, D) float32 of the normal images, in one array."""

    patches: Float32

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self.patches)

    @property
    def grid(self) -> tuple[int, int]:
        """Patches a column and a row, (h, w)."""
        return int(self.patches.shape[1]), int(self.patches.shape[2])

    @property
    def dim(self) -> int:
        """Length D of a patch vector."""
        return int(self.patches.shape[3])

    def read(self, images: Int64) -> FeatureGrid:
        """Patches of the images at these positions, in this order."""
        return FeatureGrid(self.patches[images])


def arrays_of(gallery: Gallery) -> Mapping[str, AnyArray]:
    """Give the patches, all read, and the embeddings."""
    patches = gallery.features.read(np.arange(gallery.features.count)).patches
    return {"patches": patches, "embeddings": gallery.embeddings}


def restored(state: Mapping[str, AnyArray]) -> Gallery:
    """Check the arrays against each other.

    Raises
    ------
    ContractError
        With the name of the array that is wrong.
    """
    found = check_state(state, LAYOUT, scorer="spade")
    return Gallery(StoredPatches(found["patches"]), found["embeddings"])
