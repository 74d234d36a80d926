"""Decode each image once: its size, its kind, a hash of its pixels, a hash of its looks, its mask.

What is kept of an image, its sample included, is less than 1 kB (25 MB were measured for 29,000),
so that a set of 150,000 images needs no more than 150 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from adharness.data.doctor.findings import Finding
from adharness.data.doctor.likeness import likeness
from adharness.data.doctor.roster import Item, Roster
from adharness.data.images import hash_pixels, image_header, read_image, read_mask
from adharness.declared import DeclaredRegions
from adharness.errors import DataError
from adharness.progress import tell
from adharness.threads import in_order

WORKERS = 2
"""Decoding leaves Python's lock, so that threads do; more would starve what else runs."""


@dataclass(frozen=True, slots=True)
class Look:
    """What decoding an image told.

    Parameters
    ----------
    size
        (height, width); None where it could not be decoded.
    mode
        Pillow's name of the kind of pixels, such as `L` or `RGB`.
    digest
        Hash of the pixels, 16 bytes; equal for equal pixels whatever the file.
    likeness
        See `likeness`; None for a picture with too little in it.
    findings
        What is wrong with this image and its mask.
    """

    size: tuple[int, int] | None = None
    mode: str = ""
    digest: bytes = b""
    likeness: bytes | None = None
    findings: tuple[Finding, ...] = ()


def look_at_all(roster: Roster) -> list[Look]:
    """Decode every image and mask of a set, two at a time, telling how far it has come.

    Returns
    -------
    list of Look
        One an item of the roster, in its order; those of loose files and orphans come last.
    """
    jobs: list[Callable[[], Look]] = [partial(_look, roster, item) for item in roster.items]
    root = roster.tree.root if roster.tree is not None else Path()
    jobs += [partial(_look_at_file, root, name) for name in (*roster.loose, *roster.orphans)]
    looks = []
    for look in in_order(_call, jobs, workers=WORKERS, ahead=8 * WORKERS):
        looks.append(look)
        tell(len(looks), len(jobs), "images")
    return looks


def _call(job: Callable[[], Look]) -> Look:
    return job()


def _look(roster: Roster, item: Item) -> Look:
    if roster.tree is None:
        return _look_at_sample(roster, item)
    root = roster.tree.root
    look = _look_at_file(root, item.sample.path)
    masks = _mask_findings(root, item, look.size)
    return Look(look.size, look.mode, look.digest, look.likeness, (*look.findings, *masks))


def _look_at_sample(roster: Roster, item: Item) -> Look:
    """Look at an image that is generated or comes from a package."""
    assert roster.dataset is not None  # noqa: S101  a set without a folder is a data set
    sample = item.sample
    try:
        image = roster.dataset.image(sample)
        mask = roster.dataset.mask(sample)
    except DataError as error:
        return Look(findings=(_unreadable(sample.path, error),))
    regions = mask.masks if isinstance(mask, DeclaredRegions) else [] if mask is None else [mask]
    marked = any(bool(np.any(region)) for region in regions)
    findings = tuple(_odd_mask(item, sample.path, marked)) if regions else ()
    digest = bytes.fromhex(hash_pixels(image))[:16]
    return Look(image.shape[:2], "RGB", digest, likeness(image), findings)


def _look_at_file(root: Path, name: str) -> Look:
    try:
        header = image_header(root / name)
        image = read_image(root / name)
    except DataError as error:
        return Look(findings=(_unreadable(name, error),))
    digest = bytes.fromhex(hash_pixels(image))[:16]
    wrong = tuple(_wrong_ending(name, header.format))
    return Look(image.shape[:2], header.mode, digest, likeness(image), wrong)


def _unreadable(name: str, error: DataError) -> Finding:
    cure = error.hint or "copy the file again"
    return Finding("error", "unreadable-file", name, error.message, cure)


_ENDINGS = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}


def _wrong_ending(name: str, format_name: str) -> Iterator[Finding]:
    right = _ENDINGS.get(format_name, ())
    ending = Path(name).suffix
    if right and ending.lower() not in right:
        yield Finding(
            "warning",
            "wrong-ending",
            name,
            f"a {format_name} file whose name ends in {ending}; other programs may refuse it",
            f"rename it to end in {right[0]}",
        )


def _mask_findings(root: Path, item: Item, size: tuple[int, int] | None) -> tuple[Finding, ...]:
    found: list[Finding] = []
    marked = False
    for name in item.masks:
        try:
            mask = read_mask(root / name)
        except DataError as error:
            found.append(_unreadable(name, error))
            marked = True  # nobody knows: it is not called empty besides
            continue
        marked = marked or bool(np.any(mask))
        found.extend(_mis_sized(item, name, (mask.shape[0], mask.shape[1]), size))
    if item.masks:
        found.extend(_odd_mask(item, item.masks[0], marked))
    return tuple(found)


def _mis_sized(
    item: Item, name: str, mask: tuple[int, int], image: tuple[int, int] | None
) -> Iterator[Finding]:
    if image is None or mask == image:
        return
    yield Finding(
        "error",
        "mis-sized-mask",
        name,
        f"{mask[1]} x {mask[0]} pixels, but its image is {image[1]} x {image[0]}",
        "scale the mask to its image's size with nearest-neighbour sampling",
        (item.sample.path,),
    )


def _odd_mask(item: Item, path: str, marked: bool) -> Iterable[Finding]:
    sample = item.sample
    if sample.label == 1 and not marked:
        fact = "the mask of an anomalous image marks no pixel"
        cure = "draw the defect, or move the image to the normal ones"
        yield Finding("warning", "empty-mask", path, fact, cure, _others(sample.path, path))
    if sample.label == 0 and marked:
        fact = "a mask marks pixels of an image that counts as normal"
        cure = "move the image to the anomalous ones, or remove the mask"
        yield Finding("error", "mask-on-normal", path, fact, cure, _others(sample.path, path))


def _others(image: str, path: str) -> tuple[str, ...]:
    return () if image == path else (image,)
