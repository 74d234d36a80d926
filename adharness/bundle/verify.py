"""Verify a bundle: open it as hostile, measure its numbers again, and say what stays a claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from adharness.arrays import AnyArray
from adharness.bundle.agreement import contradictions
from adharness.bundle.at_hand import Known, check_listed, data_at_hand, pixel_differences
from adharness.bundle.contents import Bundle, open_bundle
from adharness.bundle.images import read_cell_scores
from adharness.bundle.layout import Manifest
from adharness.bundle.recompute import Disagreement, Recomputation
from adharness.errors import StoreError
from adharness.metrics import find_metric
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord
from adharness.suite.bound import BoundSuite

Status: TypeAlias = Literal["verified", "self-reported", "refused"]


@dataclass(frozen=True)
class CellVerdict:
    """What was found of one cell."""

    cell: CellRecord
    disagreements: tuple[Disagreement, ...]
    not_recomputed: tuple[str, ...]
    """Metrics with numbers that the scores cannot give: they are as the submitter says."""

    @property
    def status(self) -> Status:
        """`verified` only where every number of its rows was measured again and agrees."""
        if self.disagreements:
            return "refused"
        return "self-reported" if self.not_recomputed else "verified"


@dataclass(frozen=True)
class Verdict:
    """What was found of a bundle."""

    path: Path
    sha256: str
    manifest: Manifest
    run: RunRecord
    cells: tuple[CellVerdict, ...]

    @property
    def disagreements(self) -> list[Disagreement]:
        """All numbers that are not what the stored scores give."""
        return [one for cell in self.cells for one in cell.disagreements]

    @property
    def not_recomputed(self) -> list[str]:
        """Metrics that stay self-reported, in the run's order."""
        found = {metric for cell in self.cells for metric in cell.not_recomputed}
        return [metric for metric in self.run.metrics if metric in found]

    @property
    def numbers(self) -> int:
        """How many numbers, values and ends of intervals, were measured again and agree."""
        return sum(_recomputed(cell) for cell in self.cells)


def verify_bundle(path: Path, suite: BoundSuite | None = None) -> Verdict:
    """Open a bundle, check its form, and measure every number again that its scores can give.

    Parameters
    ----------
    path
        Any file at all: nothing of it is trusted, unpacked or run.
    suite
        One's own, for the data sets: images and labels are compared with them, and the maps of a
        bundle that has any are judged by their masks.

    Returns
    -------
    Verdict
        With the numbers that disagree, by cell, row and metric.

    Raises
    ------
    StoreError
        The file is malformed or hostile; the message names what is wrong, `where` is the file.
    """
    with open_bundle(path) as bundle:
        return verdict_of(bundle, suite)


def verdict_of(bundle: Bundle, suite: BoundSuite | None = None) -> Verdict:
    """Judge an open bundle; as `verify_bundle`."""
    try:
        cells = _verdicts(bundle, data_at_hand(suite, bundle.run) if suite else {})
    except StoreError as error:
        error.where = error.where or str(bundle.path)
        raise
    return Verdict(bundle.path, bundle.archive.sha256(), bundle.manifest, bundle.run, cells)


def _verdicts(bundle: Bundle, data: Mapping[str, Known]) -> tuple[CellVerdict, ...]:
    judged, again = _Judged(), Recomputation(bundle.run)
    found = []
    for cell in bundle.cells:
        arrays = bundle.scores(cell)
        scores = read_cell_scores(bundle.run, cell, arrays)
        judged.check(cell, arrays)
        draws = again.referee(scores.images).draws if arrays else ""
        pixels = _pixels(bundle, cell, data.get(cell.dataset), arrays)
        wrong = [
            *again.disagreements(cell, scores),
            *contradictions(bundle.run, cell, arrays, bundle.replicates(cell), draws),
            *(pixels or []),
        ]
        claims = _not_recomputed(cell) if pixels is None else ()
        found.append(CellVerdict(cell, tuple(wrong), claims))
    return tuple(found)


def _pixels(
    bundle: Bundle, cell: CellRecord, known: Known | None, scores: Mapping[str, AnyArray]
) -> list[Disagreement] | None:
    """Judge the maps by the masks that are here; None where that cannot be done."""
    maps = bundle.maps(cell)  # also where nothing is measured, they must be what they say
    if known is None:
        return None
    check_listed(known, cell, scores)
    return pixel_differences(known, bundle.run, cell, maps)


@dataclass
class _Judged:
    """Images that the cells of one data set have judged: of all cells the same, with one truth."""

    _known: dict[tuple[str, str], dict[str, tuple[str, int]]] = field(default_factory=dict)

    def check(self, cell: CellRecord, arrays: Mapping[str, AnyArray]) -> None:
        """Refuse a cell that gives an image another class or label than one before it did."""
        for part in ("", "calibration_"):
            if not arrays:
                return
            keys = [f"{part}{name}" for name in ("samples", "classes", "labels")]
            rows = zip(*(arrays[key].tolist() for key in keys), strict=True)
            known = self._known.setdefault((cell.dataset, part), {})
            for sample, class_name, label in rows:
                if known.setdefault(sample, (class_name, label)) != (class_name, label):
                    raise StoreError(
                        f"cell {cell.id}: {sample[:80]!r} is of another class or label than in "
                        "other cells of the run"
                    )
            counts = Counter(class_name for class_name, _ in known.values())
            own = Counter(arrays[keys[1]].tolist())
            if any(counts[class_name] != count for class_name, count in own.items()):
                raise StoreError(f"cell {cell.id} judged other images than other cells of the run")


def _not_recomputed(cell: CellRecord) -> tuple[str, ...]:
    claimed = {
        metric
        for row in cell.rows
        for metric, value in row.metrics.items()
        if value.value is not None and find_metric(metric).level != "image"
    }
    return tuple(sorted(claimed))


def _recomputed(found: CellVerdict) -> int:
    return sum(
        number is not None
        for row in found.cell.rows
        for metric, value in row.metrics.items()
        if metric not in found.not_recomputed
        for number in (value.value, value.low, value.high)
    ) - len(found.disagreements)
