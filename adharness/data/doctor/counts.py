"""How many images there are of each kind, and whether that is what the owners published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from adharness.contracts import Counts, Expected, Portion
from adharness.data.doctor.findings import Finding
from adharness.data.doctor.looks import Look
from adharness.data.doctor.roster import Item, Roster

_KINDS: tuple[tuple[Portion, Literal[0, 1]], ...] = (
    ("train", 0),
    ("test", 0),
    ("test", 1),
    ("validation", 0),
)


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """What a class has: images of each kind, those with a mask, and what is published of it."""

    name: str
    found: Counts
    masks: int
    expected: Counts | None = None


def count(items: Sequence[Item], expected: Expected | None) -> tuple[ClassCounts, ...]:
    """Count the images of each class, sorted by its name."""
    kinds = Counter((i.sample.class_name, i.sample.portion, i.sample.label) for i in items)
    masks = Counter(i.sample.class_name for i in items if i.sample.has_mask)
    published = expected.counts if expected else {}
    return tuple(
        ClassCounts(
            name,
            Counts(*(kinds[name, portion, label] for portion, label in _KINDS)),
            masks[name],
            published.get(name),
        )
        for name in sorted({item.sample.class_name for item in items})
    )


def check_counts(counts: Sequence[ClassCounts], expected: Expected | None) -> Iterator[Finding]:
    """Classes that are missing or too many, and numbers that are not the published ones."""
    have = {each.name for each in counts}
    known = expected.classes if expected else ()
    for name in sorted(set(known) - have):
        fact = f"class {name!r} of the {len(known)} published ones has no image here"
        cure = "copy it again; or list the classes you want under `classes:` in the suite"
        yield Finding("error", "missing-class", name, fact, cure)
    for each in counts:
        if each.expected is not None and each.expected != each.found:
            yield _wrong(each.name, each.found, each.expected)


def _wrong(name: str, found: Counts, expected: Counts) -> Finding:
    pairs = zip(Counts._fields, found, expected, strict=True)
    said = ", ".join(f"{kind} {has} instead of {should}" for kind, has, should in pairs
                     if has != should)  # fmt: skip
    cure = "copy the class again: numbers on another set are not comparable with published ones"
    return Finding(
        "error", "wrong-count", name, f"not the published numbers of images: {said}", cure
    )


def check_masks(roster: Roster, counts: Sequence[ClassCounts]) -> Iterator[Finding]:
    """Masks without an image; classes without masks where others have them."""
    for name in roster.orphans:
        cure = "rename it after its image, or remove it"
        yield Finding("warning", "orphan-mask", name, "a mask that belongs to no image", cure)
    anomalous = [each for each in counts if each.found.anomalous]
    bare = [each for each in anomalous if not each.masks]
    if bare and len(bare) == len(anomalous):
        fact = "the set has image labels only: there is no mask"
        yield Finding("note", "no-masks", "", fact, "nothing: metrics of pixels are left out")
        return
    missing = {f.path.partition("/")[0] for f in roster.findings if f.check == "missing-mask"}
    for each in bare:
        if each.name not in missing:
            fact = "a class without any mask, in a set whose other classes have them"
            cure = "copy the folder of its masks"
            yield Finding("error", "missing-folder", each.name, fact, cure)


def check_kinds(items: Sequence[Item], looks: Sequence[Look]) -> Iterator[Finding]:
    """Classes whose images differ in size or in kind of pixels; one finding each."""
    sizes: dict[str, dict[str, str]] = {}
    modes: dict[str, dict[str, str]] = {}
    for item, look in zip(items, looks, strict=True):
        if look.size is not None:
            sample = item.sample
            size = f"{look.size[1]} x {look.size[0]}"
            sizes.setdefault(sample.class_name, {}).setdefault(size, sample.path)
            modes.setdefault(sample.class_name, {}).setdefault(look.mode, sample.path)
    size_cure = "nothing, if the owners made it so: images are resized before they are compared"
    yield from _mixed(sizes, "mixed-sizes", "sizes", size_cure)
    mode_cure = "check that it is no shortcut: grey normals and coloured anomalies, for instance"
    yield from _mixed(modes, "mixed-modes", "kinds of pixels", mode_cure)


def _mixed(
    seen: Mapping[str, Mapping[str, str]], check: str, what: str, cure: str
) -> Iterator[Finding]:
    for name, firsts in sorted(seen.items()):
        if len(firsts) > 1:
            shown = ", ".join(sorted(firsts)[:5]) + (", ..." if len(firsts) > 5 else "")
            fact = f"images of {len(firsts)} {what}: {shown}"
            also = tuple(firsts.values())[:5]
            yield Finding("note", check, name, fact, cure, also)
