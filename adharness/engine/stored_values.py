"""What the cache can hold of features, by the type that they are stored as."""

from __future__ import annotations

import numpy as np

from adharness.arrays import Float32
from adharness.errors import ContractError, DataError

FLOAT16_MAX = 65504.0


def require_float16(values: Float32, name: str) -> None:
    """Refuse what float16 cannot hold, naming the largest."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest > FLOAT16_MAX:
        raise DataError(
            f"{name} reach {largest:g}, and float16 holds {FLOAT16_MAX:g} at most",
            hint="remove `features: {dtype: float16}` from the suite",
        )


def require_bytes(values: Float32, name: str) -> None:
    """Refuse what is no pixel: kept as a byte it would become another number."""
    wrong = values[(values < 0) | (values > 255) | (values != np.rint(values))]
    if len(wrong):
        raise ContractError(
            f"{name} hold {wrong[0]:g}, and pixels are whole numbers from 0 to 255",
            hint="an extractor whose record says `gives` pixels gives its input as it is",
        )
