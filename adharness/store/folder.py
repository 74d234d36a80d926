"""The folder of one run: where scorings, cells and the run's own record live."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from adharness.arrays import AnyArray
from adharness.errors import StoreError, refusals
from adharness.store.features_record import FeaturesRecord
from adharness.store.files import (
    atomic,
    link_file,
    read_arrays,
    read_json,
    sha256_of,
    write_arrays,
    write_json,
)
from adharness.store.records import CellRecord, Record, ScoringRecord
from adharness.store.run_record import RunRecord
from adharness.store.views import ViewRecord

RecordT = TypeVar("RecordT", bound=Record)
StoredT = TypeVar("StoredT", CellRecord, ScoringRecord, FeaturesRecord)


@dataclass(frozen=True)
class RunFolder:
    """`reports/<suite>/`: reads and writes its records; never deletes one.

    Reading a folder whose arrays do not match the hashes in its record gives None, as if it had
    never been written: that is what a kill between two writes leaves.
    """

    path: Path
    _hashes: dict[tuple[int, ...], str] = field(default_factory=dict, repr=False, compare=False)
    """SHA-256 of files with several names, by what the system calls the file and its last change:
    cells that differ in their thresholder alone link to the same maps."""

    def scoring(self, scoring_id: str) -> ScoringRecord | None:
        """Give the stored scoring, or None where there is no whole one."""
        return self._stored(self.path / "scorings" / scoring_id, ScoringRecord)

    def scoring_record(self, scoring_id: str) -> ScoringRecord | None:
        """Give the record of a stored scoring without comparing its arrays; None without one."""
        try:
            return _validated(self.path / "scorings" / scoring_id / "result.json", ScoringRecord)
        except StoreError:
            return None

    def cell(self, cell_id: str) -> CellRecord | None:
        """Give the stored cell, or None where there is no whole one."""
        return self._stored(self.path / "cells" / cell_id, CellRecord)

    def scoring_arrays(self, scoring_id: str, name: str) -> dict[str, AnyArray]:
        """Read one npz of a scoring."""
        return read_arrays(self.path / "scorings" / scoring_id / name)

    def cell_arrays(
        self, cell_id: str, name: str, only: Collection[str] | None = None
    ) -> dict[str, AnyArray]:
        """Read one npz of a cell, or `only` these of its arrays."""
        return read_arrays(self.path / "cells" / cell_id / name, only)

    def put_scoring(
        self, record: ScoringRecord, arrays: Mapping[str, Mapping[str, AnyArray]]
    ) -> None:
        """Write a scoring: its arrays first, its record last."""
        _put(self.path / "scorings" / record.id, record, arrays)

    def put_cell(
        self,
        record: CellRecord,
        arrays: Mapping[str, Mapping[str, AnyArray]],
        shared: Mapping[str, Path] | None = None,
    ) -> None:
        """Write a cell: its arrays first, its record last; `shared` files are linked."""
        folder = self.path / "cells" / record.id
        links = {name: link_file(source, folder / name) for name, source in (shared or {}).items()}
        _put(folder, record.model_copy(update={"files": links}), arrays)

    def cell_record(self, cell_id: str) -> CellRecord | None:
        """Give the record of a stored cell without comparing its arrays; None without one."""
        try:
            return _validated(self.path / "cells" / cell_id / "result.json", CellRecord)
        except StoreError:
            return None

    def features(self, features_id: str) -> FeaturesRecord | None:
        """Give what is kept of a data set's features, or None where there is nothing whole."""
        return self._stored(self.path / "features" / features_id, FeaturesRecord)

    def features_arrays(self, features_id: str) -> dict[str, AnyArray]:
        """Read the arrays that are kept beside it."""
        return read_arrays(self.path / "features" / features_id / "images.npz")

    def put_features(self, record: FeaturesRecord, arrays: Mapping[str, AnyArray]) -> None:
        """Write what is kept of a data set's features: arrays first, the record last."""
        _put(self.path / "features" / record.id, record, {"images.npz": arrays} if arrays else {})

    def check_writable(self) -> None:
        """Raise StoreError where nothing can be written here, before anything is computed."""
        with atomic(self.path / ".writable"):
            pass
        (self.path / ".writable").unlink(missing_ok=True)

    def run(self) -> RunRecord:
        """Read `run.json`. Raises StoreError where this is no run's folder."""
        path = self.path / "run.json"
        if not path.exists():
            raise StoreError(
                f"{self.path} is not the folder of a run: it has no run.json",
                hint="name the folder that `adharness run` printed, such as reports/quickstart",
            )
        return _validated(path, RunRecord)

    def put_run(self, record: RunRecord) -> None:
        """Write `run.json`."""
        write_json(self.path / "run.json", record.model_dump(mode="json"))

    def view(self, view_id: str) -> ViewRecord | None:
        """Give the stored view, or None where there is no whole one."""
        try:
            return _validated(self.path / "views" / f"{view_id}.json", ViewRecord)
        except StoreError:
            return None

    def put_view(self, record: ViewRecord) -> None:
        """Write a view."""
        write_json(self.path / "views" / f"{record.id}.json", record.model_dump(mode="json"))

    def split(self, dataset: str) -> Path:
        """Path of the split of a data set, as the board calls it."""
        return self.path / "splits" / f"{dataset}.json"

    def put_split(self, dataset: str, document: Mapping[str, Any]) -> None:
        """Write the split of a data set, for people and for `split: {policy: file}`."""
        write_json(self.split(dataset), document)

    def _stored(self, folder: Path, model: type[StoredT]) -> StoredT | None:
        try:
            record = _validated(folder / "result.json", model)
            whole = all(self._holds(folder, name, sha) for name, sha in record.files.items())
        except (StoreError, OSError):
            return None
        return record if whole else None

    def _holds(self, folder: Path, name: str, sha: str) -> bool:
        """Whether the folder itself has this file; a name that leads out of it is nobody's."""
        path = os.path.join(folder, name)  # noqa: PTH118  (a Path each is most of the time)
        return os.path.basename(name) == name and self._sha256(path) == sha  # noqa: PTH119

    def _sha256(self, path: str) -> str:
        told = os.stat(path)  # noqa: PTH116
        if told.st_nlink == 1:
            return sha256_of(Path(path))
        file = (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns)
        if file not in self._hashes:
            self._hashes[file] = sha256_of(Path(path))
        return self._hashes[file]


def _put(
    folder: Path,
    record: CellRecord | ScoringRecord | FeaturesRecord,
    arrays: Mapping[str, Mapping[str, AnyArray]],
) -> None:
    files = {name: write_arrays(folder / name, content) for name, content in arrays.items()}
    whole = record.model_copy(update={"files": {**record.files, **files}})
    write_json(folder / "result.json", whole.model_dump(mode="json"))


def _validated(path: Path, model: type[RecordT]) -> RecordT:
    """Read a record, in one step where it is whole; else say what is wrong with it."""
    with suppress(OSError, ValidationError):
        return model.model_validate_json(path.read_bytes())
    try:
        return model.model_validate(read_json(path))
    except ValidationError as error:
        raise StoreError(f"{path} is not a {model.__name__}: {refusals(error)[0]}") from error
