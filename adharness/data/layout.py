"""The layout of a data set, described by patterns: where its images are, and their masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from adharness.contracts import Portion, Sample
from adharness.data.classes import class_folders, has_marks
from adharness.data.draws import Draw
from adharness.data.gather import Gathered, Picture, gather
from adharness.data.images import read_mask
from adharness.data.patterns import Pattern
from adharness.data.source import Found, Wanted
from adharness.data.tree import Tree
from adharness.errors import DataError

Label: TypeAlias = Literal[0, 1, "mask file", "mask pixels"]
_ORDER = {"train": 0, "validation": 1, "test": 2}


@dataclass(frozen=True, slots=True)
class ImageRule:
    """Where images of one kind are.

    Parameters
    ----------
    pattern
        See `Pattern`. Its `{defect}` names the kind of defect, its `{group}` the object that
        several images show.
    portion
        Where the set's owners put them.
    label
        0 normal, 1 anomalous. `mask file`: anomalous where there is a mask; `mask pixels`: where
        the mask is not empty, which decodes every mask while the set is listed.
    """

    pattern: str
    portion: Portion
    label: Label = 0


@dataclass(frozen=True)
class TreeLayout:
    """A reader made of patterns.

    Parameters
    ----------
    images
        The first pattern that an image matches says what it is.
    masks
        Patterns of masks. A mask belongs to the images that share its named parts: it is paired by
        stem, never by order. Several masks that share all of them are joined. Where two patterns
        find masks of an image, the first one's are taken. A mask is never an image.
    optional_masks
        A class without the folder of masks has none; in other classes each anomaly needs its own.
    one_class
        By default each folder of the root is a class, and patterns start in it. Given, patterns
        start at the root, `{class}` names the class, and this is its name where they have none.
    draw
        The owners give no split: which of the normal images train is drawn.
    saturations
        A file of each class's folder that makes its masks declared regions.

    Notes
    -----
    Anomalous images among those that train are left out: every method here learns from normals.
    """

    images: tuple[ImageRule, ...]
    masks: tuple[str, ...] = ()
    optional_masks: bool = False
    one_class: str | None = None
    draw: Draw | None = None
    saturations: str | None = None

    @cached_property
    def image_patterns(self) -> tuple[Pattern, ...]:
        """`images` as patterns."""
        return tuple(Pattern(rule.pattern) for rule in self.images)

    @cached_property
    def mask_patterns(self) -> tuple[Pattern, ...]:
        """`masks` as patterns."""
        return tuple(Pattern(text) for text in self.masks)

    @property
    def drawing(self) -> str:
        """The tree, a line a pattern."""
        above = "<root>/<class>" if self.one_class is None else "<root>"
        drawn = [f"{above}/{p.drawn}.png" for p in (*self.image_patterns, *self.mask_patterns)]
        drawn += [f"{above}/{self.saturations}"] if self.saturations else []
        return "\n".join(dict.fromkeys(drawn))

    def read(self, tree: Tree, wanted: Wanted) -> Iterator[Found]:
        """Find the samples, by class, portion, defect and file name.

        Raises
        ------
        DataError
            Where the root holds no class, a class asked for does not exist, a class has no training
            or no test images, an anomalous image lacks its mask, or a link leaves the root.
        """
        if self.one_class is not None:
            yield from self._from_root(tree, wanted, self.one_class)
            return
        for name, place in self._folders(tree, wanted).items():
            gathered = gather(tree, place, self.image_patterns, self.mask_patterns)
            yield from self._class(tree, place, name, gathered)

    def orphans(self, tree: Tree, wanted: Wanted) -> Iterator[str]:
        """Find the masks that belong to no image, normal ones included. Raises DataError."""
        places = self._folders(tree, wanted).values() if self.one_class is None else [""]
        for place in places:
            yield from gather(tree, place, self.image_patterns, self.mask_patterns).orphans(
                self.mask_patterns
            )

    def _folders(self, tree: Tree, wanted: Wanted) -> dict[str, str]:
        folders = class_folders(tree, self.image_patterns, wanted, self.drawing)
        return {name: folders[name] for name in wanted.choose(folders, tree.root)}

    def _from_root(self, tree: Tree, wanted: Wanted, default: str) -> Iterator[Found]:
        everything = gather(tree, "", self.image_patterns, self.mask_patterns)
        by_class: dict[str, list[Picture]] = {}
        for picture in everything.pictures:
            by_class.setdefault(picture.fields.get("class", default), []).append(picture)
        if not by_class:
            raise DataError(
                f"the root of data set {wanted.name!r} holds no image where they are looked for",
                hint=f"the layout:\n{self.drawing}",
                where=str(tree.root),
            )
        for name in wanted.choose(by_class, tree.root):
            gathered = Gathered(by_class[name], everything.masks)
            yield from self._class(tree, "", name, gathered)

    def _class(self, tree: Tree, place: str, name: str, gathered: Gathered) -> Iterator[Found]:
        read = _ClassReader(self, tree, place, name, gathered)
        found = [one for picture in gathered.pictures for one in read.found(picture)]
        if self.draw:
            drawn = self.draw.portions([one.sample for one in found])
            found = [one._replace(sample=s) for one, s in zip(found, drawn, strict=True)]
        read.check(found)
        yield from sorted(found, key=_place_of)


def _place_of(found: Found) -> tuple[int, str, str]:
    sample = found.sample
    return _ORDER[sample.portion], sample.defect, sample.path


@dataclass(frozen=True)
class _ClassReader:
    """Makes samples of one class's pictures."""

    layout: TreeLayout
    tree: Tree
    place: str
    name: str
    gathered: Gathered

    def found(self, picture: Picture) -> Iterator[Found]:
        """Give the sample; nothing for an anomaly among the images that train."""
        rule = self.layout.images[picture.number]
        masks = self.gathered.masks_of(picture, self.layout.mask_patterns)
        anomalous = self._anomalous(rule.label, masks)
        if anomalous and rule.portion != "test" and not self.layout.draw:
            return
        if not anomalous:
            masks = ()
        elif not masks and self._needs_masks:
            self._complain(picture)
        yield Found(
            Sample(
                path=picture.path,
                class_name=self.name,
                portion="test" if anomalous else rule.portion,
                label=1 if anomalous else 0,
                defect=picture.fields.get("defect", "defective") if anomalous else "good",
                has_mask=bool(masks),
                group=picture.fields.get("group"),
            ),
            masks,
            self._saturations if masks else None,
        )

    def check(self, found: Iterable[Found]) -> None:
        """Raise DataError where nothing trains or nothing is tested."""
        have = {one.sample.portion for one in found}
        for portion in ("train", "test"):
            if portion not in have:
                self._complain_of(portion)

    def _complain_of(self, portion: str) -> None:
        pairs = zip(self.layout.images, self.layout.image_patterns, strict=True)
        places = [p.drawn.rpartition("/")[0] for rule, p in pairs if rule.portion == portion]
        drawn = " or ".join(f"{place}/" for place in dict.fromkeys(places)) or "its folders"
        raise DataError(
            f"class {self.name!r} has no image in {drawn}, so none to {portion}",
            hint=f"the layout:\n{self.layout.drawing}",
            where=str(self.tree.root / self.place),
        )

    def _anomalous(self, label: Label, masks: tuple[str, ...]) -> bool:
        if label == "mask pixels":
            return any(read_mask(self.tree.root / mask).any() for mask in masks)
        return bool(masks) if label == "mask file" else label == 1

    @cached_property
    def _needs_masks(self) -> bool:
        if not self.layout.masks:
            return False
        return not self.layout.optional_masks or has_marks(
            self.tree, self.place, self.layout.mask_patterns
        )

    @cached_property
    def _saturations(self) -> str | None:
        if self.layout.saturations is None:
            return None
        name = f"{self.place}/{self.layout.saturations}".lstrip("/")
        return self.tree.file(name, where=str(self.tree.root / self.place))

    def _complain(self, picture: Picture) -> None:
        image = self.tree.root / picture.path
        expected = self.tree.root / self.place / picture.filled(self.layout.masks[0])
        advice = "; for a set without masks, remove that folder"
        raise DataError(
            f"anomalous image {image} has no mask",
            hint=f"expected {expected}.png{advice if self.layout.optional_masks else ''}",
            where=str(image),
        )


MVTEC = TreeLayout(
    images=(
        ImageRule("train/good/{stem}", "train"),
        ImageRule("validation/good/{stem}", "validation"),
        ImageRule("test/good/{stem}", "test"),
        ImageRule("test/{defect}/{stem}", "test", 1),
    ),
    masks=("ground_truth/{defect}/{stem}_mask", "ground_truth/{defect}/{stem}"),
    optional_masks=True,
)
"""The layout of MVTec AD, which many sets share."""
