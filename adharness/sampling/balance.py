"""Even shares of a merged bank for its classes."""

from __future__ import annotations

import numpy as np

from adharness.arrays import Int64
from adharness.errors import ContractError
from adharness.sampling.references import References


def even_quotas(sizes: Int64, count: int) -> Int64:
    """Share `count` rows among classes that have `sizes` (C,) rows, as evenly as they allow.

    Returns
    -------
    (C,) int64
        None above its size, their sum the smaller of `count` and all there is; any two classes
        that could both give more differ by one at most, the first ones having the more.
    """
    level, quotas = 0, np.zeros_like(sizes)
    left = min(count, int(sizes.sum()))
    while left:
        able = np.flatnonzero(sizes > level)
        step = min(left // len(able), int(sizes[able].min()) - level)
        if not step:
            quotas[able[:left]] += 1
            break
        quotas[able] += step
        level, left = level + step, left - step * len(able)
    return quotas


def images_by_class(references: References) -> list[Int64]:
    """Positions of the images of each class that has any, ascending.

    Raises
    ------
    ContractError
        Where the classes are not told: the bank's spec lacks `needs_class`.
    """
    classes = references.features.classes
    if classes is None:
        raise ContractError(
            "a balanced bank was not told the classes",
            hint="set needs_class in its BankSpec, such as needs_class=balances_classes",
        )
    return [np.flatnonzero(classes == number) for number in np.unique(classes)]
