"""Inverses of many covariances, in two forms: small for many images, and for few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from adharness.arrays import Float64

PANEL = 64  # rows of a triangle stored together, with the zeros at their right left out


@dataclass(frozen=True, eq=False)
class Triangles:
    """Inverses of the lower Cholesky factors of P covariances (d, d): lengths are distances.

    Parameters
    ----------
    packed : (P, values) float64
        Panels of 64 rows, each as wide as its last row is long.
    dim
        d.
    """

    packed: Float64
    dim: int

    @classmethod
    def empty(cls, positions: int, dim: int) -> Triangles:
        """Room for P triangles; what is in it is not defined."""
        return cls(np.empty((positions, cls.values(dim))), dim)

    @staticmethod
    def values(dim: int) -> int:
        """Numbers kept for one position."""
        return sum((stop - start) * stop for start, stop in _panels(dim))

    def put(self, stripe: slice, covariance: Float64) -> None:
        """Fill in the positions of a stripe from their covariances (S, d, d)."""
        inverse = invert_lower(_cholesky(covariance))
        for (start, stop), panel in self._views(stripe):
            panel[:] = inverse[:, start:stop, :stop]

    def squares(self, centred: Float64) -> Float64:
        """Squared distances (P,) of vectors (P, d), the mean taken off."""
        total = np.zeros(len(centred))
        for (_, stop), panel in self._views(slice(None)):
            white = np.einsum("prx,px->pr", panel, centred[:, :stop])  # (P, 64)
            total += np.einsum("pr,pr->p", white, white)
        return total

    def _views(self, stripe: slice) -> Iterator[tuple[tuple[int, int], Float64]]:
        """Rows of each panel, and the panel of all positions of the stripe as (S, rows, stop)."""
        packed = self.packed[stripe]
        offset = 0
        for start, stop in _panels(self.dim):
            size = (stop - start) * stop
            view = packed[:, offset : offset + size]
            yield (start, stop), view.reshape(len(packed), stop - start, stop)
            offset += size


@dataclass(frozen=True, eq=False)
class Gram:
    """Inverses of P covariances of n < d images, by the matrix of their inner products.

    With X (n, d) the centred images of a position and L the Cholesky factor of
    `X X' + (n - 1) epsilon I`, the squared distance of c is `(|c|^2 - |B c|^2) / epsilon` where
    `B = L^-1 X`: Woodbury's identity, and no matrix (d, d) is ever made.

    Parameters
    ----------
    basis : (P, n, d) float64
        B of each position.
    epsilon
        What was added to each diagonal.
    """

    basis: Float64
    epsilon: float

    @classmethod
    def empty(cls, positions: int, images: int, dim: int, epsilon: float) -> Gram:
        """Room for P positions; what is in it is not defined."""
        return cls(np.empty((positions, images, dim)), epsilon)

    def put(self, stripe: slice, rows: Float64) -> None:
        """Fill in the positions of a stripe from their centred images (S, n, d)."""
        inner = rows @ rows.swapaxes(1, 2)
        diagonal = np.arange(inner.shape[1])
        inner[:, diagonal, diagonal] += (inner.shape[1] - 1) * self.epsilon
        self.basis[stripe] = invert_lower(_cholesky(inner)) @ rows

    def squares(self, centred: Float64) -> Float64:
        """Squared distances (P,) of vectors (P, d), the mean taken off."""
        seen = np.einsum("pnd,pd->pn", self.basis, centred)  # twice as fast as a product a position
        explained = np.einsum("pn,pn->p", seen, seen)
        length = np.einsum("pd,pd->p", centred, centred)
        squares: Float64 = np.maximum(length - explained, 0.0) / self.epsilon
        return squares


Inverse: TypeAlias = Triangles | Gram


def invert_lower(lower: Float64) -> Float64:
    """Inverses of lower triangular matrices (P, d, d), by halves: all work is matrix products."""
    size = lower.shape[-1]
    if size == 1:
        return 1.0 / lower
    half = size // 2
    first = invert_lower(lower[:, :half, :half])
    last = invert_lower(lower[:, half:, half:])
    inverse = np.zeros_like(lower, order="C")
    inverse[:, :half, :half] = first
    inverse[:, half:, half:] = last
    np.matmul(-last, lower[:, half:, :half] @ first, out=inverse[:, half:, :half])
    return inverse


def _cholesky(matrices: Float64) -> Float64:
    lower: Float64 = np.linalg.cholesky(matrices).astype(np.float64, copy=False)
    return lower


def _panels(dim: int) -> Iterator[tuple[int, int]]:
    """First and last row of each panel, the last not included."""
    for start in range(0, dim, PANEL):
        yield start, min(start + PANEL, dim)
