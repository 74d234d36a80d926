"""What the report reads of a run's folder. The one place to replace by the store's own reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import ValidationError

from adharness.arrays import AnyArray, Float32, Float64, Int64
from adharness.errors import StoreError
from adharness.store.records import CellRecord, Record, RunRecord

RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True, slots=True)
class ImageScores:
    """`scores.npz` of a cell: n test images."""

    samples: AnyArray  # (n,) text
    classes: AnyArray  # (n,) text
    labels: Int64  # (n,) 0 normal, 1 anomalous
    scores: Float64  # (n,) normalized, higher = more anomalous
    threshold: Float64  # (n,) the deployed one of each image


@dataclass(frozen=True, slots=True)
class PatchMaps:
    """`maps.npz` of a cell: n test images of (h, w) patches."""

    samples: AnyArray  # (n,) text
    patches: Float32  # (n, h, w)
    input_size: tuple[int, int]  # (height, width) in pixels


def read_run(folder: Path) -> tuple[RunRecord, list[CellRecord]]:
    """Read the run's record and those of its cells that are there.

    Raises
    ------
    StoreError
        If `run.json` is missing, or a record is not what this version writes.
    """
    file = folder / "run.json"
    if not file.is_file():
        raise StoreError(
            f"no run.json in {folder}", hint="give the folder that `adharness run` wrote"
        )
    run = _parse(RunRecord, file)
    files = [folder / "cells" / identity / "result.json" for identity in run.cells]
    return run, [_parse(CellRecord, found) for found in files if found.is_file()]


def read_scores(folder: Path, cell: str) -> ImageScores | None:
    """Image scores of a cell; None where it has none."""
    file = folder / "cells" / cell / "scores.npz"
    if not file.is_file():
        return None
    with np.load(file, allow_pickle=False) as arrays:
        names = ("samples", "classes", "labels", "scores", "threshold")
        return ImageScores(**{name: arrays[name] for name in names})


def read_maps(folder: Path, cell: str) -> PatchMaps | None:
    """Patch scores of a cell; None where its method gives no map."""
    file = folder / "cells" / cell / "maps.npz"
    if not file.is_file():
        return None
    with np.load(file, allow_pickle=False) as arrays:
        height, width = (int(side) for side in arrays["input_size"])
        return PatchMaps(arrays["samples"], arrays["patches"], (height, width))


def _parse(model: type[RecordT], file: Path) -> RecordT:
    try:
        return model.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise StoreError(
            f"{file.name} is not a {model.__name__}: {error.errors()[0]['msg']}",
            where=str(file),
            hint="run the suite again with this version",
        ) from error
