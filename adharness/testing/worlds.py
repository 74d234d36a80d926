"""Small made-up worlds of features, where what is anomalous is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from adharness.arrays import Bool, Float32, Float64, Int64, require_shape
from adharness.contracts.records import FeatureGrid
from adharness.errors import ContractError
from adharness.testing.subject import Arrange, as_given


@dataclass(frozen=True, eq=False)
class ToyFeatures:
    """A `FeatureSet` over arrays that are already in memory.

    Parameters
    ----------
    patches : (N, h, w, D) float32
    embeddings : (N, E) float32, optional
    classes : (N,) int64, optional
    arrange
        What is done to each array before it is handed out.

    Examples
    --------
    >>> features = ToyFeatures(np.zeros((5, 2, 3, 4), dtype=np.float32))
    >>> features.count, features.grid, features.dim, features.embedding_dim
    (5, (2, 3), 4, None)
    >>> [batch.patches.shape[0] for batch in features.batches(2)]
    [2, 2, 1]
    """

    patches: Float32
    embeddings: Float32 | None = None
    classes: Int64 | None = None
    arrange: Arrange = as_given

    def __post_init__(self) -> None:
        require_shape(self.patches, (None, None, None, None), name="patches")
        if self.embeddings is not None:
            require_shape(self.embeddings, (self.count, None), name="embeddings")

    @property
    def count(self) -> int:
        """Number of images."""
        return int(self.patches.shape[0])

    @property
    def grid(self) -> tuple[int, int]:
        """Patches a column and a row, (h, w)."""
        return int(self.patches.shape[1]), int(self.patches.shape[2])

    @property
    def dim(self) -> int:
        """Length D of a patch vector."""
        return int(self.patches.shape[3])

    @property
    def embedding_dim(self) -> int | None:
        """Length E of an image embedding; None where there is none."""
        return None if self.embeddings is None else int(self.embeddings.shape[1])

    def subset(self, images: Int64) -> ToyFeatures:
        """Features of the images at these positions, in this order."""
        embeddings = None if self.embeddings is None else self.embeddings[images]
        classes = None if self.classes is None else self.classes[images]
        return ToyFeatures(self.patches[images], embeddings, classes, self.arrange)

    def arranged(self, arrange: Arrange) -> ToyFeatures:
        """Give the same features, each array arranged before it is handed out."""
        return replace(self, arrange=arrange)

    def rotated(self, degrees: float) -> ToyFeatures:
        """Turn the grid of patches by the nearest quarter, as no image is behind it.

        Raises
        ------
        ContractError
            Where the grid is no square and does not fit onto itself.
        """
        quarters = round(degrees / 90)
        turned = np.rot90(self.patches, quarters, axes=(1, 2))
        if turned.shape != self.patches.shape:
            raise ContractError(f"a grid of {self.grid} cannot be turned by {degrees} degrees")
        return replace(self, patches=turned)

    def read(self, images: Int64) -> FeatureGrid:
        """Features of the images at these positions, in this order; repeats are allowed."""
        embeddings = None if self.embeddings is None else self.arrange(self.embeddings[images])
        return FeatureGrid(self.arrange(self.patches[images]), embeddings)

    def batches(self, size: int = 32) -> Iterator[FeatureGrid]:
        """All images in order, at most `size` at a time."""
        for start in range(0, self.count, size):
            yield self.read(np.arange(start, min(start + size, self.count)))

    def rows(self, patches: Int64) -> Float32:
        """Patch vectors (M, D) by flat position, any order."""
        return self.arrange(self.patches.reshape(-1, self.dim)[patches])


@dataclass(frozen=True, eq=False)
class ToyWorld:
    """Normal training features, and test features of which some images have a defect.

    Parameters
    ----------
    train
        Normal images only.
    normal, anomalous
        Test images; each anomalous one has exactly one odd patch and an odd embedding.
    defects : (n, h, w) bool
        Where the odd patches of `anomalous` are.
    """

    train: ToyFeatures
    normal: FeatureGrid
    anomalous: FeatureGrid
    defects: Bool


def toy_world(
    rng: np.random.Generator,
    *,
    train: int = 24,
    test: int = 6,
    grid: tuple[int, int] = (4, 5),
    dim: int = 6,
    shift: float = 8.0,
) -> ToyWorld:
    """Draw a world that any sensible scorer separates.

    Normal patches are unit Gaussian noise around a mean of their position; the defect of an
    anomalous image moves one patch, and the embedding, `shift` standard deviations along every
    axis. Embeddings are as long as patch vectors.
    """
    means = rng.normal(size=(*grid, dim))  # (h, w, D)
    defects = _one_place_each(rng, test, grid)
    odd = FeatureGrid(
        _around(rng, means, test) + (shift * defects[..., None]).astype(np.float32),
        _embeddings(rng, test, dim) + np.float32(shift),
    )
    return ToyWorld(
        train=ToyFeatures(_around(rng, means, train), _embeddings(rng, train, dim)),
        normal=FeatureGrid(_around(rng, means, test), _embeddings(rng, test, dim)),
        anomalous=odd,
        defects=defects,
    )


def toy_images(
    rng: np.random.Generator,
    *,
    train: int = 24,
    test: int = 6,
    size: tuple[int, int] = (64, 96),
    side: int = 16,
) -> ToyWorld:
    """Draw images that any sensible model trained end to end separates.

    Whole numbers from 0 to 255, as an extractor of pixels gives them. All show one pattern of waves
    under noise of 6 grey levels; in an anomalous one the pixels of a square are 100 levels off.
    """
    height, width = size
    rows, columns = np.arange(height)[:, None, None], np.arange(width)[:, None]
    waves = np.sin(rows / 7 + np.arange(3)) + np.cos(columns / 9)
    pattern = 128 + 40 * waves  # (H, W, 3)
    defects = np.zeros((test, height, width), dtype=np.bool_)
    for i, (top, left) in enumerate(rng.integers((height - side, width - side), size=(test, 2))):
        defects[i, top : top + side, left : left + side] = True
    off = np.where(pattern < 128, 100, -100) * defects[..., None]

    def drawn(count: int, change: Float64 | int = 0) -> Float32:
        noisy = pattern + rng.normal(scale=6, size=(count, *pattern.shape)) + change
        return np.clip(np.rint(noisy), 0, 255).astype(np.float32)

    return ToyWorld(
        train=ToyFeatures(drawn(train)),
        normal=FeatureGrid(drawn(test)),
        anomalous=FeatureGrid(drawn(test, off)),
        defects=defects,
    )


def _around(rng: np.random.Generator, means: Float64, count: int) -> Float32:
    return (means + rng.normal(size=(count, *means.shape))).astype(np.float32)


def _embeddings(rng: np.random.Generator, count: int, dim: int) -> Float32:
    return rng.normal(size=(count, dim)).astype(np.float32)


def _one_place_each(rng: np.random.Generator, count: int, grid: tuple[int, int]) -> Bool:
    places = rng.integers(grid[0] * grid[1], size=count)
    defects = np.zeros((count, grid[0] * grid[1]), dtype=np.bool_)
    defects[np.arange(count), places] = True
    return defects.reshape(count, *grid)
