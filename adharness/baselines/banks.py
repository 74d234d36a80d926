"""Banks that only choose: all patches, a random part, the grid, image embeddings, or the images.

Each can be told to read a few of the training images only.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from adharness.arrays import Float32, Int64
from adharness.contracts import Bag, FeatureSet, Grid, Images, Pixels
from adharness.contracts.checks import COLOURS
from adharness.errors import ContractError
from adharness.sampling import (
    BalanceParams,
    ReferenceParams,
    References,
    ShotsParams,
    even_quotas,
    images_by_class,
    references,
)


class AllParams(ReferenceParams):
    """Parameters of `all`."""


class RandomParams(BalanceParams):
    """Parameters of `random`. The smaller of the two limits holds."""

    ratio: float = Field(0.1, gt=0, le=1, description="part of the training patches to keep")
    max_rows: int | None = Field(None, gt=0, description="most patches to keep, whatever the ratio")


class GridParams(ShotsParams):
    """Parameters of `grid`."""


class ImagesParams(ShotsParams):
    """Parameters of `images`."""


class PixelsParams(ReferenceParams):
    """Parameters of the bank `pixels`."""


class AllBank:
    """Remembers every patch. Its memory is the size of the feature cache: M = N * h * w rows."""

    def __init__(self, params: AllParams) -> None:
        self.params = params

    def reduce(self, features: FeatureSet, rng: np.random.Generator) -> Bag:
        """Read all patches, batch by batch, into one array (N * h * w, D) in flat order.

        Raises
        ------
        DataError
            If there is no training image.
        """
        read = references(features, self.params, rng)
        rows = np.empty((read.total, features.dim), dtype=np.float32)
        start = 0
        for batch in read.features.batches():
            flat = batch.patches.reshape(-1, features.dim)
            rows[start : start + len(flat)] = flat
            start += len(flat)
        return Bag(rows=rows, images=read.origins(np.arange(read.total, dtype=np.int64)))


class RandomBank:
    """Remembers patches drawn uniformly, without replacement, over all images at once."""

    def __init__(self, params: RandomParams) -> None:
        self.params = params

    def reduce(self, features: FeatureSet, rng: np.random.Generator) -> Bag:
        """Draw the positions first and gather only those rows, so that the rest is never read.

        Parameters
        ----------
        features
            Of N training images with h * w patches each.
        rng
            Decides which patches; the same generator state gives the same memory.

        Returns
        -------
        Bag
            round(ratio * N * h * w) rows, at least 1 and at most `max_rows`, in flat order.

        Raises
        ------
        DataError
            If there is no training image.
        """
        read = references(features, self.params, rng)
        positions = self._drawn(read, rng)  # (M,), ascending: the disk is read forwards
        return Bag(rows=read.features.rows(positions), images=read.origins(positions))

    def _drawn(self, read: References, rng: np.random.Generator) -> Int64:
        count = self._size(read.total)
        if self.params.balance == "none":
            return _choice(read.total, count, rng)
        groups = images_by_class(read)
        sizes = np.array([len(images) * read.per_image for images in groups], dtype=np.int64)
        chosen = []
        for images, size, quota in zip(groups, sizes, even_quotas(sizes, count), strict=True):
            image, inside = np.divmod(_choice(int(size), int(quota), rng), read.per_image)
            chosen.append(images[image] * read.per_image + inside)
        return np.sort(np.concatenate(chosen))

    def _size(self, total: int) -> int:
        wanted = max(1, round(self.params.ratio * total))
        return min(wanted, self.params.max_rows or wanted)


class GridBank:
    """Passes the features on with their place kept; nothing is read."""

    def __init__(self, params: GridParams) -> None:
        self.params = params

    def reduce(self, features: FeatureSet, rng: np.random.Generator) -> Grid:
        """Wrap the features. Raises DataError if there is no training image."""
        return Grid(references(features, self.params, rng).features)


class ImagesBank:
    """Remembers one embedding an image and no patch."""

    def __init__(self, params: ImagesParams) -> None:
        self.params = params

    def reduce(self, features: FeatureSet, rng: np.random.Generator) -> Images:
        """Read the embeddings (N, E), batch by batch.

        Raises
        ------
        ContractError
            If the extractor gives no image embedding.
        DataError
            If there is no training image.
        """
        if features.embedding_dim is None:
            raise ContractError(
                "bank 'images' needs image embeddings, and this extractor gives none",
                hint="use an extractor that has them, or a bank of patches such as 'random'",
            )
        read = references(features, self.params, rng).features
        parts = [batch.embeddings for batch in read.batches() if batch.embeddings is not None]
        rows: Float32 = np.concatenate(parts)  # (N, E)
        return Images(rows=rows)


class PixelsBank:
    """Passes the training images on, to be read when the scorer asks for them."""

    def __init__(self, params: PixelsParams) -> None:
        self.params = params

    def reduce(self, features: FeatureSet, rng: np.random.Generator) -> Pixels:
        """Wrap the images; nothing is read.

        Raises
        ------
        ContractError
            If the extractor gives no pixels.
        DataError
            If there is no training image.
        """
        if features.dim != COLOURS:
            raise ContractError(
                f"bank 'pixels' passes on images of {COLOURS} colours, and these have "
                f"{features.dim}",
                hint="use an extractor that gives pixels, such as `pixels`",
            )
        return Pixels(references(features, self.params, rng).features)


def _choice(total: int, count: int, rng: np.random.Generator) -> Int64:
    """Draw `count` of `total` positions without replacement, ascending."""
    drawn = rng.choice(total, size=count, replace=False, shuffle=False)
    return np.sort(drawn).astype(np.int64)
