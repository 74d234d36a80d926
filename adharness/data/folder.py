"""Data sets kept as folders in the MVTec layout."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pydantic import Field

from adharness.arrays import Bool, UInt8
from adharness.contracts import SETTING, ContentHash, DatasetSpec, Licence, Params, Sample
from adharness.data.choice import choose_classes
from adharness.data.images import hash_file, image_size, read_image, read_mask
from adharness.data.mvtec_tree import FolderSource, class_folders, existing_root, read_class
from adharness.errors import DataError


class FolderParams(Params):
    """Parameters of `folder`."""

    root: Path | None = Field(
        None, description="folder that holds the classes", json_schema_extra=SETTING
    )
    classes: tuple[str, ...] | None = Field(None, description="classes to read; all by default")
    show_pixels: bool = Field(
        False, description="a published page may show the images", json_schema_extra=SETTING
    )
    licence: str = Field(
        "unknown", description="the licence, as printed on the board", json_schema_extra=SETTING
    )


class FolderDataset:
    """A data set in the MVTec layout; a root that holds `train/` and `test/` is one class itself.

    Files are told by their ending, in any case; hidden and other files are ignored; nothing below
    the folders of `LAYOUT` is searched. A mask belongs to the image with its stem, or with its stem
    without `_mask`. A class without a `ground_truth` folder has no masks; in one that has it, each
    anomalous image needs its mask.

    Parameters
    ----------
    root
        Folder that holds the classes; None raises on the first read.
    source
        What is known of the set.
    classes
        Classes to read; by default all, and where `source` names the classes of the complete set,
        all of them must be there.
    """

    def __init__(
        self, root: Path | None, source: FolderSource, classes: tuple[str, ...] | None = None
    ) -> None:
        self._root = root
        self._source = source
        self._classes = classes

    @property
    def licence(self) -> Licence:
        """What may be done with the pictures."""
        return self._source.licence

    def samples(self) -> tuple[Sample, ...]:
        """All images, by class, portion, defect and file name.

        Raises
        ------
        DataError
            Where the root is missing or holds no class, a class asked for does not exist, a class
            has no training or no test images, or an anomalous image lacks its mask.
        """
        return tuple(self._found)

    def fingerprint(self, sample: Sample) -> ContentHash:
        """Hash the bytes of the image's file and of its mask's."""
        mask = self._mask_path(sample)
        return ContentHash(
            image=hash_file(self._place / sample.path), mask=hash_file(mask) if mask else None
        )

    def image(self, sample: Sample) -> UInt8:
        """(H, W, 3) uint8 RGB; see `adharness.data.images` for the rules."""
        return read_image(self._place / sample.path)

    def image_size(self, sample: Sample) -> tuple[int, int]:
        """(height, width) from the file's header. Raises DataError naming the file."""
        return image_size(self._place / sample.path)

    def mask(self, sample: Sample) -> Bool | None:
        """(H, W) bool, or None. Raises DataError where its size is not the image's."""
        path = self._mask_path(sample)
        if path is None:
            return None
        mask = read_mask(path)
        height, width = self.image_size(sample)
        if mask.shape != (height, width):
            raise DataError(
                f"mask {path.name!r} is {mask.shape[1]} x {mask.shape[0]} pixels, "
                f"but its image {sample.path!r} is {width} x {height}",
                hint="a mask has its image's size: scale it with nearest-neighbour sampling",
                where=str(path),
            )
        return mask

    @property
    def _place(self) -> Path:
        return existing_root(self._root, self._source)

    @cached_property
    def _found(self) -> dict[Sample, Path | None]:
        """Each sample with its mask's path."""
        place = self._place
        if (place / "train").is_dir() and (place / "test").is_dir():
            folders = {place.resolve().name: place}
        else:
            folders = class_folders(place, self._source)
        known = self._source.classes
        names = choose_classes(
            self._source.name, list(folders), wanted=self._classes, complete=known, where=place
        )
        found: dict[Sample, Path | None] = {}
        for name in names:
            found.update(read_class(name, folders[name], place))
        return found

    def _mask_path(self, sample: Sample) -> Path | None:
        try:
            return self._found[sample]
        except KeyError:
            raise DataError(f"{sample.path!r} is no image of {self._source.name!r}") from None


def _make(params: FolderParams) -> FolderDataset:
    licence = Licence(params.licence, show_pixels=params.show_pixels)
    return FolderDataset(params.root, FolderSource("folder", licence), params.classes)


FOLDER = DatasetSpec(
    name="folder",
    params=FolderParams,
    make=_make,
    summary="Your own images, in folders of the MVTec layout.",
    source="Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 2021 (the layout)",
)
