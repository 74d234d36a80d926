"""Anomalous pixels in numbered segments, and the regions that are made of segments.

A sorted pixel can carry one number. It is that of its segment: the finest piece in which all
pixels belong to the same regions of every kind that is asked for. A kind of region is then a map
from segments, and one sort serves all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy  # scipy.ndimage loads at its first use, not here
from numpy.typing import NDArray

from adharness.arrays import AnyArray, Bool, Float64, Int64
from adharness.metrics.inputs import PixelImage

UInt32: TypeAlias = NDArray[np.uint32]
Kind: TypeAlias = Literal["eight", "four", "declared"]
"""8-connected components, 4-connected components, or the regions that the data set declares."""

_STRUCTURES: Mapping[str, Bool] = {
    "eight": np.ones((3, 3), dtype=np.bool_),
    "four": np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.bool_),
}


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """R regions as sets of the S segments.

    Parameters
    ----------
    segment, region : (E,) int64
        Each pair says that a segment is part of a region.
    areas : (R,) int64
        Pixels of each region.
    saturations : (R,) int64
        Pixels that count as finding all of it; the area, unless the data set declares less.
    """

    segment: Int64
    region: Int64
    areas: Int64
    saturations: Int64

    def sums(self, of_segments: AnyArray) -> Float64:
        """Add up what segments hold, (S,), by region, (R,)."""
        sums = np.bincount(self.region, of_segments[self.segment], len(self.areas))
        return sums.astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """All segments of all images.

    Parameters
    ----------
    image, areas : (S,) int64
        The image that a segment lies in, and its pixels.
    regions
        The regions of each kind that was asked for.
    """

    image: Int64
    areas: Int64
    regions: Mapping[Kind, Regions]


def label_regions(mask: Bool, kind: Literal["eight", "four"] = "eight") -> tuple[UInt32, int]:
    """Give the connected regions of one mask their numbers.

    Parameters
    ----------
    mask : (H, W) bool
    kind
        Whether pixels that touch at a corner are connected: `eight`, or not: `four`.

    Returns
    -------
    labels : (H, W) uint32
        0 for normal pixels, 1 to `count` for regions.
    count
        Number of regions.
    """
    labels, count = scipy.ndimage.label(mask, structure=_STRUCTURES[kind])
    return np.asarray(labels).astype(np.uint32), int(count)


class SegmentTable:
    """Numbers the segments image by image."""

    def __init__(self, kinds: frozenset[Kind]) -> None:
        self._kinds: list[Kind] = sorted(kinds)
        self._images: list[Int64] = []
        self._areas: list[Int64] = []
        self._pairs: dict[Kind, list[Int64]] = {kind: [] for kind in self._kinds}
        self._saturations: list[int] = []
        self._regions: dict[Kind, int] = dict.fromkeys(self._kinds, 0)
        self._total = 0

    def add(self, image: PixelImage) -> Int64:
        """Give the segments of an image that has a mask their numbers.

        Returns
        -------
        (P,) int64
            The segment of each pixel of the mask, in the order of `mask[mask]`.
        """
        if image.mask is None:
            raise ValueError(f"image {image.number} has no mask")
        members = {kind: _members(kind, image.mask, image.channels) for kind in self._kinds}
        segment, first = _finest([row for rows in members.values() for row in rows], image.mask)
        self._images.append(np.full(len(first), image.number))
        self._areas.append(np.bincount(segment, minlength=len(first)))
        for kind, rows in members.items():
            self._connect(kind, rows[:, first])
        self._saturations += image.saturations
        self._total += len(first)
        return segment + (self._total - len(first))

    def _connect(self, kind: Kind, rows: Int64) -> None:
        """Note which of the new segments, the columns, are part of which regions."""
        inside = rows > 0
        segment = np.nonzero(inside)[1] + self._total
        self._pairs[kind].append(np.stack([segment, rows[inside] - 1 + self._regions[kind]]))
        self._regions[kind] += int(rows.max(initial=0))

    def finish(self) -> Segments:
        """Give all segments."""
        none = np.zeros(0, np.int64)
        areas = np.concatenate([none, *self._areas])
        regions = {kind: self._regions_of(kind, areas) for kind in self._kinds}
        return Segments(np.concatenate([none, *self._images]), areas, regions)

    def _regions_of(self, kind: Kind, areas: Int64) -> Regions:
        none = np.zeros((2, 0), np.int64)
        segment, region = np.concatenate([none, *self._pairs[kind]], axis=1)
        of_regions = np.bincount(region, areas[segment], self._regions[kind]).astype(np.int64)
        declared = np.asarray(self._saturations, np.int64)
        saturations = declared if kind == "declared" else of_regions
        return Regions(segment, region, of_regions, saturations)


def _members(kind: Kind, mask: Bool, channels: Bool) -> Int64:
    """Of each pixel of the mask its region, counted from 1, or 0 in none: a row a partition."""
    if kind == "declared":
        numbers = np.arange(1, len(channels) + 1)[:, np.newaxis]
        return channels[:, mask].astype(np.int64) * numbers
    labels, _ = label_regions(mask, kind)
    return labels[mask].astype(np.int64)[np.newaxis]


def _finest(rows: list[Int64], mask: Bool) -> tuple[Int64, Int64]:
    """Tell pixels apart by what they hold in all rows together; also where each is met first."""
    segment = np.zeros(np.count_nonzero(mask), np.int64)
    first = np.zeros(1, np.int64)
    if len(rows) == 1 and rows[0].all():
        segment = rows[0] - 1  # one partition, numbered already
        first = np.zeros(int(rows[0].max()), np.int64)
        first[segment[::-1]] = np.arange(len(segment))[::-1]  # the last write is the first place
        return segment, first
    for row in rows:
        together = segment * (int(row.max()) + 1) + row
        _, first, segment = np.unique(together, return_index=True, return_inverse=True)
    return segment, first
