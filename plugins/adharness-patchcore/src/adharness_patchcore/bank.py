"""The coreset bank: project, choose, then gather only the rows chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness import Bag, FeatureSet, check_finite
from adharness.arrays import Float32, Int64
from adharness_patchcore import CoresetParams
from adharness_patchcore.greedy import k_center_greedy, k_center_greedy_from_anchors
from adharness_patchcore.projection import draw_projection

BLOCK_VALUES = 16 * 1024 * 1024  # 64 MiB of float32


@dataclass(frozen=True)
class CoresetBank:
    """A share of all training patches that leaves none far from the nearest kept.

    References
    ----------
    Roth et al. 2022, algorithm 1; the projection: Johnson and Lindenstrauss 1984. With `anchors`
    as the paper's code does it; without, one random patch is the first member, as in Sener and
    Savarese 2018.
    """

    params: CoresetParams

    def reduce(self, features: FeatureSet, rng: np.random.Generator) -> Bag:
        """Keep `int(N * ratio)` of the N patches, at least one, in the order of choice.

        Notes
        -----
        Features are read twice in blocks, and only their projections (N, projection_dims) float32
        are held. Where D is not above `projection_dims`, the vectors themselves are compared. A
        ratio of 1 keeps every patch in order, and nothing is compared.

        Raises
        ------
        ContractError
            Where a feature is not finite, naming the image.
        """
        height, width = features.grid
        total = features.count * height * width
        count = max(1, int(total * self.params.ratio))
        projected = _project(features, draw_projection(self.params, total, features.dim, rng))
        chosen = self._choose(projected, count, rng)
        return Bag(rows=_gather(features, chosen), images=chosen // (height * width))

    def _choose(self, points: Float32, count: int, rng: np.random.Generator) -> Int64:
        total = len(points)
        if count == total:
            return np.arange(total)
        if not self.params.anchors:
            return k_center_greedy(points, count, start=int(rng.integers(total)))
        anchors = rng.choice(total, size=min(self.params.anchors, total), replace=False)
        return k_center_greedy_from_anchors(points, count, anchors=anchors)


def _project(features: FeatureSet, projection: Float32 | None) -> Float32:
    """Vectors (N, d) float32 to compare, in the order of flat positions."""
    height, width = features.grid
    dim = features.dim if projection is None else projection.shape[1]
    projected = np.empty((features.count, height * width, dim), dtype=np.float32)
    size = max(1, min(32, BLOCK_VALUES // (height * width * features.dim)))
    first = 0
    for batch in features.batches(size):
        check_finite(batch.patches, name="patch features", first_image=first)
        rows = batch.patches.reshape(len(batch.patches), height * width, features.dim)
        projected[first : first + len(rows)] = rows if projection is None else rows @ projection
        first += len(rows)
    return projected.reshape(-1, dim)


def _gather(features: FeatureSet, chosen: Int64) -> Float32:
    """Full vectors (M, D) of the chosen patches, read in ascending order and a block at a time."""
    rows = np.empty((len(chosen), features.dim), dtype=np.float32)
    ascending = np.argsort(chosen)
    step = max(1, BLOCK_VALUES // features.dim)
    for i in range(0, len(chosen), step):
        block = ascending[i : i + step]
        rows[block] = features.rows(chosen[block])
    return rows
