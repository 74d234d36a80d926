"""What a data set holds, gathered without giving up at the first thing that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from adharness.contracts import Dataset, Sample
from adharness.data.classes import class_folders, has_marks
from adharness.data.doctor.findings import Finding
from adharness.data.folder import FolderDataset
from adharness.data.gather import Gathered, Picture, gather
from adharness.data.images import ENDINGS, read_mask
from adharness.data.layout import ImageRule, TreeLayout
from adharness.data.source import FolderSource, Wanted
from adharness.data.tree import Tree
from adharness.errors import DataError


@dataclass(frozen=True, slots=True)
class Item:
    """A sample, and the files of its mask by name relative to the root."""

    sample: Sample
    masks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roster:
    """The samples of a set.

    Parameters
    ----------
    dataset
        Gives the pixels of a set that lies in no folder.
    tree
        The folder; None for a set that is generated or comes with a package.
    items
        Every sample that could be found.
    orphans
        Masks that belong to no image.
    left_out
        Files of defective images among those that train, which no method here learns from.
    loose
        Pictures of a folder whose layout could not be read: decoded, and nothing else.
    findings
        What was wrong on the way.
    """

    dataset: Dataset | None
    tree: Tree | None = None
    items: list[Item] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def known(self) -> set[str]:
        """Every file that something reads."""
        masks = (mask for item in self.items for mask in item.masks)
        images = (item.sample.path for item in self.items)
        return {*images, *masks, *self.orphans, *self.left_out, *self.loose}


def take_stock(dataset: Dataset, root: Path | None) -> Roster:
    """Find the samples of a set.

    Notes
    -----
    A set of files described by patterns is gathered class by class, so that one missing mask hides
    nothing. Any other reader is asked once; where it refuses, its message is a finding, and the
    pictures below the root are looked at as files.
    """
    if root is None:
        return _asked(dataset, None)
    tree = Tree(root.expanduser())
    source = dataset.source if isinstance(dataset, FolderDataset) else None
    if source is not None and isinstance(source.reader, TreeLayout):
        return _gathered(dataset, tree, source, source.reader)
    return _asked(dataset, tree)


def all_pictures(tree: Tree, place: str = "") -> Iterator[str]:
    """Every picture in and below a folder, told by its ending, hidden ones left out."""
    todo = [place]
    while todo:
        here = todo.pop()
        inside = tree.listing(here)
        prefix = f"{here}/" if here else ""
        todo += sorted((prefix + name for name in inside.folders), reverse=True)
        yield from sorted(prefix + n for n in inside.files if Path(n).suffix.lower() in ENDINGS)


def refusal(error: DataError, check: str = "unreadable-set") -> Finding:
    """Turn a reader's complaint into a finding."""
    return Finding("error", check, "", error.message, error.hint or "see the reader's README")


def _asked(dataset: Dataset, tree: Tree | None) -> Roster:
    roster = Roster(dataset, tree)
    files = dataset if isinstance(dataset, FolderDataset) else None
    try:
        for sample in dataset.samples():
            masks = files.truth(sample) if files else ()
            pictures = tuple(name for name in masks if Path(name).suffix.lower() in ENDINGS)
            roster.items.append(Item(sample, pictures))
        roster.orphans.extend(files.unpaired_masks() if files else ())
    except DataError as error:
        roster.findings.append(refusal(error))
        roster.loose.extend(pictures_or_nothing(tree))
    return roster


def pictures_or_nothing(tree: Tree | None) -> Iterable[str]:
    """Every picture of a folder; nothing where a link or a name stops the walk."""
    try:
        return list(all_pictures(tree)) if tree is not None else []
    except DataError:
        return []


def _gathered(dataset: Dataset, tree: Tree, source: FolderSource, layout: TreeLayout) -> Roster:
    roster = Roster(dataset, tree)
    try:
        places = class_places(tree, source, layout)
    except DataError as error:
        roster.findings.append(refusal(error, "missing-folder"))
        roster.loose.extend(pictures_or_nothing(tree))
        return roster
    for name, place in sorted(places.items()):
        try:
            _add_class(roster, layout, name, place)
        except DataError as error:
            roster.findings.append(refusal(error))
    return roster


def class_places(tree: Tree, source: FolderSource, layout: TreeLayout) -> dict[str, str]:
    """Folder of each class. Raises DataError where they cannot be told."""
    if layout.one_class is not None:
        return {layout.one_class: ""}
    wanted = Wanted(source.name, None, source.classes)
    return class_folders(tree, layout.image_patterns, wanted, layout.drawing)


def _add_class(roster: Roster, layout: TreeLayout, name: str, place: str) -> None:
    assert roster.tree is not None  # noqa: S101  only sets of files are gathered
    gathered = gather(roster.tree, place, layout.image_patterns, layout.mask_patterns)
    masked = bool(layout.masks) and (
        not layout.optional_masks or has_marks(roster.tree, place, layout.mask_patterns)
    )
    read = _Class(roster, layout, name, gathered, masked)
    items = [item for picture in gathered.pictures for item in read.item(picture)]
    if layout.draw:
        drawn = layout.draw.portions([item.sample for item in items])
        items = [Item(s, i.masks) for s, i in zip(drawn, items, strict=True)]
    roster.items.extend(items)
    claimed = {*roster.left_out, *(mask for item in items for mask in item.masks)}
    roster.orphans.extend(set(gathered.orphans(layout.mask_patterns)) - claimed)
    roster.findings.extend(_empty_portions(place, items, layout.images, layout))


@dataclass(frozen=True)
class _Class:
    """Reads the images of one class."""

    roster: Roster
    layout: TreeLayout
    name: str
    gathered: Gathered
    masked: bool

    def item(self, picture: Picture) -> Iterator[Item]:
        """Give the image with its masks; nothing for an anomaly among the images that train."""
        rule = self.layout.images[picture.number]
        masks = self._masks(picture)
        label = self._label(rule.label, masks)
        if label and rule.portion != "test" and not self.layout.draw:
            self.roster.left_out.extend((picture.path, *masks))
            return
        if label and not masks and self.masked:
            self.roster.findings.append(self._without_mask(picture))
        portion = "test" if label else rule.portion
        defect = picture.fields.get("defect", "defective") if label else "good"
        group = picture.fields.get("group")
        name = picture.fields.get("class", self.name)
        yield Item(Sample(picture.path, name, portion, label, defect, bool(masks), group), masks)

    def _masks(self, picture: Picture) -> tuple[str, ...]:
        patterns = self.layout.mask_patterns
        found = self.gathered.masks_of(picture, patterns)
        tested = self.layout.images[picture.number].portion == "test"
        if found or "defect" in picture.fields or not tested:
            return found
        # A normal image's pattern names no defect, but people do write `ground_truth/good/`.
        named = picture._replace(fields={**picture.fields, "defect": "good"})
        return self.gathered.masks_of(named, patterns)

    def _label(
        self, said: Literal[0, 1, "mask file", "mask pixels"], masks: tuple[str, ...]
    ) -> Literal[0, 1]:
        if said in (0, 1):
            return said
        if said == "mask file":
            return 1 if masks else 0
        return 1 if any(self._marks(mask) for mask in masks) else 0

    def _marks(self, mask: str) -> bool:
        assert self.roster.tree is not None  # noqa: S101  as in `_add_class`
        try:
            return bool(read_mask(self.roster.tree.root / mask).any())
        except DataError:  # found again, and told, when the mask is looked at
            return False

    def _without_mask(self, picture: Picture) -> Finding:
        expected = picture.filled(self.layout.masks[0])
        return Finding(
            "error",
            "missing-mask",
            picture.path,
            "an anomalous image without its mask, in a class that has masks",
            f"add {self.name}/{expected}.png, or remove the image",
        )


def _empty_portions(
    place: str, items: Sequence[Item], rules: Sequence[ImageRule], layout: TreeLayout
) -> Iterator[Finding]:
    have = {item.sample.portion for item in items}
    for portion in ("train", "test"):
        if portion in have:
            continue
        numbered = enumerate(rules)
        drawn = [layout.image_patterns[i].drawn for i, rule in numbered if rule.portion == portion]
        folder = drawn[0].rpartition("/")[0] if drawn else ""
        path = "/".join(filter(None, (place, folder)))
        yield Finding(
            "error",
            "missing-folder",
            path,
            f"no image to {portion}: the folder is missing or empty",
            "copy the set again, or leave the class out with `classes:`",
        )
