"""The corruption that moves pixels: a small turn, shift and zoom, of the image and of its mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adharness.arrays import AnyArray, Bool, UInt8

KEPT = 0.5
"""The share of each region's pixels that must stay in the picture: a defect that left it would be
judged as missed, and an image without one is normal."""
_HALVINGS = 10


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image's pixels go, about its centre.

    Parameters
    ----------
    turn_deg
        Counter-clockwise on the screen.
    shift
        Of the sides, down and to the right.
    scale
        Of height and width; at most 1.
    """

    turn_deg: float
    shift: tuple[float, float]
    scale: tuple[float, float]


def placement(
    regions: Sequence[Bool],
    level: tuple[float, ...],
    rng: np.random.Generator,
) -> Placement:
    """Draw where an image goes.

    Parameters
    ----------
    regions
        Each (H, W) bool with at least one pixel; none for a normal image. The move is halved until
        each keeps its share.
    level
        Largest turn in degrees, largest shift as a share of the side, largest loss of scale.
    """
    turn, down, right = rng.uniform(-1, 1, 3)
    loss = rng.uniform(0, 1, 2)
    for halvings in range(_HALVINGS):
        turned, shifted, lost = (amount / 2**halvings for amount in level)
        drawn = Placement(
            float(turn * turned),
            (float(down * shifted), float(right * shifted)),
            (float(1 - loss[0] * lost), float(1 - loss[1] * lost)),
        )
        if all(_keeps(region, drawn) for region in regions):
            return drawn
    return Placement(0.0, (0.0, 0.0), (1.0, 1.0))


def move_image(pixels: UInt8, to: Placement) -> UInt8:
    """(H, W, 3) uint8, bilinear; what comes in from outside is mirrored."""
    moved = _warp(pixels.astype(np.float64), to, order=1)
    return np.asarray(np.rint(np.clip(moved, 0, 255)), dtype=np.uint8)


def move_mask(mask: Bool, to: Placement) -> Bool:
    """(H, W) bool, nearest neighbour; a defect that is mirrored in the image is in the mask too."""
    return np.asarray(_warp(mask.astype(np.float64), to, order=0) > 0.5)


def _keeps(region: Bool, to: Placement) -> bool:
    return int(move_mask(region, to).sum()) >= KEPT * int(region.sum())


def _warp(values: AnyArray, to: Placement, *, order: int) -> AnyArray:
    from skimage.transform import warp  # heavy: only where pixels are made

    back = _inverse(values.shape, to)
    warped: AnyArray = warp(values, back, order=order, mode="reflect", preserve_range=True)  # type: ignore[no-untyped-call]
    return warped


def _inverse(shape: Sequence[int], to: Placement) -> Any:
    """Map a pixel of the result to where it comes from: (x, y, 1) homogeneous."""
    height, width = shape[:2]
    angle = np.deg2rad(to.turn_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([to.scale[1], to.scale[0]])
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    forwards = np.eye(3)
    forwards[:2, :2] = linear
    offset = np.array([to.shift[1] * width, to.shift[0] * height])
    forwards[:2, 2] = centre + offset - linear @ centre
    return np.linalg.inv(forwards)
