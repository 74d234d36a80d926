"""What the report reads of a run's folder, through the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adharness.arrays import AnyArray, Float32, Float64, Int64
from adharness.contracts import Margins
from adharness.errors import StoreError
from adharness.maps import Upsample
from adharness.metrics.pixel_curves import PixelCurve
from adharness.statistics import Drawn
from adharness.store.files import read_json
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord

_SCORES, _MAPS, _REPLICATES = "scores.npz", "maps.npz", "replicates.npz"
_CURVES = "curves.npz"


@dataclass(frozen=True, slots=True)
class ImageScores:
    """`scores.npz` of a cell: n test images."""

    samples: AnyArray  # (n,) text
    classes: AnyArray  # (n,) text
    labels: Int64  # (n,) 0 normal, 1 anomalous
    scores: Float64  # (n,) normalized, higher = more anomalous
    threshold: Float64  # (n,) the deployed one of each image
    groups: AnyArray  # (n,) text: what several images share that show one object, or empty


@dataclass(frozen=True, slots=True)
class PixelReplicates:
    """`replicates.npz` of a cell: pixel and region metrics of B resamples of its test images."""

    draws: str  # which images were drawn how often
    values: Mapping[tuple[str, str], Drawn]  # metric and class name or `pooled`


@dataclass(frozen=True, slots=True)
class PatchMaps:
    """`maps.npz` of a cell: n test images of (h, w) patches."""

    samples: AnyArray  # (n,) text
    patches: Float32  # (n, h, w)
    input_size: tuple[int, int]  # (height, width) in pixels
    smooth_px: float
    upsample: Upsample
    margins: Margins
    pad: bool


def read_run(folder: Path) -> tuple[RunRecord, list[CellRecord]]:
    """Read the run's record and those of its cells that are there and whole.

    Raises
    ------
    StoreError
        If `run.json` is missing or is not what this version writes.

    Notes
    -----
    A cell whose arrays do not match its record is left out, as one that was never written.
    """
    store = RunFolder(folder)
    run = store.run()
    found = [store.cell(identity) for identity in run.cells]
    return run, [cell for cell in found if cell is not None]


def read_scores(folder: Path, cell: CellRecord) -> ImageScores | None:
    """Image scores of a cell; None where it has none."""
    if _SCORES not in cell.files:
        return None
    arrays = RunFolder(folder).cell_arrays(cell.id, _SCORES, ImageScores.__slots__)
    # Runs of before groups were drawn together have none.
    groups = arrays.get("groups", np.full(len(arrays["samples"]), ""))
    told = {"groups": groups, **arrays}
    return ImageScores(**{name: told[name] for name in ImageScores.__slots__})


def scores_as_made(folder: Path, cell: CellRecord) -> bool:
    """Whether the cell's normalizer left every image score as the scorer made it."""
    arrays = RunFolder(folder).cell_arrays(cell.id, _SCORES, ("scores", "raw"))
    return np.array_equal(arrays["scores"], arrays.get("raw", np.zeros(0)))


def read_defects(folder: Path, dataset: str) -> dict[str, str]:
    """Kind of defect of each test image by its path; empty where the run wrote no such list."""
    try:
        classes = read_json(RunFolder(folder).split(dataset)).get("splits", {})
        tested = [portions["test"] for portions in classes.values()]
        return {
            str(path): str(defect)
            for portion in tested
            for path, defect in zip(portion["images"], portion["defects"], strict=True)
        }
    except (StoreError, AttributeError, KeyError, TypeError, ValueError):
        return {}  # an older run, or one that was told its split


def read_replicates(folder: Path, cell: CellRecord) -> PixelReplicates | None:
    """Replicates of a cell's pixel and region metrics; None where it has none, or is older."""
    if _REPLICATES not in cell.files:
        return None
    arrays = RunFolder(folder).cell_arrays(cell.id, _REPLICATES)
    metrics, scopes = arrays["metrics"].tolist(), arrays["scopes"].tolist()
    values = {
        (metric, scope): read_drawn(arrays, i, j)
        for i, scope in enumerate(scopes)
        for j, metric in enumerate(metrics)
    }
    return PixelReplicates(arrays["draws"].item(), values)


def read_curves(folder: Path, cell: CellRecord) -> dict[str, PixelCurve]:
    """Pixel curves of a cell by class name or `pooled`; empty where it has none, or is older."""
    if _CURVES not in cell.files:
        return {}
    arrays = RunFolder(folder).cell_arrays(cell.id, _CURVES)
    found = {}
    for scope, values in zip(arrays["scopes"].tolist(), arrays["values"], strict=True):
        normal, share, overlap, precision = values[:, np.isfinite(values[0])].astype(np.float64)
        known = overlap if np.isfinite(overlap).all() else None
        found[scope] = PixelCurve(normal, share, known, precision)
    return found


def read_drawn(arrays: Mapping[str, AnyArray], scope: int, metric: int) -> Drawn:
    """Give a metric of a row; runs of before influences were stored have replicates alone."""
    replicates = arrays["values"][scope, metric].astype(np.float64)
    if "influences" not in arrays:
        return Drawn(float("nan"), replicates, np.zeros(0), np.zeros(0, np.int64))
    return Drawn(
        float(arrays["estimates"][scope, metric]),
        replicates,
        arrays["influences"][scope, metric].astype(np.float64),
        arrays["strata"][scope],
    )


def read_maps(folder: Path, cell: CellRecord) -> PatchMaps | None:
    """Patch scores of a cell; None where its method gives no map."""
    if _MAPS not in cell.files:
        return None
    arrays = RunFolder(folder).cell_arrays(cell.id, _MAPS)
    height, width = arrays["input_size"].tolist()
    # Runs of before crops have no margins.
    top, bottom, left, right = arrays.get("margins", np.zeros(4, np.int64)).tolist()
    return PatchMaps(
        samples=arrays["samples"],
        patches=arrays["patches"],
        input_size=(height, width),
        smooth_px=float(arrays["smooth_px"]),
        upsample=arrays["upsample"].item(),
        margins=(top, bottom, left, right),
        pad=bool(arrays.get("pad", np.zeros(1)).item()),
    )
