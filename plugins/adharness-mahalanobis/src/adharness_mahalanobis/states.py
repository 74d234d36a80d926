"""Fitted Gaussians as arrays by name, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from adharness import CheckedState, Layout, check_state, require_state
from adharness.arrays import AnyArray, Float64
from adharness_mahalanobis import MahalanobisParams
from adharness_mahalanobis.vectors import Subject

SUBJECTS: tuple[Subject, ...] = ("patches", "means", "embeddings")  # stored by position
SUBJECTS_OF: Mapping[str | None, tuple[Subject, ...]] = {
    None: ("patches", "embeddings"),
    "patch": ("patches",),
    "image": ("means", "embeddings"),
}


def arrays_of(
    subject: Subject, mean: Float64, whiteners: Sequence[Float64]
) -> Mapping[str, AnyArray]:
    """Give all arrays, uncopied: `whitener_0` is that of the shallowest layer."""
    number = np.array([SUBJECTS.index(subject)], dtype=np.uint8)
    layers = {f"whitener_{i}": whitener for i, whitener in enumerate(whiteners)}
    return {"subject": number, "mean": mean, **layers}


def restored(
    state: Mapping[str, AnyArray], params: MahalanobisParams
) -> tuple[Subject, Float64, tuple[Float64, ...]]:
    """Check the arrays against each other and against the params.

    Raises
    ------
    ContractError
        With the name of the array that is wrong.
    """
    names = [f"whitener_{i}" for i in range(len(params.layers or (0,)))]
    found = check_state(state, _layout(names, params), scorer="mahalanobis")
    mean = found["mean"]
    require_state(
        params.layers is None or sum(params.layers) == len(mean),
        f"mahalanobis's array 'mean' has {len(mean)} features, the params' layers "
        f"{list(params.layers or ())} add up to {sum(params.layers or ())}",
    )
    for name in names:
        rows, columns = found[name].shape
        require_state(columns <= rows, f"mahalanobis's array '{name}' is wider than it is long")
    return _subject(found, params), mean, tuple(found[name] for name in names)


def _layout(names: Sequence[str], params: MahalanobisParams) -> Layout:
    """Without `layers` the whitener is as long as the mean; without a PCA it is square."""
    whole = params.pca is None and params.npca is None
    lengths: tuple[int | str, ...] = params.layers or ("D",)
    layers: Layout = {
        name: ("float64", (length, length if whole else f"kept of {name}"))
        for name, length in zip(names, lengths, strict=True)
    }
    return {"subject": ("uint8", (1,)), "mean": ("float64", ("D",)), **layers}


def _subject(found: CheckedState, params: MahalanobisParams) -> Subject:
    number = int(found["subject"][0])
    allowed = SUBJECTS_OF[params.level]
    numbers = [SUBJECTS.index(subject) for subject in allowed]
    require_state(
        number in numbers,
        f"mahalanobis's array 'subject' is {number}, level {params.level} allows {numbers}",
    )
    return SUBJECTS[number]
