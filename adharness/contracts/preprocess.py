"""What the engine does to a native image before an extractor sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from adharness.errors import ContractError

Margins: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How a native image becomes an extractor's input: one resize, and a centre crop if asked for.

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

    Raises
    ------
    ContractError
        If the crop is empty or larger than the resized image.
    """

    height: int
    width: int
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    crop: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not all(0 < c <= s for c, s in zip(self.input_size, self._resized, strict=True)):
            raise ContractError(
                f"cannot keep a crop of {self.crop} out of {self.height} x {self.width} pixels"
            )

    @property
    def _resized(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) in pixels of what `extract` is given."""
        return self._resized if self.crop is None else self.crop

    @property
    def margins(self) -> Margins:
        """Pixels of the resized image that the crop cuts off: top, bottom, left and right.

        Of an odd number torchvision's `CenterCrop` is followed: halves are rounded to even.
        """
        (top, bottom), (left, right) = (
            (round((side - kept) / 2), side - kept - round((side - kept) / 2))
            for side, kept in zip(self._resized, self.input_size, strict=True)
        )
        return top, bottom, left, right
