"""What a refusal rests on: bytes that are known exactly, against bytes that are free."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from adharness.engine.holdings import (
    Holding,
    LoadedExtractor,
    bytes_of,
    left_out,
    look_up,
    sizes_of,
)
from adharness.engine.parts import count_of
from adharness.engine.room import Room, size_text
from adharness.engine.survey import Survey
from adharness.errors import StoreError
from adharness.plan import Plan

LARGEST_IMAGE = 64 * 2**20
"""Bytes of features an image that no extractor here comes near; 22 MB is DINOv2's at 518 pixels."""


def refuse_what_does_not_fit(
    plan: Plan,
    surveys: Mapping[str, Survey],
    cache: Path,
    out: Path,
    room: Room | None = None,
) -> None:
    """Refuse a run whose features cannot be written, before anything is extracted.

    Only exact numbers refuse: the images whose features the cache lacks, times what one image was
    seen to take. Where the disk has room for more than any features take, no network is loaded to
    find out. A run that goes on is never refused, as what it still needs is not known here; nor
    one whose extractor fails, which is told where its cells are run.

    Parameters
    ----------
    surveys
        Of every data set of the plan, by name.
    cache, out
        Folders of the features and of the results, there or not.
    room
        Where to ask for free bytes; the system if not given.

    Raises
    ------
    StoreError
        The features still to be extracted are larger than what is free where the cache is.
    """
    free = (room or Room()).disk(cache)
    groups = [cells[0] for cells in plan.by_features()]
    images = sum(count_of(surveys[cell.dataset.name]) for cell in groups)
    if images * LARGEST_IMAGE <= free or any(out.glob("scorings/*")):
        return
    holdings: list[Holding] = []
    loaded: dict[str, LoadedExtractor] = {}
    for cell in groups:
        name, bound = cell.method.extractor_name, cell.method.extractor
        with suppress(Exception):
            loaded[name] = loaded.get(name) or LoadedExtractor.load(name, bound)
            survey, skips = surveys[cell.dataset.name], plan.suite.on_error
            holdings.append(look_up(survey, loaded[name], cache, skips))
    _refuse_features(holdings, cache, free)


def _refuse_features(holdings: list[Holding], cache: Path, free: int) -> None:
    needed = 0
    images = 0
    for holding, counts in left_out(holdings, set()):
        if counts:
            with suppress(Exception):
                needed += bytes_of(sizes_of(holding), counts)
                images += sum(counts)
    if needed > free:
        raise too_large(f"features of {images} images", needed, free, cache)


def too_large(what: str, needed: int, free: int, folder: Path) -> StoreError:
    """Make the error that says what does not fit where, and what would make it fit."""
    return StoreError(
        f"{what} take {size_text(needed)}, and {size_text(free)} are free",
        hint="choose a folder on a larger disk with --cache-dir and --out, make room with "
        "`adharness cache prune --keep 0`, or run fewer images with --limit",
        where=str(folder),
    )
