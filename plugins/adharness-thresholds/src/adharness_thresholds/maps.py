"""Maps of held-out normal images, checked as they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adharness import DataError
from adharness.arrays import Float32, require_finite


def require_maps(maps: Sequence[Float32]) -> Iterator[Float32]:
    """Read maps one by one, at least one, each finite and not empty.

    Raises
    ------
    DataError
        At once if there is no map; at its turn if one is empty or not finite.
    """
    if not len(maps):
        raise DataError("no map of a normal image", hint="split: {calibration: {normal: 0.2}}")
    return map(_checked, maps)


def _checked(one: Float32) -> Float32:
    if not one.size:
        raise DataError(f"a map of shape {one.shape} has no pixel")
    require_finite(one, name="maps of normal images", error=DataError)
    return one
