"""The floor of what is trained end to end: how far each place is from the mean training image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from pydantic import Field

from adharness.arrays import AnyArray, Float64
from adharness.baselines.blocks import block_means, block_starts
from adharness.contracts import (
    FeatureGrid,
    Layout,
    Memory,
    Params,
    Pixels,
    Scores,
    check_pixel_query,
    check_pixels,
    check_state,
    require_state,
)

LAYOUT: Layout = {
    "mean": ("float64", ("h", "w", 3)),
    "deviation": ("float64", ("h", "w", 3)),
    "size": ("int64", (2,)),
}


class MeanImageParams(Params):
    """Parameters of `mean-image`."""

    block_px: int = Field(
        4, gt=0, le=256, description="side of the square blocks that are averaged first, pixels"
    )
    least_deviation: float = Field(
        1.0, gt=0, le=255, description="grey levels that a smaller standard deviation counts as"
    )


class MeanImage:
    """A Gaussian for each block and colour: its mean and deviation over the training images.

    Notes
    -----
    The score of a block is the root mean square over red, green and blue of
    z = (x - mean) / max(deviation, `least_deviation`), the population's deviation. It finds what is
    wrong in images that show one thing in one place, and nothing else: a floor. Deterministic.
    """

    def __init__(self, params: MeanImageParams) -> None:
        self.params = params

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedMeanImage:  # noqa: ARG002
        """Read all images twice, batch by batch, for the means and for the deviations.

        Raises
        ------
        ContractError
            The memory is of another kind than pixels, or holds no image.
        """
        images = check_pixels(memory, scorer="mean-image")
        height, width = images.features.grid
        blocks = self._shape((height, width))
        total, squares = np.zeros((*blocks, 3)), np.zeros((*blocks, 3))
        for one in self._blocks(images):
            total += one
        mean = total / images.features.count
        for one in self._blocks(images):
            squares += np.square(one - mean)
        deviation = np.sqrt(squares / images.features.count)
        return FittedMeanImage(self.params, (height, width), mean, deviation)

    def restore(self, state: Mapping[str, AnyArray]) -> FittedMeanImage:
        """Take up means and deviations.

        Raises
        ------
        ContractError
            Where an array is missing, not known, of another type or shape or not finite, or a
            deviation is negative.
        """
        found = check_state(state, LAYOUT, scorer="mean-image")
        height, width = (int(length) for length in found["size"])
        title = "mean-image's array"
        require_state(height > 0 < width, f"{title} 'size' is {height} x {width} pixels")
        shape = found.sizes["h"], found.sizes["w"]
        expected = self._shape((height, width))
        require_state(shape == expected, f"{title} 'mean' has {shape} blocks, expected {expected}")
        negative = bool((found["deviation"] < 0).any())
        require_state(not negative, f"{title} 'deviation' holds a negative number")
        return FittedMeanImage(self.params, (height, width), found["mean"], found["deviation"])

    def _shape(self, size: tuple[int, int]) -> tuple[int, int]:
        """Blocks a column and a row of images (height, width)."""
        return -(-size[0] // self.params.block_px), -(-size[1] // self.params.block_px)

    def _blocks(self, images: Pixels) -> Iterator[Float64]:
        """Blocks (h, w, 3) of one image after the other, however many are read at once."""
        for batch in images.features.batches():
            for i in range(len(batch.patches)):
                yield _averaged(batch.patches[i : i + 1], self.params.block_px)[0]


class FittedMeanImage:
    """Holds the mean and the deviation of each block and colour, (h, w, 3) float64."""

    def __init__(
        self, params: MeanImageParams, size: tuple[int, int], mean: Float64, deviation: Float64
    ) -> None:
        self._params, self._size = params, size
        self._mean, self._deviation = mean, deviation

    def state(self) -> Mapping[str, AnyArray]:
        """Give the means, the deviations, and the height and width of the images in pixels."""
        size = np.array(self._size, dtype=np.int64)
        return {"mean": self._mean, "deviation": self._deviation, "size": size}

    def score(self, features: FeatureGrid) -> Scores:
        """Score the blocks of N images.

        Returns
        -------
        Scores
            `patches` (N, h, w) float32, at least 0: blocks of `block_px` pixels a side, the last
            of a row or column shorter where it must be; empty for N = 0.

        Raises
        ------
        ContractError
            The images are of another size than those of the memory, or hold a value not finite.
        """
        images = check_pixel_query(features, self._size)
        scale = np.maximum(self._deviation, self._params.least_deviation)
        z = (_averaged(images, self._params.block_px) - self._mean) / scale
        return Scores(patches=np.sqrt(np.square(z).mean(axis=3)).astype(np.float32))


def _averaged(images: AnyArray, block_px: int) -> Float64:
    """Block means (N, h, w, 3) of images (N, H, W, 3)."""
    rows, columns = (block_starts(length, block_px) for length in images.shape[1:3])
    return block_means(images, rows, columns)
