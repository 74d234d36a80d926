"""The coreset bank: project, choose, then gather only the rows chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from adharness import Bag, FeatureSet, check_finite
from adharness.arrays import Float32, Int64
from adharness.progress import tell
from adharness.sampling import References, even_quotas, images_by_class, references
from adharness_patchcore import CoresetParams
from adharness_patchcore.greedy import Progress, k_center_greedy, k_center_greedy_from_anchors
from adharness_patchcore.projection import draw_projection
from adharness_patchcore.scratch import joined

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
        """Keep `int(N * ratio)` of the N patches read, at least one, in the order of choice.

        Notes
        -----
        Features are read twice in blocks. Only their projections (N, projection_dims) float32 are
        held, in a temporary file where they take more than `memory_mb`. Where D is not above
        `projection_dims`, the vectors themselves are compared. A ratio of 1 keeps every patch in
        order, and nothing is compared.

        With `balance: class` the rows are shared as `even_quotas` does, and each class is covered
        by a choice of its own among its own patches; the classes follow one another. Fewer rows
        than classes leave the last classes without any.

        Raises
        ------
        DataError
            If there is no training image, or fewer than `shots`.
        ContractError
            Where a feature is not finite, naming the image.
        StoreError
            If the temporary file cannot be written.
        """
        read, sizes = self._read(features, rng)
        count = max(1, int(read.total * self.params.ratio))
        matrix = draw_projection(self.params, read.total, features.dim, rng)
        dim = features.dim if matrix is None else matrix.shape[1]
        blocks, shape = _projected(read, matrix), (read.total, dim)
        points = joined(blocks, shape, memory_mb=self.params.memory_mb)
        chosen = self._chosen(points, sizes, even_quotas(sizes, count), rng)
        return Bag(rows=_gather(read.features, chosen), images=read.origins(chosen))

    def _read(self, features: FeatureSet, rng: np.random.Generator) -> tuple[References, Int64]:
        """Give what is read, and how many patches (G,) the groups have that follow one another."""
        read = references(features, self.params, rng)
        if self.params.balance == "none":
            return read, np.array([read.total])
        groups = images_by_class(read)
        images = np.concatenate(groups)
        sizes = np.array([len(each) * read.per_image for each in groups])
        return References(read.features.subset(images), read.images[images]), sizes

    def _chosen(
        self, points: Float32, sizes: Int64, quotas: Int64, rng: np.random.Generator
    ) -> Int64:
        """Positions (M,) chosen in each group of points, group after group."""
        chosen = np.empty(quotas.sum(), dtype=np.int64)
        first, done = 0, 0
        for size, quota in zip(sizes.tolist(), quotas.tolist(), strict=True):
            if quota:
                told = partial(_tell_centres, done, len(chosen))
                found = self._choose(points[first : first + size], quota, rng, told)
                chosen[done : done + quota] = first + found
            first, done = first + size, done + quota
        return chosen

    def _choose(
        self, points: Float32, count: int, rng: np.random.Generator, told: Progress
    ) -> Int64:
        total = len(points)
        if count == total:
            return np.arange(total)
        if not self.params.anchors:
            return k_center_greedy(points, count, start=int(rng.integers(total)), progress=told)
        anchors = rng.choice(total, size=min(self.params.anchors, total), replace=False)
        return k_center_greedy_from_anchors(points, count, anchors=anchors, progress=told)


def _tell_centres(before: int, total: int, done: int) -> None:
    tell(before + done, total, "centres")


def _projected(read: References, projection: Float32 | None) -> Iterator[Float32]:
    """Vectors (n, d) float32 to compare, in the order of flat positions."""
    features = read.features
    size = max(1, min(32, BLOCK_VALUES // (read.per_image * features.dim)))
    first = 0
    for batch in features.batches(size):
        images = read.images[first : first + len(batch.patches)]
        _check_finite(batch.patches, images, name="patch features")
        rows = batch.patches.reshape(-1, features.dim)
        yield rows if projection is None else _product(rows, projection, images)
        first += len(images)
        tell(first, features.count, "images")


def _product(rows: Float32, projection: Float32, images: Int64) -> Float32:
    with np.errstate(over="ignore", invalid="ignore"):  # found below, with the image
        product: Float32 = rows @ projection
    _check_finite(product.reshape(len(images), -1), images, name="projected patch features")
    return product


def _check_finite(values: Float32, images: Int64, *, name: str) -> None:
    for one, image in zip(values, images.tolist(), strict=True):
        check_finite(one[None], name=name, first_image=image)


def _gather(features: FeatureSet, chosen: Int64) -> Float32:
    """Full vectors (M, D) of the chosen patches, read in ascending order and a block at a time."""
    rows = np.empty((len(chosen), features.dim), dtype=np.float32)
    ascending = np.argsort(chosen)
    step = max(1, BLOCK_VALUES // features.dim)
    for i in range(0, len(chosen), step):
        block = ascending[i : i + step]
        rows[block] = features.rows(chosen[block])
    return rows
