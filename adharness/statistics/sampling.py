"""Which images a resample draws, and which it leaves out: rows of weights for one ranking.

The unit that is drawn is an image, or a group of images that show one object: views of one part
rise and fall together, so drawing them apart would make intervals too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import Float64, Int64, require_shape
from adharness.errors import MetricError
from adharness.metrics.inputs import read_labels
from adharness.statistics.drawn import Drawn, numbered_apart

LEFT_OUT = 256
"""Rows that leave something out, at most; of more units several are left out together."""


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """B resamples of n images, J sets that leave a part of them out, and the images as they are.

    Parameters
    ----------
    weights : (B + J + 1, n) int64
        How often each image counts. The last row is all ones.
    resamples
        B.
    left_strata : (J,) int64
        The stratum of what each of the J rows leaves out.
    """

    weights: Int64
    resamples: int
    left_strata: Int64

    def read(self, values: Float64) -> Drawn:
        """Tell the parts of a metric that was computed on every row, (B + J + 1,) float64."""
        require_shape(values, (len(self.weights),), name="values", error=MetricError)
        return Drawn(
            estimate=float(values[-1]),
            replicates=values[: self.resamples],
            influence=_influence(values[self.resamples : -1], self.left_strata),
            strata=self.left_strata,
        )


def strata_of(
    labels: ArrayLike, classes: Sequence[str] | None = None, units: Int64 | None = None
) -> Int64:
    """Give images of one label, or of one class and label, the same number.

    Parameters
    ----------
    labels : (n,) int or bool
        0 normal, 1 anomalous.
    classes
        Class of each image, if the images of several are pooled.
    units : (n,) int64, optional
        From `units_of`. All images of a unit with an anomalous one count as anomalous here, so
        that a unit lies in one stratum.

    Returns
    -------
    (n,) int64
        Equal for images of one class and one label.
    """
    anomalous = read_labels(labels)
    names = np.zeros(len(anomalous), np.int64) if classes is None else np.asarray(classes)
    require_shape(names, anomalous.shape, name="classes", error=MetricError)
    if units is not None:
        require_shape(units, anomalous.shape, name="units", error=MetricError)
        anomalous = np.isin(units, units[anomalous])
    _, class_numbers = np.unique(names, return_inverse=True)
    return 2 * class_numbers.astype(np.int64) + anomalous


def units_of(groups: Sequence[str | None], classes: Sequence[str] | None = None) -> Int64:
    """Give a number to what is drawn as one: images of a group in a class, or an image alone.

    Parameters
    ----------
    groups
        What several images share that show one object; None or empty where one stands alone.
    classes
        Class of each image: groups of one name in two classes are two.

    Returns
    -------
    (n,) int64
        From 0, in order of the first image of each.
    """
    within = [""] * len(groups) if classes is None else list(classes)
    keys = [
        (name, str(group)) if group else place
        for place, (group, name) in enumerate(zip(groups, within, strict=True))
    ]
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def draw(
    strata: Int64, resamples: int, rng: np.random.Generator, units: Int64 | None = None
) -> Sampling:
    """Draw resamples, and the sets that leave a part out.

    Parameters
    ----------
    strata, resamples, rng, units
        As of `bootstrap_weights`.

    Notes
    -----
    Of more than `LEFT_OUT` units, random ones of a stratum are left out together.
    """
    return join([bootstrap_weights(strata, resamples, rng, units)], [strata], [units], rng)


def join(
    weights: Sequence[Int64],
    strata: Sequence[Int64],
    units: Sequence[Int64 | None],
    rng: np.random.Generator,
) -> Sampling:
    """Sample the images of several sets together, each resample as it was drawn in each of them.

    Parameters
    ----------
    weights
        Of each set (B, n), from `bootstrap_weights`.
    strata, units
        Of each set (n,); numbers of one set have no meaning in another.
    rng
        Says what is left out together, where there are too many units for one row each.
    """
    drawn = np.concatenate(weights, axis=1)
    apart = numbered_apart([np.asarray(one) for one in strata])
    alone = [np.arange(len(s)) if u is None else u for s, u in zip(strata, units, strict=True)]
    left, left_strata = _leave_out(apart, numbered_apart(alone), rng)
    whole = np.ones((1, drawn.shape[1]), np.int64)
    return Sampling(np.concatenate([drawn, left, whole]), len(drawn), left_strata)


def bootstrap_weights(
    strata: Int64, resamples: int, rng: np.random.Generator, units: Int64 | None = None
) -> Int64:
    """Draw resamples with replacement, each stratum to its own number of units.

    Parameters
    ----------
    strata : (n,) int64
        Images with equal numbers form a stratum, as from `strata_of`.
    resamples
        B, at least 1.
    rng
        Source of all randomness; the same state gives the same weights.
    units : (n,) int64, optional
        Images with equal numbers are drawn together, as from `units_of`; each alone if not given.

    Returns
    -------
    (B, n) int64
        How often each image was drawn: equal for the images of a unit. Where each image is a unit,
        every row sums over a stratum to its size.

    Raises
    ------
    MetricError
        If there is no image, B < 1, or a unit lies in two strata.
    """
    numbers = np.asarray(strata)
    if numbers.ndim != 1 or numbers.size == 0 or resamples < 1:
        raise MetricError(f"{resamples} resamples of strata of shape {numbers.shape}")
    alone = np.arange(len(numbers)) if units is None else units
    require_shape(alone, numbers.shape, name="units", error=MetricError)
    weights = np.empty((resamples, len(numbers)), dtype=np.int64)
    count = 0
    for stratum in np.unique(numbers):
        members = np.flatnonzero(numbers == stratum)
        names, unit = np.unique(alone[members], return_inverse=True)
        weights[:, members] = _draw(len(names), resamples, rng)[:, unit]
        count += len(names)
    if count != len(np.unique(alone)):
        told = "the images of a unit lie in several strata"
        raise MetricError(told, hint="strata_of(labels, classes, units)")
    return weights


def _draw(size: int, resamples: int, rng: np.random.Generator) -> Int64:
    drawn = rng.integers(size, size=(resamples, size))
    rows = np.arange(resamples)[:, None] * size
    return np.bincount((drawn + rows).ravel(), minlength=resamples * size).reshape(resamples, size)


def _leave_out(strata: Int64, units: Int64, rng: np.random.Generator) -> tuple[Int64, Int64]:
    """Leave each unit out once: weights (J, n), and the stratum that each row takes from, (J,)."""
    names, first, unit = np.unique(units, return_index=True, return_inverse=True)
    together = int(np.ceil(len(names) / LEFT_OUT))
    row_of_unit = np.empty(len(names), dtype=np.int64)
    places: list[int] = []
    for stratum in np.unique(strata):
        mine = np.flatnonzero(strata[first] == stratum)
        mine = rng.permutation(mine) if together > 1 else mine
        rows = max(1, len(mine) // together)
        row_of_unit[mine] = len(places) + np.arange(len(mine)) % rows
        places += [int(stratum)] * rows
    kept = row_of_unit[unit] != np.arange(len(places))[:, np.newaxis]
    return kept.astype(np.int64), np.array(places, dtype=np.int64)


def _influence(left_out: Float64, strata: Int64) -> Float64:
    """Say how much each part moves the value: its influence, over the size of its stratum.

    Their squares add up to the variance of the value. Zero where it cannot be known: the only part
    of its stratum, or one without which the value is undefined.
    """
    found = np.zeros(len(left_out))
    for stratum in np.unique(strata):
        mine = np.flatnonzero((strata == stratum) & np.isfinite(left_out))
        if len(mine) > 1:
            values = left_out[mine]
            found[mine] = (1 - 1 / len(mine)) * (values.mean() - values)
    return found
