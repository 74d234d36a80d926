"""What goes wrong with a camera, as functions of pixels: the corruptions of robustness suites."""

from adharness.corruptions.affine import move_image, move_mask, placement
from adharness.corruptions.table import CORRUPTIONS, SEVERITIES, Corruption, Shift

__all__ = [
    "CORRUPTIONS",
    "SEVERITIES",
    "Corruption",
    "Shift",
    "move_image",
    "move_mask",
    "placement",
]
