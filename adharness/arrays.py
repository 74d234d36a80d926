"""Array types with the meaning of their axes, and the one checker of shapes."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from adharness.errors import AdharnessError, ContractError

Float32: TypeAlias = NDArray[np.float32]
"""Scores, features and maps."""
Float64: TypeAlias = NDArray[np.float64]
"""Image scores, and what is summed."""
Int64: TypeAlias = NDArray[np.int64]
"""Positions, labels and counts."""
UInt8: TypeAlias = NDArray[np.uint8]
"""Pixels of images."""
Bool: TypeAlias = NDArray[np.bool_]
"""Masks: True where defective."""
AnyArray: TypeAlias = NDArray[Any]
"""Of any type."""


def require_shape(
    array: AnyArray,
    shape: tuple[int | None, ...],
    *,
    name: str,
    error: type[AdharnessError] = ContractError,
) -> None:
    """Raise unless `array` has the given shape; None stands for any length.

    Raises
    ------
    ContractError
        Or the type given as `error`, with both shapes in the message.
    """
    fits = array.ndim == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join("*" if n is None else str(n) for n in shape) + ")"
        raise error(f"{name} has shape {array.shape}, expected {wanted}")


def require_finite(
    array: AnyArray, *, name: str, error: type[AdharnessError] = ContractError
) -> None:
    """Raise if `array` holds a NaN or an infinity, naming the first one's position."""
    finite = np.isfinite(array)
    if finite.all():
        return
    first = tuple(int(i) for i in np.argwhere(~finite)[0])
    count = int((~finite).sum())
    raise error(f"{name} holds {count} value(s) that are not finite, the first at {first}")


def evenly_spaced(values: AnyArray, most: int) -> AnyArray:
    """Take at most `most` of n values, evenly spaced, the first and the last among them."""
    count = min(len(values), most)
    return values[np.linspace(0, len(values) - 1, count).round().astype(np.int64)]


def mean_of_highest(values: AnyArray, ratio: float) -> float:
    """Mean of the highest `int(ratio * n)` of n >= 1 values, of the one highest where that is 0.

    Ties at the border are equal, so it does not matter which of them enters.

    References
    ----------
    Damm et al., AnomalyDINO, WACV 2025, section 3.3, on patches; Guo et al., Dinomaly, CVPR 2025,
    on pixels.
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    count = max(1, int(ratio * flat.size))
    return float(np.partition(flat, -count)[-count:].mean())
