"""A bundle that was opened: its records, and its arrays when they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adharness.arrays import AnyArray
from adharness.bundle import layout
from adharness.bundle.archive import Archive, open_archive
from adharness.bundle.claims import check_claims
from adharness.bundle.layout import Manifest
from adharness.bundle.strict_json import read_record
from adharness.bundle.strict_npz import Expected, read_npz
from adharness.errors import StoreError
from adharness.metrics import find_metric
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord

_SCORES: Mapping[str, Expected] = {
    "samples": Expected("text", ("n",)),
    "classes": Expected("text", ("n",)),
    "labels": Expected("int64", ("n",)),
    "raw": Expected("float64", ("n",)),
    "scores": Expected("float64", ("n",)),
    "threshold": Expected("float64", ("n",), nan=True),
    "groups": Expected("text", ("n",), optional=True),
    "calibration_samples": Expected("text", ("m",)),
    "calibration_classes": Expected("text", ("m",)),
    "calibration_labels": Expected("int64", ("m",)),
    "calibration_raw": Expected("float64", ("m",)),
    "calibration_scores": Expected("float64", ("m",)),
    "calibration_groups": Expected("text", ("m",), optional=True),
}
_REPLICATES: Mapping[str, Expected] = {
    "scopes": Expected("text", ("s",)),
    "metrics": Expected("text", ("m",)),
    "values": Expected("float32", ("s", "m", "b"), nan=True),
    "estimates": Expected("float64", ("s", "m"), optional=True, nan=True),
    "influences": Expected("float32", ("s", "m", "j"), optional=True, nan=True),
    "strata": Expected("int64", ("s", "j"), optional=True),
    "draws": Expected("text", ()),
}
_MAPS: Mapping[str, Expected] = {
    "samples": Expected("text", ("n",)),
    "patches": Expected("float32", ("n", "h", "w")),
    "sizes": Expected("int64", ("n", "2")),
    "input_size": Expected("int64", ("2",)),
    "margins": Expected("int64", ("4",), optional=True),
    "pad": Expected("int64", (), optional=True),
    "smooth_px": Expected("float64", ()),
    "upsample": Expected("text", ()),
}


@dataclass(frozen=True, eq=False)
class Bundle:
    """An open bundle whose records agree with one another; its numbers are still claims."""

    archive: Archive
    manifest: Manifest
    run: RunRecord
    cells: tuple[CellRecord, ...]
    """In the order of the run."""

    @property
    def path(self) -> Path:
        """Where the bundle lies."""
        return self.archive.path

    def scores(self, cell: CellRecord) -> dict[str, AnyArray]:
        """Image scores of a cell, read strictly; empty where it has none."""
        metrics = {f"{name}{end}" for name in self.run.metrics for end in ("", "_pooled")}
        return self._arrays(cell, layout.SCORES, _SCORES, metrics)

    def replicates(self, cell: CellRecord) -> dict[str, AnyArray]:
        """Replicates of a cell's pixel and region metrics; empty where it has none."""
        return self._arrays(cell, layout.REPLICATES, _REPLICATES, set())

    def maps(self, cell: CellRecord) -> dict[str, AnyArray]:
        """Patch scores of a cell; empty where the bundle has none."""
        return self._arrays(cell, layout.MAPS, _MAPS, set())

    def _arrays(
        self, cell: CellRecord, file: str, rules: Mapping[str, Expected], own: set[str]
    ) -> dict[str, AnyArray]:
        """Read one npz; `own` are metrics that may give each image a number."""
        if file not in cell.files:
            return {}
        name = f"cells/{cell.id}/{file}"
        return read_npz(self._member(name), name, rules, partial(_of_images, own))

    def _member(self, name: str) -> bytes:
        return read_hashed(self.archive, self.manifest, name)


def _of_images(metrics: set[str], array: str) -> Expected | None:
    if array not in metrics or find_metric(array.removesuffix("_pooled")).level == "image":
        return None
    return Expected("float64", ("n",), nan=True)


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Open a bundle as hostile and check its form, its hashes and its records.

    Raises
    ------
    StoreError
        As `open_archive`, `read_record` and `check_claims`; `where` is the bundle.
    """
    with open_archive(path) as archive:
        manifest = read_record(archive.read(layout.MANIFEST), layout.MANIFEST, Manifest)
        _check_members(archive, manifest)
        run = read_record(read_hashed(archive, manifest, layout.RUN), layout.RUN, RunRecord)
        cells = _cells(archive, manifest, run)
        check_claims(manifest, run, cells)
        yield Bundle(archive, manifest, run, cells)


def read_hashed(archive: Archive, manifest: Manifest, name: str) -> bytes:
    """Read a member. Raises StoreError where its hash is not that of the manifest."""
    content = archive.read(name)
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.files[name].sha256:
        raise StoreError(
            f"{name} has the SHA-256 {found[:16]}..., the manifest says "
            f"{manifest.files[name].sha256[:16]}..."
        )
    return content


def _check_members(archive: Archive, manifest: Manifest) -> None:
    """Members and manifest must name the same files, of the same sizes and hashes."""
    there = {name for name in archive.names if name != layout.MANIFEST}
    for name in sorted(set(manifest.files) - there):
        raise StoreError(f"the manifest names {name[:100]!r}, which is not in the bundle")
    for name in sorted(there - set(manifest.files)):
        raise StoreError(f"the manifest does not name {name!r}, which is in the bundle")
    for name, told in manifest.files.items():
        if len(read_hashed(archive, manifest, name)) != told.bytes:
            raise StoreError(f"{name} has not the {told.bytes} bytes that the manifest says")


def _cells(archive: Archive, manifest: Manifest, run: RunRecord) -> tuple[CellRecord, ...]:
    named = (layout.cell_of(name) for name in archive.names)
    stored: dict[str, list[str]] = {}
    for cell, file in (one for one in named if one):
        stored.setdefault(cell, []).append(file)
    for cell in sorted(set(stored) - set(run.cells)):
        raise StoreError(f"cells/{cell} is in the bundle and not in the run")
    return tuple(_cell(archive, manifest, cell, stored.get(cell, [])) for cell in run.cells)


def _cell(archive: Archive, manifest: Manifest, cell: str, files: list[str]) -> CellRecord:
    if layout.RESULT not in files:
        raise StoreError(f"the run has the cell {cell[:40]!r}, and the bundle no result of it")
    name = f"cells/{cell}/{layout.RESULT}"
    record = read_record(read_hashed(archive, manifest, name), name, CellRecord)
    if record.id != cell:
        raise StoreError(f"{name} is of the cell {record.id[:40]!r}")
    there = {
        file: manifest.files[f"cells/{cell}/{file}"].sha256
        for file in files
        if file != layout.RESULT
    }
    if record.files != there:
        raise StoreError(f"{name} tells of other arrays than lie beside it")
    return record
