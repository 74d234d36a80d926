"""A scorer that scores nothing: its maps and image scores lie on disk, made elsewhere."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from adharness.contracts import SETTING, ImageName, Params, Scores
from adharness.data.images import hash_file
from adharness.errors import DataError
from adharness.exchange.map_files import find_map, read_map
from adharness.exchange.meta_files import PathRows, read_rows


class ImportedParams(Params):
    """Parameters of `imported`. At least one of `root` and `scores` is given."""

    root: Path | None = Field(
        None,
        description="folder of maps (tiff, npy, png), each where its image is in the data set",
        json_schema_extra=SETTING,
    )
    scores: Path | None = Field(
        None, description="csv with columns `path` and `score`", json_schema_extra=SETTING
    )
    models: Literal["per-class", "merged"] | None = Field(
        None, description="what was trained: a model a class, or one for all; where both are run"
    )

    @model_validator(mode="after")
    def _something_is_given(self) -> Self:
        if self.root is None and self.scores is None:
            raise ValueError("give `root`, a folder of maps, or `scores`, a csv, or both")
        return self


class ImportedScores:
    """Looks up what was made of an image. A `LookupScorer`.

    Notes
    -----
    Where both maps and scores are given, an image without one of the two counts as not given.
    """

    def __init__(self, params: ImportedParams) -> None:
        self.params = params

    def fingerprint(self, images: Sequence[ImageName]) -> str:
        """Hash the csv, and of each image the name and the content of its map."""
        given = self.params
        digest = hashlib.sha256(hash_file(given.scores).encode() if given.scores else b"")
        for image in images if given.root else ():
            file = self._map_of(image)
            content = hash_file(file) if file else "none"
            digest.update(f"{image.path}\n{content}\n".encode())
        return digest.hexdigest()

    def look_up(self, image: ImageName) -> Scores | None:
        """Give the map and the score of one image; None where one that was promised is missing.

        Raises
        ------
        DataError
            The folder, the csv, the map or the score cannot be read. Names the file.
        """
        file = self._map_of(image)
        score = None if self._table is None else _score_of(self._table, image)
        if (self.params.root and file is None) or (self._table is not None and score is None):
            return None
        return Scores(
            patches=None if file is None else read_map(file)[np.newaxis],
            images=None if score is None else np.array([score], dtype=np.float64),
        )

    def _map_of(self, image: ImageName) -> Path | None:
        root = self.params.root
        if root is None:
            return None
        if not root.is_dir():
            raise DataError(f"there is no folder {root}", hint="look at `root` of the scorer")
        return find_map(root, image.path)

    @cached_property
    def _table(self) -> PathRows | None:
        return None if self.params.scores is None else read_rows(self.params.scores, "score")


def _score_of(table: PathRows, image: ImageName) -> float | None:
    row = table.row_of(image.path)
    if row is None:
        return None
    try:
        score = float(table.others[row])
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise DataError(
            f"line {table.lines[row]} of {table.file.name} has the score {table.others[row]!r}",
            hint="a score is a finite number, higher = more anomalous",
            where=str(table.file),
        )
    return score


def trains_per_class(params: ImportedParams) -> bool | None:
    """Whether a model was trained a class; None where the suite does not say."""
    return None if params.models is None else params.models == "per-class"
