"""The files of a merged board: copies, so that no source is touched by it, now or later."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from adharness.bundle.contents import Bundle
from adharness.bundle.naming import DataNames
from adharness.bundle.origins import Placed
from adharness.bundle.sources import Source
from adharness.store.files import explained
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from adharness.store.run_record import GalleryImage

_BY_HASH = ".files"


def store_cells(store: RunFolder, placed: Sequence[Placed]) -> None:
    """Write every cell; arrays that own cells share are copied once."""
    by_hash = store.path / _BY_HASH
    for one in placed:
        if one.source.bundle is not None:
            _store_bundled(store, one.cell, one.of, one.source.bundle)
            continue
        folder = one.source.path / "cells" / one.of.id
        shared = {name: by_hash / sha / name for name, sha in one.of.files.items()}
        for name, copy in shared.items():
            _copy(folder / name, copy)
        store.put_cell(one.cell, {}, shared)
    shutil.rmtree(by_hash, ignore_errors=True)


def _store_bundled(store: RunFolder, cell: CellRecord, of: CellRecord, bundle: Bundle) -> None:
    """Write arrays as they were read, not the bytes of the bundle."""
    arrays = {
        "scores.npz": bundle.scores(of),
        "replicates.npz": bundle.replicates(of),
        "maps.npz": bundle.maps(of),
    }
    bare = cell.model_copy(update={"files": {}})
    store.put_cell(bare, {name: content for name, content in arrays.items() if content})


def copy_pictures(folder: Path, sources: Sequence[Source], data: DataNames) -> list[GalleryImage]:
    """Copy the galleries of own runs, of data sets that kept their name; bundles have none."""
    found: dict[str, GalleryImage] = {}
    for source in sources:
        for image in source.run.gallery if source.own else []:
            names = [name for name in (image.image, image.mask) if name]
            if image.image in found or not _kept(source, image.dataset, data):
                continue
            if all(_inside(source.path, name) for name in names):
                for name in names:
                    _copy(source.path / name, folder / name)
                found[image.image] = image
    return list(found.values())


def copy_views(store: RunFolder, sources: Sequence[Source], data: DataNames) -> list[str]:
    """Copy the views of own runs, of data sets that kept their name."""
    found: list[str] = []
    for source in sources:
        for identity in source.run.views if source.own else []:
            view = RunFolder(source.path).view(identity)
            if view is None or identity in found or not _kept(source, view.dataset, data):
                continue
            store.put_view(view)
            found.append(identity)
    return found


def _kept(source: Source, dataset: str, data: DataNames) -> bool:
    """Whether the board calls the data set of a source as the source does."""
    return data.get((source.key, dataset), ("", None))[0] == dataset


def _inside(folder: Path, name: str) -> bool:
    return (folder / name).resolve().is_relative_to(folder.resolve()) and (folder / name).is_file()


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        return
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
