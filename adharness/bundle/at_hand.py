"""The data sets of a bundle on this machine: with them and its maps, pixels are judged too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from adharness.arrays import AnyArray, Float64, Int64
from adharness.bundle import layout
from adharness.bundle.claims import deployment_of, statistics_of
from adharness.bundle.recompute import Disagreement, differences_of
from adharness.bundle.rerun import truth_of
from adharness.engine.judge import Referee
from adharness.engine.measured import Measured
from adharness.engine.scored_maps import RawMaps, ScoredMaps
from adharness.engine.survey import Survey, survey
from adharness.engine.truth import Truth, read_truth
from adharness.errors import StoreError
from adharness.metrics import find_metric
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord
from adharness.suite.bound import BoundSuite

SIDE_PX = 16_384
"""Largest side of what maps are drawn from."""
_UPSAMPLING = ("bilinear", "bicubic", "nearest")

Sizes: TypeAlias = Mapping[int, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Known:
    """A data set that was read here and has the fingerprint that the bundle tells."""

    survey: Survey
    truth: Truth
    sizes: Sizes
    _referees: dict[str, Referee] = field(default_factory=dict)

    def referee(self, run: RunRecord) -> Referee:
        """Give the judge of its pixels."""
        if "" not in self._referees:
            names = [name for name in run.metrics if find_metric(name).level != "image"]
            self._referees[""] = Referee(
                self.survey, self.truth, names, statistics_of(run), deployment=deployment_of(run)
            )
        return self._referees[""]


def data_at_hand(suite: BoundSuite, run: RunRecord) -> dict[str, Known]:
    """Read the data sets of one's own suite that a bundle judged.

    Parameters
    ----------
    suite
        One's own, bound on this machine: the suite of a bundle names folders of its submitter.

    Returns
    -------
    dict
        By name; those with another fingerprint, and those that the suite lacks, are left out.

    Raises
    ------
    DataError
        A data set of this suite cannot be read.
    """
    told = {data.name: data.fingerprint for data in run.datasets}
    found = {}
    for bound in suite.data:
        if bound.name not in told:
            continue
        listed = survey(suite, bound, limit=run.limit)
        if listed.record().fingerprint == told[bound.name]:
            found[bound.name] = _known(listed)
    return found


def _known(listed: Survey) -> Known:
    sizes = {}
    for i in listed.portion("test").tolist():
        height, width = listed.dataset.image(listed.samples[i]).shape[:2]
        sizes[i] = (height, width)
    return Known(listed, read_truth(listed, sizes, "fail", lambda *_: None), sizes)


def check_listed(known: Known, cell: CellRecord, scores: Mapping[str, AnyArray]) -> None:
    """Refuse images that the data set does not have as they are told.

    Raises
    ------
    StoreError
        Naming the image; or the split is not the one that the bundle tells.
    """
    truths = {
        name: known.survey.truth(known.survey.portion(name)) for name in ("calibration", "test")
    }
    for portion, truth in truths.items():
        if cell.identity[portion] != truth:
            raise StoreError(
                f"cell {cell.id}: its {portion} images are not those of your suite",
                hint="give a suite with the split that the bundle has",
            )
    samples = {s.path: (s.class_name, int(s.label)) for s in known.survey.samples}
    for name, told in truth_of(scores).items():
        if samples.get(name) != told:
            raise StoreError(
                f"cell {cell.id}: the image {name[:80]!r} is {told[0]}, label {told[1]} in the "
                f"bundle, and {samples.get(name, 'missing')} here"
            )


def pixel_differences(
    known: Known, run: RunRecord, cell: CellRecord, maps: Mapping[str, AnyArray]
) -> list[Disagreement] | None:
    """Judge the maps of a cell by the masks; None where maps alone cannot tell.

    Notes
    -----
    Maps are stored as the scorer gave them, so this is for cells of the normalizer `raw`; another
    would have to be fitted again. Macro means are compared with the classes elsewhere.

    Raises
    ------
    StoreError
        The maps are of other images, or of sizes that the images do not have.
    """
    deciding = [n for n in run.metrics if find_metric(n).at_threshold and n[:5] != "image"]
    if not maps or cell.normalizer != "raw" or deciding:
        return None
    positions, drawn = _positions(known, cell, maps), _drawn(known, cell, maps)
    referee, rows = known.referee(run), {row.class_name: row for row in cell.rows}
    wrong: list[Disagreement] = []
    for name, chosen in referee.rows_of(positions).items():
        if rows[name].status != "ok":
            continue
        scored = ScoredMaps(drawn, chosen)
        nothing: Float64 = np.zeros(len(chosen))
        found = referee.ranking(
            name, positions[chosen], nothing, scored, frozenset({"order", "scale"})
        )
        wrong += _compared(cell, name, found, run)
    return wrong


def _compared(
    cell: CellRecord, row: str, found: Mapping[str, Measured], run: RunRecord
) -> Iterator[Disagreement]:
    claimed = next(one for one in cell.rows if one.class_name == row)
    for metric, measured in found.items():
        again = measured.record(statistics_of(run))
        yield from differences_of((cell.id, row, metric), claimed.metrics[metric], again)


def _positions(known: Known, cell: CellRecord, maps: Mapping[str, AnyArray]) -> Int64:
    place = {sample.path: i for i, sample in enumerate(known.survey.samples)}
    names = maps["samples"].tolist()
    tested = known.survey.portion("test").tolist()
    if [place.get(name) for name in names] != tested:
        raise StoreError(f"cell {cell.id}: {layout.MAPS} is of other images than are tested")
    return np.array(tested, dtype=np.int64)


def _drawn(known: Known, cell: CellRecord, maps: Mapping[str, AnyArray]) -> RawMaps:
    """Check how maps are to be drawn before one is: sizes are those of the images here."""
    sizes = [tuple(size) for size in maps["sizes"].tolist()]
    if sizes != [known.sizes[i] for i in known.survey.portion("test").tolist()]:
        raise StoreError(f"cell {cell.id}: {layout.MAPS} tells other sizes of the images")
    height, width = maps["input_size"].tolist()
    margins = maps["margins"].tolist() if "margins" in maps else [0, 0, 0, 0]
    told = cell.identity.get("maps") or {}
    smooth, upsample = float(maps["smooth_px"]), maps["upsample"].item()
    sides = [height, width, *(m + 1 for m in margins), *maps["patches"].shape[1:]]
    if any(not 1 <= side <= SIDE_PX for side in sides) or upsample not in _UPSAMPLING:
        raise StoreError(f"cell {cell.id}: {layout.MAPS} cannot be drawn")
    if smooth != told.get("smooth_px") or upsample != told.get("upsample"):
        raise StoreError(f"cell {cell.id}: {layout.MAPS} is drawn otherwise than its identity says")
    top, bottom, left, right = margins
    return RawMaps(
        maps["patches"],
        [known.sizes[i] for i in known.survey.portion("test").tolist()],
        (height, width),
        smooth,
        upsample,
        (top, bottom, left, right),
        pad=bool(maps.get("pad", np.zeros(1)).item()),
    )
