"""A perceptually uniform, colour-blind-safe colour map, as a table of 256 colours."""

from __future__ import annotations

import numpy as np

from adharness.arrays import Float32, UInt8

_ANCHORS = (
    *((0, 0, 4), (22, 11, 57), (66, 10, 104), (106, 23, 110), (147, 38, 103), (188, 55, 84)),
    *((221, 81, 58), (243, 120, 25), (252, 165, 10), (246, 215, 70), (252, 255, 164)),
)
"""Eleven evenly spaced colours of `inferno`, linear in between. Lightness only ever rises, so the
order survives greyscale print and every kind of colour blindness."""


def inferno_table() -> UInt8:
    """Make the table of colours, (256, 3) uint8, dark to light."""
    anchors = np.asarray(_ANCHORS, dtype=float)
    at = np.linspace(0, 255, len(anchors))
    channels = [np.interp(np.arange(256), at, anchors[:, channel]) for channel in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


def colorize(scores: Float32, low: float, high: float) -> UInt8:
    """Colours (H, W, 3) uint8 of scores (H, W); clipped to [low, high]; all dark if they meet."""
    width = high - low
    share = (scores - low) / width if width > 0 else np.zeros_like(scores)
    return inferno_table()[np.round(np.clip(share, 0, 1) * 255).astype(np.uint8)]
