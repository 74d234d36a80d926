"""Regions that a set declares one by one: whether each can be read and has a saturation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adharness.data.doctor.findings import Finding
from adharness.data.doctor.roster import Roster, class_places
from adharness.data.folder import FolderDataset
from adharness.data.images import read_mask
from adharness.data.layout import TreeLayout
from adharness.data.saturations import declared_regions, read_saturations
from adharness.data.source import FolderSource
from adharness.data.tree import Tree
from adharness.errors import DataError


def check_regions(roster: Roster) -> Iterator[Finding]:
    """Find lists of saturations that cannot be read, and regions that they do not name.

    Only of sets whose layout has such a list in each class, as MVTec LOCO's `defects_config.json`.
    """
    layout, tree = _layout_of(roster), roster.tree
    if layout is None or tree is None or layout.saturations is None:
        return
    for name, place in sorted(_places_of(roster).items()):
        config = f"{place}/{layout.saturations}".lstrip("/")
        items = (item for item in roster.items if item.sample.class_name == name)
        masks = [mask for item in items for mask in item.masks]
        if masks:
            yield from _check_class(tree, config, masks)


def _check_class(tree: Tree, config: str, masks: Sequence[str]) -> Iterator[Finding]:
    try:
        read_saturations(tree.root / config)
    except DataError as error:
        yield Finding(
            "error",
            "unreadable-saturations",
            config,
            error.message,
            "copy the file again: without it no region can be judged",
        )
        return
    for mask in masks:
        try:
            declared_regions([tree.root / mask], tree.root / config)
        except DataError as error:
            if _can_be_read(tree, mask):  # else it is told when the mask is looked at
                yield Finding("error", "undeclared-region", mask, error.message, error.hint or "")


def _can_be_read(tree: Tree, mask: str) -> bool:
    try:
        read_mask(tree.root / mask)
    except DataError:
        return False
    return True


def _layout_of(roster: Roster) -> TreeLayout | None:
    """Give the patterns that describe a set of files; None where another reader finds them."""
    source = roster.dataset.source if isinstance(roster.dataset, FolderDataset) else None
    reader = source.reader if source is not None else None
    return reader if isinstance(reader, TreeLayout) else None


def _places_of(roster: Roster) -> dict[str, str]:
    """Folder of each class of a set with a layout; none where they cannot be found."""
    layout, source = _layout_of(roster), getattr(roster.dataset, "source", None)
    if layout is None or roster.tree is None or not isinstance(source, FolderSource):
        return {}
    try:
        return class_places(roster.tree, source, layout)
    except DataError:  # a finding already
        return {}
