"""Images seen tile by tile: cut, and features of the tiles laid into one grid.

The grid is as if the whole image had been seen at once, so whatever reads features (banks, scorers,
the cache, maps) knows nothing of tiles. A tile must begin on a whole patch, so that no feature is
moved; overlaps are blended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from adharness.arrays import Float32, UInt8
from adharness.contracts import FeatureGrid, Preprocess, Tile
from adharness.errors import ContractError


def cut(image: UInt8, tile: Tile) -> list[UInt8]:
    """Tiles (height, width, 3) of an image (H, W, 3), in rows from the top left; views of it."""
    rows, columns = tile.starts((image.shape[0], image.shape[1]))
    return [image[y : y + tile.height, x : x + tile.width] for y in rows for x in columns]


def shares(starts: tuple[int, ...], long: int, tile: Tile) -> Float32:
    """Give the share of each tile in each patch of a row or a column, (tiles, patches) float32.

    Parameters
    ----------
    starts
        First patch of each tile, ascending from 0; the last tile ends the row.
    long
        Patches of a tile.

    Returns
    -------
    Of each patch the shares sum to 1, and are 0 in tiles without it. Of equally far borders
    `nearest` takes the first tile.

    Examples
    --------
    >>> shares((0, 2), 4, Tile(32, 32, 16)).tolist()
    [[1.0, 1.0, 0.75, 0.25, 0.0, 0.0], [0.0, 0.0, 0.25, 0.75, 1.0, 1.0]]
    """
    place = np.arange(starts[-1] + long) - np.array(starts)[:, np.newaxis] + 0.5
    near = np.clip(np.minimum(place, long - place), 0.0, None)
    if tile.blend == "nearest":
        near = (np.arange(len(starts))[:, np.newaxis] == near.argmax(axis=0)).astype(np.float64)
    shared: Float32 = (near / near.sum(axis=0)).astype(np.float32)
    return shared


def _first_patches(starts: tuple[int, ...], side: int, long: int) -> tuple[int, ...]:
    """First patch of each tile of `side` pixels and `long` patches."""
    if any(start * long % side for start in starts):
        raise ContractError(
            f"tiles begin at pixels {list(starts)}, and a tile of {side} pixels has {long} patches:"
            " a patch would lie between two",
            hint=f"let the tile be whole patches, and its side less the overlap, and what is seen "
            f"less the tile, multiples of one ({side / long:g} pixels)",
        )
    return tuple(start * long // side for start in starts)


@dataclass(eq=False)
class Canvas:
    """Features of one image, tile after tile, in the order that `cut` gives.

    It holds the whole grid and one tile: what was added is not kept.
    """

    preprocess: Preprocess
    tile: Tile
    _added: int = 0
    _whole: Float32 | None = None
    _embeddings: list[Float32] = field(default_factory=list)

    @cached_property
    def _starts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.tile.starts(self.preprocess.seen_size)

    @property
    def count(self) -> int:
        """Number of tiles of an image."""
        return len(self._starts[0]) * len(self._starts[1])

    @property
    def is_full(self) -> bool:
        """Whether every tile was added."""
        return self._added == self.count

    def add(self, patches: Float32, embedding: Float32 | None) -> None:
        """Lay down the next tile, patches (h, w, D), with its embedding (E,) if it has one.

        Raises
        ------
        ContractError
            A tile does not begin on a whole patch.
        """
        tall, wide, dim = patches.shape
        rows = _first_patches(self._starts[0], self.tile.height, tall)
        columns = _first_patches(self._starts[1], self.tile.width, wide)
        if self._whole is None:
            self._whole = np.zeros((rows[-1] + tall, columns[-1] + wide, dim), dtype=np.float32)
        row, column = divmod(self._added, len(columns))
        y = slice(rows[row], rows[row] + tall)
        x = slice(columns[column], columns[column] + wide)
        down = shares(rows, tall, self.tile)[row, y, np.newaxis]
        across = shares(columns, wide, self.tile)[column, np.newaxis, x]
        share: Float32 = down * across
        self._whole[y, x] += share[:, :, np.newaxis] * patches
        self._added += 1
        if embedding is not None:
            self._embeddings.append(embedding)

    def features(self) -> FeatureGrid:
        """Features of the whole image, a batch of one; its embedding is the mean over tiles."""
        assert self._whole is not None  # noqa: S101  an image has a tile
        if not self._embeddings:
            return FeatureGrid(self._whole[np.newaxis])
        stacked = np.stack(self._embeddings)
        mean = stacked.mean(axis=0, dtype=np.float64, keepdims=True).astype(np.float32)
        return FeatureGrid(self._whole[np.newaxis], mean)
