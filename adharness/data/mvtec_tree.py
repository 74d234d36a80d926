"""Walks a tree of folders in the MVTec layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adharness.contracts import Licence, Portion, Sample
from adharness.data.images import ENDINGS
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


def existing_root(root: Path | None, source: FolderSource) -> Path:
    """Return the root; a DataError says what was expected, its layout and where to get it."""
    drawn = f"give --data-root DIR, set ADHARNESS_DATA, or write `root:` below `use: {source.name}`"
    drawn += f"; the layout:\n{LAYOUT}"
    drawn += f"\n{source.origin}" if source.origin else ""
    if root is None:
        raise DataError(
            f"data set {source.name!r} needs its root folder ({source.folder}), and none was given",
            hint=drawn,
        )
    root = root.expanduser()
    if not root.is_dir():
        fact = "is not a folder" if root.exists() else "does not exist"
        raise DataError(
            f"the root of data set {source.name!r} ({source.folder}) {fact}: {root}",
            hint=drawn,
            where=str(root),
        )
    return root


def class_folders(root: Path, source: FolderSource) -> dict[str, Path]:
    """Folders of the classes in a root, by name. Raises DataError where there is none."""
    folders = {path.name: path for path in _folders(root) if _is_class(path)}
    if folders:
        return folders
    inner = [
        path for path in _folders(root) if any(_has_portion(child) for child in _folders(path))
    ]
    hint = f"did you mean {inner[0]}?" if inner else f"the layout:\n{LAYOUT}"
    raise DataError(
        f"the root of data set {source.name!r} holds no class: no folder in {root} "
        "has a train/ or test/ folder",
        hint=hint,
        where=str(root),
    )


def _is_class(folder: Path) -> bool:
    # An empty folder is a copy that stopped, not a stray one: it is reported, not skipped.
    return _has_portion(folder) or not _visible(folder)


def _has_portion(folder: Path) -> bool:
    return (folder / "train").is_dir() or (folder / "test").is_dir()


def read_class(name: str, folder: Path, root: Path) -> Iterator[tuple[Sample, Path | None]]:
    """Read the images of one class, each with its mask's path, by portion, defect and file name.

    Raises
    ------
    DataError
        Where the class has no training or no test images, or an anomalous image lacks its mask
        although the class has a `ground_truth` folder.
    """
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
