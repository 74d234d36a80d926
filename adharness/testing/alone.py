"""Whether an image gives the same alone, in a batch, and wherever it stands in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from adharness.arrays import AnyArray
from adharness.testing.check import require

ALONE = 1e-4
"""Relative difference of what one image gives alone and in a batch: products round otherwise."""


def require_each_image_alone(
    given_of: Callable[[list[int]], Mapping[str, AnyArray]], count: int
) -> None:
    """Raise ConformanceError unless each image gives the same alone and in any order.

    Parameters
    ----------
    given_of
        What a component gives of the images at some positions: arrays by name, one row an image.
    count
        Images.
    """
    order = list(range(count))
    whole, turned = given_of(order), given_of(order[::-1])
    _require_same(whole, {name: array[::-1] for name, array in turned.items()}, "in another order")
    each = [given_of([i]) for i in order]
    alone = {name: np.concatenate([one[name] for one in each]) for name in whole}
    _require_same(whole, alone, "alone")


def _require_same(
    expected: Mapping[str, AnyArray], found: Mapping[str, AnyArray], how: str
) -> None:
    for name, values in expected.items():
        scale = float(np.abs(values).max()) or 1.0
        with np.errstate(invalid="ignore"):  # two infinities are no number apart
            apart = float(np.abs(values - found[name]).max())
        require(
            apart <= ALONE * scale,
            f"{name} differ by {apart:.3g} {how}, where the largest is {scale:.3g}",
        )
