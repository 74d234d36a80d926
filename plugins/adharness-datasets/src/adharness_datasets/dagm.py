"""DAGM 2007: ten artificial textures with coarse masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adharness import DataError, Expected, Licence
from adharness.data import Found, ImageRule, Tree, TreeLayout, Wanted
from adharness_datasets.published import About, published

_LAYOUT = TreeLayout(
    images=(
        ImageRule("{part=Train}/{stem}", "train", "mask file"),
        ImageRule("{part=Test}/{stem}", "test", "mask file"),
    ),
    masks=("{part}/Label/{stem}_label",),
)


@dataclass(frozen=True)
class DagmReader:
    """Reads the folders: an image with a mask is defective, and those that train are left out.

    A mask that was lost in copying would make a defect a normal image; so each file that a
    `Labels.txt` names must be there.
    """

    layout: TreeLayout = _LAYOUT

    @property
    def drawing(self) -> str:
        """The folders."""
        return f"{self.layout.drawing}\n<root>/<class>/Train/Label/Labels.txt   (optional)"

    def read(self, tree: Tree, wanted: Wanted) -> Iterator[Found]:
        """Find the samples. Raises DataError as a layout does, or where a named file is missing."""
        checked: set[str] = set()
        for found in self.layout.read(tree, wanted):
            name = found.sample.class_name
            if name not in checked:
                checked.add(name)
                for part in ("Train", "Test"):
                    _check(tree, f"{name}/{part}")
            yield found

    def orphans(self, tree: Tree, wanted: Wanted) -> Iterable[str]:
        """Find the masks without an image, as the layout does."""
        return self.layout.orphans(tree, wanted)


def _check(tree: Tree, part: str) -> None:
    folder = f"{part}/Label"
    if "Labels.txt" not in tree.listing(folder).files:
        return
    path = tree.root / tree.file(f"{folder}/Labels.txt", where=str(tree.root / folder))
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the list {path}: {error}", where=str(path)) from error
    for number, line in enumerate(lines, 1):
        for word in line.split():
            if word.lower().endswith(".png"):
                place = folder if "_label" in word.lower() else part
                tree.file(f"{place}/{word}", where=f"{path}:{number}")


DAGM = published(
    "dagm",
    About(
        summary="DAGM 2007: ten textures with coarse masks; defective training images left out.",
        citation="Wieler and Hahn, Weakly Supervised Learning for Industrial Optical Inspection, "
        "DAGM 2007",
        url="https://hci.iwr.uni-heidelberg.de/content/"
        "weakly-supervised-learning-industrial-optical-inspection",
        folder="usually called DAGM2007, with Class1/, Class2/, ... in it",
    ),
    Licence("not stated", show_pixels=False),
    Expected(tuple(f"Class{number}" for number in range(1, 11))),
    DagmReader(),
)
