"""What the engine does to a native image before an extractor sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from adharness.errors import ContractError

Margins: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Tile:
    """Windows that an extractor sees one by one, in rows from the top left.

    Neighbours share `overlap` pixels; the last of a row or column ends with the image, so it may
    share more.

    Parameters
    ----------
    height, width
        Of a tile, in pixels of the resized image.
    overlap
        Least number of pixels that neighbours share, along both axes.
    blend
        Where tiles overlap a patch is the mean of theirs, weighted by the distance to the border of
        the tile (`linear`: no seam), or that of the tile whose border is farthest (`nearest`: as
        if untiled wherever a patch sees no farther than half the overlap).

    Raises
    ------
    ContractError
        If a tile is empty, or neighbours would share all of it.
    """

    height: int
    width: int
    overlap: int = 0
    blend: Literal["linear", "nearest"] = "linear"

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < min(self.height, self.width):
            raise ContractError(
                f"tiles of {self.height} x {self.width} pixels cannot overlap by {self.overlap}",
                hint="the overlap is at least 0, and less than a side of the tile",
            )

    def starts(self, size: tuple[int, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """First rows and first columns of the tiles of an image of this (height, width).

        Examples
        --------
        >>> Tile(4, 4, overlap=1).starts((10, 4))
        ((0, 3, 6), (0,))
        >>> Tile(4, 4, overlap=1).starts((9, 5))
        ((0, 3, 5), (0, 1))
        """
        rows, columns = (
            (*range(0, side - long, long - self.overlap), side - long)
            for side, long in zip(size, (self.height, self.width), strict=True)
        )
        return rows, columns


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How a native image becomes an extractor's input: one resize; crop and tiles if asked for.

    Parameters
    ----------
    height, width
        Size in pixels after the resize, which squashes an image of another shape. (torchvision's
        `Resize(256)` keeps the shape: the two agree on square images.)
    interpolation
        Pillow's filter; `bilinear` and `bicubic` are antialiased on the way down.
    crop
        (height, width) kept in the middle after the resize; None keeps all. What lies outside is
        never seen: in an anomaly map it gets the lowest score of the image.
    pad
        Keep the shape of the image: it is resized until it touches two sides, and its edge pixels
        are repeated up to the others. A map is cut to where the image was.
    tile
        What the extractor is given at a time; None: all that is kept. Features of the tiles are
        laid into one grid.

    Raises
    ------
    ContractError
        If the crop is empty or larger than the resized image, or a tile larger than what is kept.
    """

    height: int
    width: int
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    crop: tuple[int, int] | None = None
    pad: bool = False
    tile: Tile | None = None

    def __post_init__(self) -> None:
        if not all(0 < c <= s for c, s in zip(self.seen_size, self._resized, strict=True)):
            raise ContractError(
                f"cannot keep a crop of {self.crop} out of {self.height} x {self.width} pixels"
            )
        if not all(t <= s for t, s in zip(self.input_size, self.seen_size, strict=True)):
            (height, width), (rows, columns) = self.input_size, self.seen_size
            raise ContractError(
                f"a tile of {height} x {width} is larger than the {rows} x {columns} pixels seen"
            )

    @property
    def _resized(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def seen_size(self) -> tuple[int, int]:
        """(height, width) in pixels of all that is seen of an image, in one piece or in tiles."""
        return self._resized if self.crop is None else self.crop

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) in pixels of what `extract` is given: a tile, or all that is seen."""
        return self.seen_size if self.tile is None else (self.tile.height, self.tile.width)

    @property
    def margins(self) -> Margins:
        """Pixels of the resized image that the crop cuts off: top, bottom, left and right.

        Of an odd number torchvision's `CenterCrop` is followed: halves are rounded to even.
        """
        (top, bottom), (left, right) = (
            (round((side - kept) / 2), side - kept - round((side - kept) / 2))
            for side, kept in zip(self._resized, self.seen_size, strict=True)
        )
        return top, bottom, left, right


def padding(native: tuple[int, int], resized: tuple[int, int]) -> Margins:
    """Pixels that are added to an image of one shape to fill another: top, bottom, left, right.

    Parameters
    ----------
    native
        (height, width) of the image.
    resized
        (height, width) that it is to fill, in pixels of which the margins are.

    Notes
    -----
    A side is rounded to whole pixels, halves to even, and is at least 1: so an image is stretched
    by less than half a pixel. Of an odd number the extra pixel is added below or on the right.

    Examples
    --------
    >>> padding((100, 200), (64, 64))
    (16, 16, 0, 0)
    >>> padding((50, 50), (64, 64))
    (0, 0, 0, 0)
    """
    scale = min(side / long for side, long in zip(resized, native, strict=True))
    (top, bottom), (left, right) = (
        _halves(side - min(max(round(long * scale), 1), side))
        for side, long in zip(resized, native, strict=True)
    )
    return top, bottom, left, right


def _halves(count: int) -> tuple[int, int]:
    return count // 2, count - count // 2
