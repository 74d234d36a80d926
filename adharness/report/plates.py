"""The pictures of the gallery: each test image once, and of each method its map to lay over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from adharness.arrays import Float32
from adharness.maps import draw_map
from adharness.report.judged import Judged
from adharness.report.outlines import outline
from adharness.report.pictures import Sheet, map_url, photo_url, thumbnail, widened
from adharness.report.reading import PatchMaps
from adharness.store.run_record import GalleryImage

_INSIDE = 96
"""Grey above which a shrunken mask counts: above the ringing of the filter at its edge."""
_FULL = 0.98
"""Share of the budget at which no further protocol's map is begun."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A method's map of one image.

    Parameters
    ----------
    picture
        Class of the picture in the sheet.
    ends
        Patch scores of the darkest and the lightest colour.
    contour
        SVG path of what lies above the pixel threshold; None where that is not known.
    """

    picture: str
    ends: tuple[float, float]
    contour: str | None


@dataclass(frozen=True, slots=True)
class Plate:
    """One test image as it is drawn; `layers` by the cell's id. `mask` is an SVG path."""

    image: GalleryImage
    picture: str
    width: int
    height: int
    mask: str | None
    layers: dict[str, Layer] = field(default_factory=dict)

    @property
    def stretched(self) -> bool:
        """Whether it is drawn thicker than it is."""
        drawn, true = self.width / self.height, self.image.width / self.image.height
        return max(drawn / true, true / drawn) > 1.5

    @property
    def size(self) -> int:
        """Bytes of its paths on the page."""
        contours = [layer.contour or "" for layer in self.layers.values()]
        return len(self.mask or "") + sum(map(len, contours)) + 24 * len(contours)


def plates(
    folder: Path,
    images: Sequence[GalleryImage],
    protocols: Iterable[Sequence[Judged]],
    sheet: Sheet,
    budget: int,
) -> list[Plate]:
    """Draw as many images as fit, with the maps of the first protocol, then those of the others.

    Parameters
    ----------
    images
        In the order in which they are given up last; classes take turns.
    sheet
        Gets the pictures.
    budget
        Bytes of the pictures and paths.

    Returns
    -------
    list
        Plates in the order of `images`. The first protocol's maps are on all of them.
    """
    if not images:
        return []  # no map is read where no picture may be shown
    first, *others = [list(its) for its in protocols] or [[]]
    readers = list(_readers(first))
    drawn: dict[str, Plate] = {}
    paths = 0
    for image in _taking_turns(images):
        before, plate = len(sheet.rules), _plate(folder, image, sheet)
        for entry in readers:
            _lay(plate, entry, sheet)
        if sheet.size + paths + plate.size > budget:
            sheet.forget(before)
            break
        paths += plate.size
        drawn[image.path] = plate
    for entry in _readers(each for its in others for each in its):
        if sheet.size + paths > _FULL * budget:
            break  # before the next cell's maps are read
        for plate in drawn.values():
            if sheet.size + paths < _FULL * budget:
                paths -= plate.size
                _lay(plate, entry, sheet)
                paths += plate.size
    return [drawn[image.path] for image in images if image.path in drawn]


def _taking_turns(images: Sequence[GalleryImage]) -> list[GalleryImage]:
    """Order by the place within its class, so that a small budget still shows every class."""
    seen: Counter[str] = Counter()
    places: list[int] = []
    for image in images:
        places.append(seen[image.class_name])
        seen[image.class_name] += 1
    return [images[at] for at in sorted(range(len(images)), key=places.__getitem__)]


@dataclass(frozen=True, slots=True)
class _Reader:
    """A cell with its maps and the colour range of each class."""

    judged: Judged
    maps: PatchMaps
    rows: dict[str, int]
    ranges: dict[str, tuple[float, float]]


def _readers(cells: Iterable[Judged]) -> Iterator[_Reader]:
    for cell in cells:
        maps = cell.maps()
        if maps is not None:
            rows = {path: i for i, path in enumerate(maps.samples.tolist())}
            yield _Reader(cell, maps, rows, cell.ranges(maps))


def _plate(folder: Path, image: GalleryImage, sheet: Sheet) -> Plate:
    picture = widened(thumbnail(folder, image.image).convert("RGB"))
    mask = None
    if image.mask:
        grey = thumbnail(folder, image.mask).convert("L").resize(picture.size)
        mask = outline(np.asarray(grey, dtype=np.float32), _INSIDE)
    return Plate(image, sheet.add(photo_url(picture)), *picture.size, mask)


def _lay(plate: Plate, entry: _Reader, sheet: Sheet) -> None:
    drawn = _drawn(entry, plate)
    if drawn is not None:
        ends = entry.ranges.get(plate.image.class_name, (0.0, 0.0))
        picture = sheet.add(map_url(drawn, ends))
        plate.layers[entry.judged.cell.id] = Layer(picture, ends, _contour(entry, plate, drawn))


def _contour(entry: _Reader, plate: Plate, drawn: Float32) -> str | None:
    level = entry.judged.pixel_threshold(plate.image.class_name)
    return None if level is None or not entry.judged.on_scale else outline(drawn, level)


def _drawn(entry: _Reader, plate: Plate) -> Float32 | None:
    at = entry.rows.get(plate.image.path)
    if at is None:
        return None
    return draw_map(
        entry.maps.patches[at],
        input_size=entry.maps.input_size,
        native_size=(plate.height, plate.width),  # the same picture, sampled more coarsely
        smooth_px=entry.maps.smooth_px,
        upsample=entry.maps.upsample,
        margins=entry.maps.margins,
        pad=entry.maps.pad,
    )
