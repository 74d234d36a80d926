"""Data sets kept as folders in the MVTec layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import Field

from adharness.arrays import Bool, UInt8
from adharness.contracts import (
    SETTING,
    ContentHash,
    DatasetSpec,
    Licence,
    Params,
    Portion,
    Sample,
)
from adharness.data.choice import choose_classes
from adharness.data.images import ENDINGS, hash_file, image_size, read_image, read_mask
from adharness.errors import DataError

LAYOUT = """\
<root>/<class>/train/good/000.png
<root>/<class>/test/good/000.png
<root>/<class>/test/<defect>/000.png
<root>/<class>/ground_truth/<defect>/000_mask.png   (optional; 000.png works too)
<root>/<class>/validation/good/000.png              (optional)"""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """What is known of a folder data set before it is read.

    Parameters
    ----------
    name
        The data set's name, for messages.
    licence
        What may be done with its pictures.
    folder
        What the root folder is usually called.
    origin
        Where the data comes from, as a sentence.
    classes
        The classes of the complete set; None where any class folder counts.
    """

    name: str
    licence: Licence
    folder: str = "a folder of classes"
    origin: str = ""
    classes: tuple[str, ...] | None = None


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

    def mask(self, sample: Sample) -> Bool | None:
        """(H, W) bool, or None. Raises DataError where its size is not the image's."""
        path = self._mask_path(sample)
        if path is None:
            return None
        mask = read_mask(path)
        height, width = image_size(self._place / sample.path)
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
        return _existing(self._root, self._source)

    @cached_property
    def _found(self) -> dict[Sample, Path | None]:
        """Each sample with its mask's path."""
        place = self._place
        if (place / "train").is_dir() and (place / "test").is_dir():
            folders = {place.resolve().name: place}
        else:
            folders = _class_folders(place, self._source)
        known = self._source.classes
        names = choose_classes(
            self._source.name, list(folders), wanted=self._classes, complete=known, where=place
        )
        found: dict[Sample, Path | None] = {}
        for name in names:
            found.update(_read_class(name, folders[name], place))
        return found

    def _mask_path(self, sample: Sample) -> Path | None:
        try:
            return self._found[sample]
        except KeyError:
            raise DataError(f"{sample.path!r} is no image of {self._source.name!r}") from None


def _existing(root: Path | None, source: FolderSource) -> Path:
    drawn = f"give --data-root DIR, set ADHARNESS_DATA, or write `root:` below `use: {source.name}`"
    drawn += f"; the layout:\n{LAYOUT}"
    drawn += f"\n{source.origin}" if source.origin else ""
    if root is None:
        raise DataError(
            f"data set {source.name!r} needs its root folder ({source.folder}), and none was given",
            hint=drawn,
        )
    if not root.is_dir():
        fact = "is not a folder" if root.exists() else "does not exist"
        raise DataError(
            f"the root of data set {source.name!r} ({source.folder}) {fact}: {root}",
            hint=drawn,
            where=str(root),
        )
    return root


def _class_folders(root: Path, source: FolderSource) -> dict[str, Path]:
    folders = {path.name: path for path in _folders(root) if _is_class(path)}
    if folders:
        return folders
    inner = [path for path in _folders(root) if any(_is_class(child) for child in _folders(path))]
    hint = f"did you mean {inner[0]}?" if inner else f"the layout:\n{LAYOUT}"
    raise DataError(
        f"the root of data set {source.name!r} holds no class: no folder in {root} "
        "has a train/ or test/ folder",
        hint=hint,
        where=str(root),
    )


def _is_class(folder: Path) -> bool:
    # An empty folder is a copy that stopped, not a stray one: it is reported, not skipped.
    return (folder / "train").is_dir() or (folder / "test").is_dir() or not _visible(folder)


def _read_class(name: str, folder: Path, root: Path) -> Iterator[tuple[Sample, Path | None]]:
    masks = _masks(folder)
    counts = {"train": 0, "test": 0, "validation": 0}
    for portion, defect, path in _images(folder):
        counts[portion] += 1
        mask = _mask_of(path, defect, masks, folder) if masks is not None else None
        relative = _readable_name(path, root)
        yield (
            Sample(
                path=relative,
                class_name=name,
                portion=portion,
                label=0 if defect == "good" else 1,
                defect=defect,
                has_mask=mask is not None,
            ),
            mask,
        )
    for portion, expected in (("train", "train/good"), ("test", "test")):
        if counts[portion] == 0:
            raise DataError(
                f"class {name!r} has no image in {expected}/",
                hint=f"the layout:\n{LAYOUT}",
                where=str(folder / expected),
            )


def _images(folder: Path) -> Iterator[tuple[Portion, str, Path]]:
    for path in _pictures(folder / "train" / "good"):
        yield "train", "good", path
    for path in _pictures(folder / "validation" / "good"):
        yield "validation", "good", path
    for defect in _folders(folder / "test"):
        for path in _pictures(defect):
            yield "test", defect.name, path


def _masks(folder: Path) -> dict[tuple[str, str], Path] | None:
    """Masks by (defect, stem); None for a class without a ground_truth folder."""
    truth = folder / "ground_truth"
    if not truth.is_dir():
        return None
    return {(kind.name, path.stem): path for kind in _folders(truth) for path in _pictures(kind)}


def _mask_of(
    image: Path, defect: str, masks: dict[tuple[str, str], Path], folder: Path
) -> Path | None:
    if defect == "good":
        return None
    mask = masks.get((defect, f"{image.stem}_mask")) or masks.get((defect, image.stem))
    if mask is None:
        expected = folder / "ground_truth" / defect / f"{image.stem}_mask.png"
        raise DataError(
            f"anomalous image {image} has no mask",
            hint=f"expected {expected}; for a set without masks, remove its ground_truth folder",
            where=str(image),
        )
    return mask


def _readable_name(path: Path, root: Path) -> str:
    name = path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"the name of {name!r} is not UTF-8", hint="rename the file", where=repr(str(path))
        ) from error
    return name


def _folders(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir()]


def _pictures(folder: Path) -> list[Path]:
    return [p for p in _visible(folder) if p.suffix.lower() in ENDINGS and p.is_file()]


def _visible(folder: Path) -> list[Path]:
    """List a folder without hidden things, by name; nothing where there is no such folder."""
    if not folder.is_dir():
        return []
    try:
        inside = [p for p in folder.iterdir() if not p.name.startswith(".")]
    except OSError as error:
        raise DataError(f"cannot list folder {folder}: {error}", where=str(folder)) from error
    return sorted(inside, key=lambda p: p.name)


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
