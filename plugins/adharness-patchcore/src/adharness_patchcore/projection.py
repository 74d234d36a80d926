"""Random matrices that shorten patch vectors before a coreset is chosen."""

from __future__ import annotations

import math

import numpy as np

from adharness.arrays import Float32
from adharness_patchcore import CoresetParams

DISTORTION = 0.9  # of anomalib's projection: the eps of the Johnson-Lindenstrauss bound


def draw_projection(
    params: CoresetParams, total: int, dim: int, rng: np.random.Generator
) -> Float32 | None:
    """Draw a matrix (dim, d) to project `total` vectors, or none where it would not shorten them.

    Notes
    -----
    gaussian
        Normal with variance 1/d.
    linear
        Uniform within 1/sqrt(dim), as `torch.nn.Linear` begins. It shrinks distances by about
        sqrt(3 dim / d), all alike.
    sparse
        Nonzero with probability 1/sqrt(dim), then plus or minus sqrt(sqrt(dim) / d).

    References
    ----------
    Li, Hastie and Church, Very sparse random projections, KDD 2006.
    """
    wanted = _length(params, total)
    if wanted is None or wanted >= dim:
        return None
    shape = (dim, wanted)
    if params.projection == "gaussian":
        return rng.standard_normal(shape, dtype=np.float32) / np.float32(wanted**0.5)
    if params.projection == "linear":
        return rng.uniform(-1.0, 1.0, shape).astype(np.float32) / np.float32(dim**0.5)
    size = np.float32((dim**0.5 / wanted) ** 0.5)
    signs = np.where(rng.random(shape) < 0.5, -size, size)
    return np.where(rng.random(shape) < dim**-0.5, signs, np.float32(0.0))


def johnson_lindenstrauss(total: int, distortion: float = DISTORTION) -> int:
    """Length at which `total` vectors keep their distances to within `distortion`, at least 1.

    References
    ----------
    Dasgupta and Gupta, An elementary proof of a theorem of Johnson and Lindenstrauss, 2003.
    """
    return max(1, int(4 * math.log(total) / (distortion**2 / 2 - distortion**3 / 3)))


def _length(params: CoresetParams, total: int) -> int | None:
    wanted = params.projection_dims
    return johnson_lindenstrauss(total) if wanted == "johnson-lindenstrauss" else wanted
