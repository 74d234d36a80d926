"""One board from one's own runs and the bundles of others, every row marked by what was found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from adharness.bundle.merged_files import copy_pictures, copy_views, store_cells
from adharness.bundle.merged_run import merged_run
from adharness.bundle.merged_truth import check_truths
from adharness.bundle.naming import DataNames, name_data, name_rows
from adharness.bundle.origins import place_cells
from adharness.bundle.sources import Source, open_sources
from adharness.errors import StoreError
from adharness.report.write import write_report
from adharness.store.files import replaced_folder
from adharness.store.folder import RunFolder
from adharness.store.run_record import RunRecord
from adharness.suite.bound import BoundSuite


@dataclass(frozen=True)
class Merged:
    """What was merged into which folder."""

    folder: Path
    run: RunRecord
    sources: tuple[tuple[str, Path], ...]
    """Label and path of each, in the order of the board."""


def merge(paths: Sequence[Path], out: Path, suite: BoundSuite | None = None) -> Merged:
    """Write one run's folder and board from several runs and bundles.

    Parameters
    ----------
    paths
        Folders of own runs and files of bundles, in any order: the result is the same to the byte.
    out
        The folder. One that an earlier merge wrote is replaced whole; no other is touched.
    suite
        One's own, for the data sets, as of `verify_bundle`.

    Returns
    -------
    Merged
        Its run's `origins` tell of each cell where it is from and what verifying it found.

    Raises
    ------
    Disagrees
        A bundle's numbers are not what its scores give.
    StoreError
        A source is malformed, hostile or itself merged; two tell other labels of one image, or
        count costs differently; or the folder is not a merged one, or cannot be written.
    """
    _check_target(out, paths)
    with ExitStack() as stack:
        sources = open_sources(paths, stack, suite)
        data = name_data(sources)
        check_truths(sources, data)
        placed = place_cells(name_rows(sources, data), data)
        run = merged_run(sources, placed, data)
        with replaced_folder(out) as folder:
            store_cells(RunFolder(folder), placed)
            _write(folder, run, sources, data)
    return Merged(out, run, tuple((source.label, source.path) for source in sources))


def _write(folder: Path, run: RunRecord, sources: Sequence[Source], data: DataNames) -> None:
    store = RunFolder(folder)
    pictures = copy_pictures(folder, sources, data)
    views = copy_views(store, sources, data)
    store.put_run(run.model_copy(update={"gallery": pictures, "views": views}))
    write_report(folder)


def _check_target(out: Path, paths: Sequence[Path]) -> None:
    if not paths:
        raise StoreError("nothing to merge", hint="adharness merge RUN BUNDLE --out FOLDER")
    if any(out.absolute() == path.absolute() for path in paths):
        raise StoreError(f"{out} is merged and would be overwritten", hint="choose another --out")
    if out.exists() and not (out.is_dir() and _is_merged(out)):
        raise StoreError(
            f"{out} is there, and no merge wrote it", hint="choose a folder that is not there yet"
        )


def _is_merged(folder: Path) -> bool:
    if not any(folder.iterdir()):
        return True
    try:
        return bool(RunFolder(folder).run().origins)
    except StoreError:
        return False
