"""One Gaussian a position, fitted a stripe of positions at a time from streamed features."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from adharness import ContractError, FeatureSet
from adharness.arrays import Float64, Int64
from adharness.threads import allowed, in_order
from adharness_padim.inverses import Gram, Inverse, Triangles
from adharness_padim.stripes import chunks, stripes

MOST_WORKERS = 4  # each holds blocks of some 100 MiB
LARGEST_RATIO = 1e12  # of variance to epsilon: above it float64 loses the fourth digit of a score


@dataclass(frozen=True, eq=False)
class Gaussians:
    """A Gaussian for each of P positions over d features.

    Parameters
    ----------
    mean : (P, d) float64
    inverse
        Of the P covariances, in the smaller of two forms.
    """

    mean: Float64
    inverse: Inverse

    def distances(self, patches: Float64) -> Float64:
        """Mahalanobis distances (P,) of one image's patch vectors (P, d), square root taken."""
        distances: Float64 = np.sqrt(self.inverse.squares(patches - self.mean))
        return distances


def fit_gaussians(features: FeatureSet, dims: Int64, epsilon: float) -> Gaussians:
    """Fit all positions, each patch vector read once, in float64.

    Parameters
    ----------
    features
        n >= 2 images; n may be smaller than d.
    dims : (d,) int64
        The features kept.
    epsilon
        Added to each diagonal, so that every covariance is positive definite.

    Notes
    -----
    The covariance divides by n - 1. Memory: the result, which is the smaller of `8 P n d` and about
    `4 P d (d + 64)` bytes, and blocks of some 100 MiB in each of up to four threads. Which form it
    is follows from n and d alone; both give the same distances but for rounding.

    Raises
    ------
    ContractError
        With fewer than two images, where a feature is not finite, or where the variance is so large
        that epsilon is lost in its rounding.
    """
    if features.count < 2:
        raise ContractError(
            f"a covariance needs 2 training images, there are {features.count}",
            hint="train on more images",
        )
    positions = features.grid[0] * features.grid[1]
    mean = np.empty((positions, len(dims)))
    if features.count * len(dims) <= Triangles.values(len(dims)):
        return Gaussians(mean, _fit_gram(features, dims, epsilon, mean))
    return Gaussians(mean, _fit_triangles(features, dims, epsilon, mean))


def _fit_triangles(features: FeatureSet, dims: Int64, epsilon: float, mean: Float64) -> Triangles:
    """Invert the covariances themselves; `mean` is filled in."""
    triangles = Triangles.empty(len(mean), len(dims))
    diagonal = np.arange(len(dims))

    def fit(stripe: slice) -> None:
        mean[stripe], covariance = _moments(features, stripe, dims)
        covariance /= features.count - 1
        _require_resolved(np.einsum("pdd->p", covariance), epsilon)
        covariance[:, diagonal, diagonal] += epsilon
        triangles.put(stripe, covariance)

    _each(fit, stripes(len(mean), len(dims) ** 2))
    return triangles


def _each(fit: Callable[[slice], None], parts: Iterable[slice]) -> None:
    """Fit the stripes in threads; none reads what another writes, so their order is of no matter.

    While one waits for the disk another computes, and products of this size use one core each.
    """
    workers = min(allowed(), MOST_WORKERS)
    for _ in in_order(fit, parts, workers=workers, ahead=workers):
        pass


def _moments(features: FeatureSet, stripe: slice, dims: Int64) -> tuple[Float64, Float64]:
    """Mean (S, d) and scatter (S, d, d) of a stripe, chunks of images merged as they come.

    References
    ----------
    Chan, Golub and LeVeque, Algorithms for computing the sample variance, 1983, equation 1.5.
    """
    positions = stripe.stop - stripe.start
    mean = np.zeros((positions, len(dims)))
    scatter = np.zeros((positions, len(dims), len(dims)))
    seen = 0
    for rows in chunks(features, stripe, dims):  # (S, n, d)
        count = rows.shape[1]
        total = seen + count
        fresh = rows.mean(axis=1, keepdims=True)
        gap = fresh - mean[:, None]
        # The gap between the means goes in as one more row, so the same product adds it.
        last = np.sqrt(seen * count / total) * gap
        spread = np.concatenate([rows - fresh, last], axis=1)  # (S, n + 1, d)
        scatter += spread.swapaxes(1, 2) @ spread
        mean += gap[:, 0] * (count / total)
        seen = total
    return mean, scatter


def _fit_gram(features: FeatureSet, dims: Int64, epsilon: float, mean: Float64) -> Gram:
    """Invert by the few images; `mean` is filled in."""
    count = features.count
    gram = Gram.empty(len(mean), count, len(dims), epsilon)

    def fit(stripe: slice) -> None:
        (rows,) = chunks(features, stripe, dims, size=count)  # (S, n, d)
        mean[stripe] = rows.mean(axis=1)
        rows -= mean[stripe, None]
        _require_resolved(np.einsum("pnd,pnd->p", rows, rows) / (count - 1), epsilon)
        gram.put(stripe, rows)

    _each(fit, stripes(len(mean), count * len(dims)))
    return gram


def _require_resolved(variance: Float64, epsilon: float) -> None:
    """Raise where the total variance (S,) of a position drowns epsilon in float64."""
    largest = float(variance.max())
    if largest <= LARGEST_RATIO * epsilon:
        return
    enough = 10.0 ** np.ceil(np.log10(largest / LARGEST_RATIO))
    raise ContractError(
        f"the features of a position have a variance of {largest:.3g}, and epsilon = {epsilon:g} "
        "is lost in its rounding",
        hint=f"set epsilon to at least {enough:g}, or scale the features",
    )
