"""A feature set that notes how much of it is taken, for what must read it in parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from weakref import ref

import numpy as np

from adharness.arrays import AnyArray, Float32, Int64
from adharness.contracts import FeatureGrid
from adharness.testing.check import require
from adharness.testing.worlds import ToyFeatures


@dataclass(eq=False)
class Watch:
    """How much was handed out at once.

    Attributes
    ----------
    most
        Patches of the largest array.
    """

    most: int = field(default=0, init=False)

    def hand_out(self, array: AnyArray, patches: int) -> None:  # noqa: ARG002  held or not
        """Note an array."""
        self.most = max(self.most, patches)


@dataclass(eq=False)
class WatchOfHeld(Watch):
    """How much was handed out, and is still held.

    Parameters
    ----------
    total
        Patches of all images.
    held
        The arrays handed out, and the patches in each.
    """

    total: int
    held: list[tuple[ref[AnyArray], int]] = field(default_factory=list)

    def hand_out(self, array: AnyArray, patches: int) -> None:
        """Note an array; raise ConformanceError where more than half of all patches are held."""
        super().hand_out(array, patches)
        self.held = [(held, count) for held, count in self.held if held() is not None]
        self.held.append((ref(array if array.base is None else array.base), patches))
        now = sum(count for _, count in self.held)
        require(
            2 * now <= self.total,
            f"it holds {now} of {self.total} patches at once, as they were handed out",
        )


@dataclass(frozen=True, eq=False)
class WatchedFeatures:
    """Toy features whose patches are watched; a `FeatureSet`.

    Parameters
    ----------
    toy
        What it hands out.
    watch
        Shared with all that is made of it.
    """

    toy: ToyFeatures
    watch: Watch

    @classmethod
    def over(cls, toy: ToyFeatures) -> WatchedFeatures:
        """Begin to watch how much is held."""
        return cls(toy, WatchOfHeld(toy.count * toy.grid[0] * toy.grid[1]))

    @property
    def count(self) -> int:
        """Number of images."""
        return self.toy.count

    @property
    def grid(self) -> tuple[int, int]:
        """Patches a column and a row, (h, w)."""
        return self.toy.grid

    @property
    def dim(self) -> int:
        """Length D of a patch vector."""
        return self.toy.dim

    @property
    def embedding_dim(self) -> int | None:
        """Length E of an image embedding; None where there is none."""
        return self.toy.embedding_dim

    @property
    def classes(self) -> Int64 | None:
        """Number of each image's class; None where it is not told."""
        return self.toy.classes

    def subset(self, images: Int64) -> WatchedFeatures:
        """Features of the images at these positions, in this order."""
        return replace(self, toy=self.toy.subset(images))

    def rotated(self, degrees: float) -> WatchedFeatures:
        """Turn the grid of patches."""
        return replace(self, toy=self.toy.rotated(degrees))

    def read(self, images: Int64) -> FeatureGrid:
        """Features of the images at these positions, in this order."""
        found = self.toy.read(images)
        self.watch.hand_out(found.patches, len(images) * self.grid[0] * self.grid[1])
        return found

    def batches(self, size: int = 32) -> Iterator[FeatureGrid]:
        """All images in order, at most `size` at a time."""
        for start in range(0, self.count, size):
            yield self.read(np.arange(start, min(start + size, self.count)))

    def rows(self, patches: Int64) -> Float32:
        """Patch vectors (M, D) by flat position, any order."""
        found = self.toy.rows(patches)
        self.watch.hand_out(found, len(patches))
        return found
