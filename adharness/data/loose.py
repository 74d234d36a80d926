"""Images named on the command line: no labels, no classes, nothing is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adharness.arrays import UInt8
from adharness.contracts import ContentHash, Licence, Sample
from adharness.data.images import hash_file, read_image
from adharness.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class LooseImages:
    """A data set of single files, in the order given."""

    paths: Sequence[Path]

    @property
    def licence(self) -> Licence:
        """Nobody said."""
        return Licence("not stated")

    def samples(self) -> list[Sample]:
        """One sample a file, named by its path as given; the label says nothing."""
        return [Sample(str(path), "unknown", "test", 0) for path in self.paths]

    def fingerprint(self, sample: Sample) -> ContentHash:
        """Hash the file's bytes."""
        return ContentHash(hash_file(Path(sample.path)), None)

    def image(self, sample: Sample) -> UInt8:
        """Read a picture, (H, W, 3) uint8. Raises DataError naming the file."""
        return read_image(Path(sample.path))

    def mask(self, sample: Sample) -> None:
        """There is none."""


def image_files(paths: Iterable[Path]) -> list[Path]:
    """List the files, and the images in and below the folders, sorted within each.

    Raises
    ------
    DataError
        Where a path does not exist or a folder holds no image.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
            if not inside:
                endings = ", ".join(SUFFIXES)
                raise DataError(f"no image is in {path}", hint=f"images end in {endings}")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise DataError(f"there is no {path}")
    return found
