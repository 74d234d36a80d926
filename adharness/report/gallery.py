"""Test images one by one: what each method said of them, and where the licence allows, pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, product
from pathlib import Path

import numpy as np
from markupsafe import Markup

from adharness.metrics.mistakes import KINDS, Kind
from adharness.report.drill import Listed, drill_data, listed, setting_text
from adharness.report.embedded import Plain
from adharness.report.headings import protocol_title
from adharness.report.judged import Judged, judged
from adharness.report.leaderboard import Leaderboard
from adharness.report.pictures import Sheet
from adharness.report.plates import Layer, Plate, plates
from adharness.report.reading import read_defects
from adharness.store.run_record import DatasetRecord

PICTURE_BYTES = 1_800_000
"""All pictures of a page together, so that it stays below 6 MB with its tables and charts."""
LIST_BYTES = 600_000
"""All lists of images together."""
_WRONG_A_CLASS = 2
_WRONG_LINES = 120


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a method said of an image. `pixel_threshold` is None where the suite asked for none."""

    method: str
    layer: Layer | None
    score: float | None
    threshold: float | None
    flagged: bool | None
    pixel_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One typical test image with the verdicts, in the order of the methods."""

    plate: Plate
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line of the list of the worst errors, for readers without the script."""

    kind: Kind
    path: str
    class_name: str
    defect: str
    excess: float
    verdict: Verdict
    plate: Plate | None


@dataclass(frozen=True, slots=True)
class Gallery:
    """The test images of one data set.

    Parameters
    ----------
    hidden
        Why no pixel is shown; there are no exhibits then.
    setting
        Protocol, normalizer, thresholder and seed of exhibits and mistakes.
    data
        What the page's script shows of every image; None where no cell has scores.
    sheet
        Rules of style that hold the pictures.
    left_out
        Images with a picture that is not shown, to keep the page small.
    """

    dataset: str
    methods: tuple[str, ...] = ()
    setting: str = ""
    exhibits: tuple[Exhibit, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    data: Mapping[str, Plain] | None = None
    sheet: Markup = field(default_factory=Markup)
    hidden: str | None = None
    left_out: int = 0
    unlisted: str = ""

    @property
    def by_class(self) -> dict[str, list[Exhibit]]:
        """The exhibits of each class, in the order of the classes."""
        found: dict[str, list[Exhibit]] = {}
        for exhibit in self.exhibits:
            found.setdefault(exhibit.plate.image.class_name, []).append(exhibit)
        return found


def galleries(
    folder: Path, board: Leaderboard, budget: tuple[int, int] = (PICTURE_BYTES, LIST_BYTES)
) -> list[Gallery]:
    """Build the gallery of each data set of the run.

    Parameters
    ----------
    folder
        The run's folder, with `gallery/`, `splits/` and `cells/`.
    board
        Its cells are shown, of each protocol those of one setting; see `representatives`.
    budget
        Bytes of pictures and of lists over all data sets; what does not fit is counted, not shown.
    """
    found: list[Gallery] = []
    data = board.run.datasets
    pictures, lists = budget
    for number, one in enumerate(data):
        sheet = Sheet(f"g{number}")
        share = (
            pictures // sum(each.show_pixels for each in data[number:]) if one.show_pixels else 0
        )
        found.append(_gallery(folder, board, one, sheet, (share, lists // len(data))))
        pictures -= sheet.size
    return found


def _gallery(
    folder: Path, board: Leaderboard, data: DatasetRecord, sheet: Sheet, budget: tuple[int, int]
) -> Gallery:
    cells = judged(folder, board, data.name)
    if not cells:
        return Gallery(data.name, hidden="No cell of this data set has scores.")
    images = [image for image in board.run.gallery if image.dataset == data.name]
    shown = images if data.show_pixels else []
    drawn = plates(folder, shown, cells.values(), sheet, budget[0])
    found = listed(cells, [plate.image.path for plate in drawn], budget[1])
    defects = {image.path: image.defect for image in images} | read_defects(folder, data.name)
    first = next(iter(cells.values()))
    return Gallery(
        dataset=data.name,
        methods=tuple(each.cell.method for each in first),
        setting=_setting(first[0]),
        exhibits=tuple(_exhibit(plate, first) for plate in drawn if not plate.image.worst),
        mistakes=_worst_first(islice(_mistakes(first, drawn, defects), _WRONG_LINES)),
        data=drill_data(found, drawn, defects, list(board.run.methods)),
        sheet=sheet.text,
        hidden=_why_hidden(data, images),
        left_out=len(shown) - len(drawn),
        unlisted=_unlisted(found),
    )


def _why_hidden(data: DatasetRecord, images: Sequence[object]) -> str | None:
    if data.show_pixels:
        return None if images else "The run kept no picture of this data set."
    licence = data.licence or "not stated"
    return (
        f"No pixels of {data.name} are on this page: its licence ({licence}) does not clearly "
        "allow passing them on, and a page like this one is made to be passed on."
    )


def _setting(judged: Judged) -> str:
    cell = judged.cell
    made = setting_text(cell.normalizer, cell.thresholder, cell.seed)
    return f"{protocol_title(cell.protocol)}, {made}"


def _unlisted(found: Listed) -> str:
    """Say what of the lists is not on the page; empty where all of it is."""
    said = ""
    if found.depth is not None:
        said = (
            f"To keep this page small it lists {len(found.paths)} of {found.total} test images: of "
            f"each kind the {found.depth} worst of every method, protocol and class"
            + (", and of other methods only what is on their own lists. " if found.own else ". ")
        )
    if found.dropped:
        said += f"Not listed for the same reason: {', '.join(found.dropped)}. "
    return said + "scores.npz of each cell has all of them." if said else ""


def _exhibit(plate: Plate, cells: Sequence[Judged]) -> Exhibit:
    return Exhibit(plate, tuple(_verdict(each, plate.image.path, plate) for each in cells))


def _verdict(judged: Judged, path: str, plate: Plate | None) -> Verdict:
    at = judged.rows.get(path)
    layer = plate.layers.get(judged.cell.id) if plate else None
    if at is None:
        return Verdict(judged.cell.method, layer, None, None, None)
    score, threshold = float(judged.scores.scores[at]), float(judged.scores.threshold[at])
    decided = bool(judged.outcomes.kinds[at] >= 0)
    return Verdict(
        method=judged.cell.method,
        layer=layer,
        score=None if np.isnan(score) else score,
        threshold=None if np.isnan(threshold) else threshold,
        flagged=score > threshold if decided else None,
        pixel_threshold=judged.pixel_threshold(str(judged.scores.classes[at])),
    )


def _worst_first(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=lambda wrong: -wrong.excess))


def _mistakes(
    cells: Sequence[Judged], drawn: Sequence[Plate], defects: Mapping[str, str]
) -> Iterator[Mistake]:
    """Of each class, method and kind of error the worst, then the second worst."""
    plate_of = {plate.image.path: plate for plate in drawn}
    kinds = [kind for kind in KINDS if kind != "correct"]
    found = {
        (each.cell.id, kind): each.outcomes.worst(kind, _WRONG_A_CLASS)
        for each in cells
        for kind in kinds
    }
    names = dict.fromkeys(chain.from_iterable(found.values()))
    turns = product(range(_WRONG_A_CLASS), names, cells, kinds)
    for place, name, each, kind in turns:
        for i in found[each.cell.id, kind].get(name, [])[place : place + 1]:
            path = str(each.scores.samples[i])
            plate = plate_of.get(path)
            verdict = _verdict(each, path, plate)
            excess = float(each.outcomes.excess[i])
            yield Mistake(kind, path, name, defects.get(path, ""), excess, verdict, plate)
