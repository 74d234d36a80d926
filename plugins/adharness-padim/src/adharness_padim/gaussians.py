"""One Gaussian a position, from features that are streamed and never held at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from adharness import ContractError, FeatureSet, check_finite
from adharness.arrays import Float64, Int64

BLOCK_VALUES = 4 * 1024 * 1024  # 32 MiB of float64


@dataclass(frozen=True, eq=False)
class Gaussians:
    """A Gaussian for each of P positions over d features.

    Parameters
    ----------
    mean : (P, d) float64
    whitener : (P, d, d) float64
        Inverse of the lower Cholesky factor of each covariance: lengths after it are distances.
    """

    mean: Float64
    whitener: Float64

    def distances(self, patches: Float64) -> Float64:
        """Mahalanobis distances (P,) of one image's patch vectors (P, d), square root taken."""
        distances = np.empty(len(patches))
        for block in position_blocks(*self.mean.shape):
            centred = (patches[block] - self.mean[block])[..., None]  # (B, d, 1)
            white = (self.whitener[block] @ centred)[..., 0]
            distances[block] = np.sqrt(np.einsum("pd,pd->p", white, white))
        return distances


def fit_gaussians(features: FeatureSet, dims: Int64, epsilon: float) -> Gaussians:
    """Fit all positions in two passes over the images, in float64.

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
    Memory: the result, 8 P d (d + 1) bytes, and blocks of 32 MiB. The covariance divides by n - 1.

    Raises
    ------
    ContractError
        With fewer than two images, or where a feature is not finite.
    """
    if features.count < 2:
        raise ContractError(
            f"a covariance needs 2 training images, there are {features.count}",
            hint="train on more images",
        )
    mean = np.sum([batch.sum(axis=0) for batch in _batches(features, dims)], axis=0)
    mean /= features.count
    scatter = np.zeros((*mean.shape, len(dims)))
    for batch in _batches(features, dims):
        _add_scatter(scatter, batch - mean)
    scatter /= features.count - 1
    _whiten(scatter, epsilon)
    return Gaussians(mean, scatter)


def position_blocks(positions: int, dims: int) -> Iterator[slice]:
    """Slices of positions whose (d, d) matrices together fit one block."""
    step = max(1, BLOCK_VALUES // dims**2)
    for start in range(0, positions, step):
        yield slice(start, min(start + step, positions))


def _batches(features: FeatureSet, dims: Int64) -> Iterator[Float64]:
    """Patch vectors (n, P, d) of a few images at a time."""
    height, width = features.grid
    size = max(1, min(32, 4 * BLOCK_VALUES // (height * width * features.dim)))
    first = 0
    for batch in features.batches(size):
        check_finite(batch.patches, name="patch features", first_image=first)
        first += len(batch.patches)
        kept = batch.patches[..., dims].astype(np.float64)
        yield kept.reshape(len(kept), height * width, len(dims))


def _add_scatter(scatter: Float64, centred: Float64) -> None:
    """Add the outer products of (n, P, d) to (P, d, d), in place."""
    for block in position_blocks(*scatter.shape[:2]):
        rows = np.ascontiguousarray(centred[:, block].swapaxes(0, 1))  # (B, n, d)
        scatter[block] += rows.swapaxes(1, 2) @ rows


def _whiten(covariance: Float64, epsilon: float) -> None:
    """Replace each covariance (P, d, d) by its whitener, in place to hold it only once."""
    diagonal = np.arange(covariance.shape[1])
    covariance[:, diagonal, diagonal] += epsilon
    for block in position_blocks(*covariance.shape[:2]):
        covariance[block] = np.linalg.inv(np.linalg.cholesky(covariance[block]))
