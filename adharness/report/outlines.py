"""Outlines of what lies above a level, as SVG paths: the true mask, what a threshold marks."""

from __future__ import annotations

import numpy as np

from adharness.arrays import Float32, Float64

LONGEST_PATH = 1200
"""Letters of one path: a ragged outline is drawn more coarsely until it fits."""
_TOLERANCES = (0.4, 0.7, 1.4, 2.8, 5.6)


def outline(field: Float32, level: float) -> str:
    """Draw the outline of the region above a level.

    Parameters
    ----------
    field : (H, W)
        Its pixels are the units of the path: x to the right, y down, (0, 0) at the outer corner.
    level
        Above it, strictly, is inside.

    Returns
    -------
    str
        The path's `d`; closed lines, holes included. Empty where nothing is above.

    Notes
    -----
    Marching squares with linear interpolation between pixel centres, thinned by Douglas and
    Peucker to `LONGEST_PATH`; of what is still longer, the longest lines are kept.
    """
    if not (field > level).any():
        return ""
    from skimage.measure import approximate_polygon, find_contours

    lowest = min(float(field.min()), level)
    around = lowest - max(float(field.max()) - lowest, 1e-6)
    framed = np.pad(field.astype(np.float64), 1, constant_values=around)
    lines = sorted(find_contours(framed, level), key=len, reverse=True)  # type: ignore[no-untyped-call]
    path = ""
    for tolerance in _TOLERANCES:
        thinned = [approximate_polygon(line, tolerance) for line in lines]  # type: ignore[no-untyped-call]
        path = "".join(_line(points, field.shape) for points in thinned)
        if len(path) <= LONGEST_PATH:
            return path
    return path[: path.rfind("Z", 0, LONGEST_PATH) + 1]


def _line(points: Float64, shape: tuple[int, ...]) -> str:
    """One closed line; `points` (n, 2) are rows and columns of pixel centres, framed by one."""
    inside = np.clip(np.round(2 * points - 1) / 2, 0, shape)  # to half a pixel
    steps = [f"{x:g} {y:g}" for y, x in inside[:-1].tolist()]
    return f"M{' '.join(steps)}Z" if len(steps) > 2 else ""
