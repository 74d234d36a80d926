"""An extractor that extracts nothing: the features lie on disk, made elsewhere."""

from __future__ import annotations

import glob
import hashlib
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field

from adharness.contracts import SETTING, FeatureGrid, ImageName, Params, Preprocess
from adharness.data.images import hash_file
from adharness.errors import DataError
from adharness.exchange.feature_files import FeatureTable, Layout, read_layout, read_table

CLASS = "{cat}"
Template = Annotated[str, Field(pattern=r"^[^{}]*\{cat\}[^{}]*$")]
"""A path below the root with the class's name in it, such as `{cat}_mae_b16.npz`."""


class PrecomputedParams(Params):
    """Parameters of `precomputed`. Templates are paths below `root`; `{cat}` is the class."""

    root: Path = Field(description="folder of the files", json_schema_extra=SETTING)
    features: Template = Field(
        "{cat}_dinov2_vitb14.npz", description="arrays `patches`, `patch_hw` and, if any, `cls`"
    )
    meta: Template = Field("{cat}_meta.csv", description="whose column `path` names each row")
    bank: Template | None = Field(
        None,
        description="the same, for images that `features` lacks, such as training ones",
    )
    bank_meta: Template = Field("{cat}_bank_meta.csv", description="the csv that goes with `bank`")
    patch_px: int | None = Field(
        None, gt=0, description="side of a patch, input pixels; needed where the npz does not tell"
    )


class Precomputed:
    """Looks features up by the ends of image paths; holds one class in memory at a time.

    Notes
    -----
    A `LookupExtractor`. An image that `features` holds is never looked for in `bank`.
    """

    def __init__(self, params: PrecomputedParams) -> None:
        self.params = params
        self._class = ""
        self._tables: dict[str, FeatureTable] = {}

    @property
    def preprocess(self) -> Preprocess:
        """As the first file says. Raises DataError where there is none."""
        file, layout = self._first
        return layout.preprocess(self.params.patch_px, file)

    def fingerprint(self) -> str:
        """Hash the names and contents of all files that the templates fit."""
        digest = hashlib.sha256()
        for template in self._pairs():
            for file in self._files(template[0]) + self._files(template[1]):
                name = file.relative_to(self.params.root).as_posix()
                digest.update(f"{name}\n{hash_file(file)}\n".encode())
        return digest.hexdigest()

    def look_up(self, image: ImageName) -> FeatureGrid:
        """Features of one image.

        Raises
        ------
        DataError
            No row is of this image, several are, or a file of its class is wrong.
        """
        searched = []
        for features, meta in self._pairs():
            table = self._table(features, meta, image.class_name)
            row = table.rows.row_of(image.path)
            if row is not None:
                own = None if table.embeddings is None else table.embeddings[row : row + 1]
                return FeatureGrid(table.patches[row : row + 1], own)
            searched.append(table.meta.name)
        raise DataError(
            f"no row of {' or '.join(searched)} is of {image.path}",
            hint="make its features and add them, or give `bank` the file that has them",
            where=str(self.params.root),
        )

    def _pairs(self) -> list[tuple[str, str]]:
        given = self.params
        pairs = [(given.features, given.meta)]
        return pairs if given.bank is None else [*pairs, (given.bank, given.bank_meta)]

    def _table(self, features: str, meta: str, class_name: str) -> FeatureTable:
        if class_name != self._class:
            self._class, self._tables = class_name, {}
        if features not in self._tables:
            files = [self.params.root / t.replace(CLASS, class_name) for t in (features, meta)]
            if not files[0].exists():
                raise self._missing(f"there is no {files[0].name} for class '{class_name}'")
            table = read_table(files[0], files[1])
            self._check_layout(table)
            self._tables[features] = table
        return self._tables[features]

    def _check_layout(self, table: FeatureTable) -> None:
        first, layout = self._first
        if table.layout != layout:
            raise DataError(
                f"{table.npz.name} and {first.name} differ: {table.layout} and {layout}",
                hint="all files of one extractor have one patch_hw and one input size",
                where=str(table.npz),
            )

    @cached_property
    def _first(self) -> tuple[Path, Layout]:
        files = self._files(self.params.features)
        if not files:
            raise self._missing(f"no file is called {self.params.features}")
        return files[0], read_layout(files[0])

    def _files(self, template: str) -> list[Path]:
        before, _, after = template.partition(CLASS)
        pattern = f"{glob.escape(before)}*{glob.escape(after)}"
        return sorted(self.params.root.glob(pattern)) if self.params.root.is_dir() else []

    def _missing(self, fact: str) -> DataError:
        there = sorted(file.name for file in self.params.root.glob("*.npz"))[:5]
        found = f"it holds {', '.join(there)}, ..." if there else "it holds no npz"
        return DataError(
            fact,
            hint=f"{found}; look at `root` and `features` of the extractor",
            where=str(self.params.root),
        )
