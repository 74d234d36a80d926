"""Outputs made elsewhere, looked up by the name of the image: who may be told it, and what for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from adharness.contracts.preprocess import Preprocess
from adharness.contracts.records import FeatureGrid, Scores


@dataclass(frozen=True, slots=True)
class ImageName:
    """What a component that looks outputs up by name is told of an image, and no more.

    Parameters
    ----------
    path
        As `Sample.path`. It may reveal the label (`test/scratch/000.png`), so that only components
        whose record says `imported` are told it, and the board marks their rows.
    class_name
        The object or texture shown.
    """

    path: str
    class_name: str


@runtime_checkable
class LookupExtractor(Protocol):
    """Features made elsewhere, found by the image's name. Its record says `imported`.

    The engine then decodes no image: native sizes come from a `Headed` data set's headers.
    """

    @property
    def preprocess(self) -> Preprocess:
        """What was done to the images before the features were made."""

    def fingerprint(self) -> str:
        """Hash all that can be looked up: the files' content."""

    def look_up(self, image: ImageName) -> FeatureGrid:
        """Features of one image, N = 1. Raises DataError naming the file and its row."""


@runtime_checkable
class LookupScorer(Protocol):
    """Scores made elsewhere, found by the image's name. Its record says `imported`.

    It fits on a memory of kind `nothing`, and so has no `fit`.
    """

    def fingerprint(self, images: Sequence[ImageName]) -> str:
        """Hash what would be found for these images; it changes with any byte of it."""

    def look_up(self, image: ImageName) -> Scores | None:
        """Give what was made of one image, N = 1; None where nothing was.

        `patches` is then a finished map (1, H, W) of any size: at the image's native size it is
        judged as it is. Raises DataError naming the file.
        """
