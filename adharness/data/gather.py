"""The pictures below a folder, told into images and masks, and each image's masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adharness.data.patterns import Fields, Hit, Pattern, fill, walk
from adharness.data.tree import Tree

_Key = tuple[str, ...]


class Picture(NamedTuple):
    """An image: its name relative to the root, the pattern it matches, and what that remembers."""

    path: str
    number: int
    fields: Fields

    def filled(self, text: str) -> str:
        """Write the image's parts into another pattern, as far as it has them."""
        return fill(text, self.fields)


@dataclass(frozen=True)
class Gathered:
    """Images, and masks by pattern and by the values of the parts that the pattern names."""

    pictures: Sequence[Picture]
    masks: Mapping[tuple[int, _Key], Sequence[str]]

    def masks_of(self, picture: Picture, patterns: Sequence[Pattern]) -> tuple[str, ...]:
        """Give the masks that share the image's named parts; the first pattern with any wins."""
        for number, pattern in enumerate(patterns):
            if (key := _key(picture.fields, pattern)) and (number, key) in self.masks:
                return tuple(self.masks[number, key])
        return ()

    def orphans(self, patterns: Sequence[Pattern]) -> list[str]:
        """Give the masks that are no image's, by name."""
        paired = {mask for picture in self.pictures for mask in self.masks_of(picture, patterns)}
        return sorted({mask for masks in self.masks.values() for mask in masks} - paired)


def gather(tree: Tree, place: str, images: Sequence[Pattern], masks: Sequence[Pattern]) -> Gathered:
    """Walk once; a picture that matches a pattern of masks is no image."""
    pictures: list[Picture] = []
    by_key: dict[tuple[int, _Key], list[str]] = {}
    for hit in walk(tree, place, (*masks, *images)):
        if not _take_mask(hit, masks, by_key):
            number = min(hit.matches)
            pictures.append(Picture(hit.path, number - len(masks), hit.matches[number]))
    return Gathered(pictures, by_key)


def _take_mask(
    hit: Hit, masks: Sequence[Pattern], by_key: dict[tuple[int, _Key], list[str]]
) -> bool:
    numbers = [number for number in hit.matches if number < len(masks)]
    for number in numbers:
        key = _key(hit.matches[number], masks[number])
        if key is not None:
            by_key.setdefault((number, key), []).append(hit.path)
    return bool(numbers)


def _key(fields: Fields, pattern: Pattern) -> _Key | None:
    """Give the values of the parts that a pattern names; None where one is not known."""
    if not set(pattern.named) <= fields.keys():
        return None
    return tuple(fields[name] for name in pattern.named)
