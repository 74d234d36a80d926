"""A few test images with every method's anomaly map, where the licence lets pixels be shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from adharness.arrays import Float32
from adharness.maps import draw_map
from adharness.report.leaderboard import Leaderboard, Standing
from adharness.report.pictures import data_url, lay_over, thumbnail
from adharness.report.reading import ImageScores, PatchMaps, read_maps, read_scores
from adharness.store.records import CellRecord
from adharness.store.run_record import DatasetRecord, GalleryImage

BUDGET_BYTES = 3_500_000
"""All pictures of a page together, so that it stays below 6 MB with its tables."""
_INSIDE = 96
"""Grey above which a shrunken mask counts: above the ringing of the filter at its edge."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One method's verdict on one image. `picture` is a data URL; None where it gives no map.

    `pixel_threshold` is None where the suite asks for no metric that is decided at it.
    """

    method: str
    picture: str | None
    score: float | None
    threshold: float | None
    flagged: bool | None
    pixel_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One test image with its mask and the verdicts, in the order of the methods."""

    image: GalleryImage
    picture: str
    mask: str | None
    overlays: tuple[Overlay, ...]


@dataclass(frozen=True, slots=True)
class Gallery:
    """The exhibits of one data set.

    Parameters
    ----------
    hidden
        Why no pixel is shown; there are no exhibits then.
    setting
        Protocol, normalizer, thresholder and seed that all overlays come from.
    left_out
        Images dropped to keep the page small.
    """

    dataset: str
    methods: tuple[str, ...] = ()
    setting: str = ""
    exhibits: tuple[Exhibit, ...] = ()
    hidden: str | None = None
    left_out: int = 0

    @property
    def by_class(self) -> dict[str, list[Exhibit]]:
        """The exhibits of each class, in the order of the classes."""
        found: dict[str, list[Exhibit]] = {}
        for exhibit in self.exhibits:
            found.setdefault(exhibit.image.class_name, []).append(exhibit)
        return found


@dataclass(frozen=True, slots=True)
class _Shown:
    """A method's stored arrays, and the colour range of each class."""

    method: str
    scores: ImageScores | None
    maps: PatchMaps | None
    ranges: Mapping[str, tuple[float, float]]
    pixel_thresholds: Mapping[str | None, float]


def galleries(folder: Path, board: Leaderboard, budget: int = BUDGET_BYTES) -> list[Gallery]:
    """Build the gallery of each data set of the run.

    Parameters
    ----------
    folder
        The run's folder, with `gallery/` and `cells/`.
    board
        Its standings choose the cells: for each data set the first protocol, normalizer,
        thresholder and seed under which the most methods have numbers.
    budget
        Bytes of pictures over all data sets; what does not fit is counted, not shown.
    """
    found: list[Gallery] = []
    for number, data in enumerate(board.run.datasets):
        share = max(0, budget - sum(map(_weight, found))) // (len(board.run.datasets) - number)
        found.append(_gallery(folder, board, data, share))
    return found


def _gallery(folder: Path, board: Leaderboard, data: DatasetRecord, budget: int) -> Gallery:
    if not data.show_pixels:
        return Gallery(data.name, hidden=_why_hidden(data))
    cells = _same_setting([s for s in board.standings if s.group.dataset == data.name])
    images = [image for image in board.run.gallery if image.dataset == data.name]
    if not cells or not images:
        return Gallery(data.name, hidden="The run kept no test image of this data set.")
    shown = [_load(folder, cell) for cell in cells]
    exhibits: list[Exhibit] = []
    for image in _taking_turns(images):
        exhibit = _exhibit(folder, image, shown)
        if sum(map(_exhibit_weight, [*exhibits, exhibit])) > budget:
            break
        exhibits.append(exhibit)
    exhibits.sort(key=lambda exhibit: images.index(exhibit.image))
    return Gallery(
        dataset=data.name,
        methods=tuple(entry.method for entry in shown),
        setting=_setting_text(cells[0]),
        exhibits=tuple(exhibits),
        left_out=len(images) - len(exhibits),
    )


def _taking_turns(images: Sequence[GalleryImage]) -> list[GalleryImage]:
    """Order by the place within its class, so that a small budget still shows every class."""
    seen: Counter[str] = Counter()
    places: list[int] = []
    for image in images:
        places.append(seen[image.class_name])
        seen[image.class_name] += 1
    return [images[at] for at in sorted(range(len(images)), key=places.__getitem__)]


def _why_hidden(data: DatasetRecord) -> str:
    licence = data.licence or "not stated"
    return (
        f"No pixels of {data.name} are on this page: its licence ({licence}) does not clearly "
        "allow passing them on, and a page like this one is made to be passed on."
    )


def _same_setting(standings: Sequence[Standing]) -> list[CellRecord]:
    settings: dict[tuple[str, ...], list[CellRecord]] = {}
    for standing in standings:
        for cell in standing.cells:
            if cell.status != "failed":
                settings.setdefault((*standing.group, str(cell.seed)), []).append(cell)
    if not settings:
        return []
    best = max(settings.values(), key=len)  # the first of the longest
    return sorted(best, key=lambda cell: cell.method)


def _setting_text(cell: CellRecord) -> str:
    return (
        f"{cell.protocol}, normalizer {cell.normalizer}, thresholder {cell.thresholder}, "
        f"seed {cell.seed}"
    )


def _load(folder: Path, cell: CellRecord) -> _Shown:
    scores, maps = read_scores(folder, cell), read_maps(folder, cell)
    pixel_thresholds = {each.class_name: each.value for each in cell.pixel_thresholds}
    return _Shown(cell.method, scores, maps, _ranges(scores, maps), pixel_thresholds)


def _ranges(scores: ImageScores | None, maps: PatchMaps | None) -> dict[str, tuple[float, float]]:
    """Colour range of each class: smallest patch score to the 99.8th percentile of its images."""
    if scores is None or maps is None:
        return {}
    class_of = dict(zip(scores.samples.tolist(), scores.classes.tolist(), strict=True))
    owners = np.array([class_of.get(sample, "") for sample in maps.samples.tolist()])
    return {
        str(name): (float(patches.min()), float(np.quantile(patches, 0.998)))
        for name in np.unique(owners)
        for patches in [maps.patches[owners == name]]
    }


def _exhibit(folder: Path, image: GalleryImage, shown: Sequence[_Shown]) -> Exhibit:
    picture = thumbnail(folder, image.image).convert("RGB")
    mask = thumbnail(folder, image.mask).convert("L") if image.mask else None
    if mask is not None:
        mask = mask.resize(picture.size, Image.Resampling.NEAREST).point(
            lambda v: 255 * (v > _INSIDE)
        )
    overlays = tuple(_overlay(entry, image, picture, mask) for entry in shown)
    return Exhibit(image, data_url(picture), data_url(mask) if mask else None, overlays)


def _overlay(
    entry: _Shown,
    image: GalleryImage,
    picture: Image.Image,
    mask: Image.Image | None,
) -> Overlay:
    score, threshold = _verdict(entry.scores, image.path)
    drawn = _drawn(entry, image, picture.size)
    url = None
    if drawn is not None:
        ends = entry.ranges.get(image.class_name, (0.0, 0.0))
        url = data_url(lay_over(picture, drawn, ends, mask))
    flagged = None if score is None or threshold is None else score > threshold
    pixel = entry.pixel_thresholds.get(image.class_name, entry.pixel_thresholds.get(None))
    return Overlay(entry.method, url, score, threshold, flagged, pixel)


def _verdict(scores: ImageScores | None, sample: str) -> tuple[float | None, float | None]:
    if scores is None:
        return None, None
    for found in np.flatnonzero(scores.samples == sample)[:1]:
        threshold = float(scores.threshold[found])  # NaN where none could be fitted
        return float(scores.scores[found]), None if np.isnan(threshold) else threshold
    return None, None


def _drawn(entry: _Shown, image: GalleryImage, size: tuple[int, int]) -> Float32 | None:
    if entry.maps is None:
        return None
    at = np.flatnonzero(entry.maps.samples == image.path)
    if not len(at):
        return None
    return draw_map(
        entry.maps.patches[at[0]],
        input_size=entry.maps.input_size,
        native_size=(size[1], size[0]),  # the thumbnail: the same picture, sampled more coarsely
        smooth_px=entry.maps.smooth_px,
        upsample=entry.maps.upsample,
        margins=entry.maps.margins,
    )


def _exhibit_weight(exhibit: Exhibit) -> int:
    pictures = [exhibit.picture, exhibit.mask, *(each.picture for each in exhibit.overlays)]
    return sum(len(picture) for picture in pictures if picture)


def _weight(gallery: Gallery) -> int:
    return sum(map(_exhibit_weight, gallery.exhibits))
