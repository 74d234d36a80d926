"""Which test images can be looked up on the page, one by one, with what each method said of them.

Everything that the page's script needs of a data set, as plain data: no picture is in it, only
the names of the pictures.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from adharness.metrics.mistakes import KINDS
from adharness.report.embedded import Plain
from adharness.report.formats import clipped
from adharness.report.headings import protocol_title
from adharness.report.judged import Judged
from adharness.report.plates import Layer, Plate

DEPTHS = (None, 40, 20, 10, 5)
"""Images of each kind of a method, protocol and class that are listed; None for all of them."""
_OWN_DEPTHS = (10, 5, 2, 1)
"""The same where a method is told of nothing but its own list."""
_LETTERS = "fmc-"
"""Of each kind in `KINDS`; the last one for what was not decided."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What fits on the page of a data set's test images.

    Parameters
    ----------
    paths
        Images in the order of their classes and names.
    depth
        Place in the lists down to which a list is whole; None where all images are there.
    total
        Images of all cells together.
    cells
        Those that fit, by protocol.
    dropped
        Methods that would not fit even with one image of a kind.
    own
        Whether each cell tells of the images on its own lists alone, for want of room; otherwise
        it tells of all `paths`.
    """

    paths: tuple[str, ...]
    depth: int | None
    total: int
    cells: Mapping[str, Sequence[Judged]]
    dropped: tuple[str, ...] = ()
    own: bool = False


def listed(cells: Mapping[str, Sequence[Judged]], shown: Collection[str], budget: int) -> Listed:
    """Choose the images: all where they fit, otherwise the worst of each method, class and kind.

    Parameters
    ----------
    cells
        By protocol.
    shown
        Paths of the images that have pictures: always listed.
    budget
        Bytes.
    """
    everything = list(chain.from_iterable(cells.values()))
    total = len({path for each in everything for path in each.rows})
    for depth in DEPTHS:
        paths = _paths(everything, depth) | set(shown)
        if _weight(paths, everything) <= budget:
            return Listed(_ordered(paths, everything), depth, total, cells)
    own = _listed_alone(everything, set(shown), budget)
    if own is not None:
        return Listed(_ordered(own[1], everything), own[0], total, cells, own=True)
    methods = sorted({each.cell.method for each in everything})
    kept = set(methods[: max(1, len(methods) // 2)])
    fewer = {name: [c for c in its if c.cell.method in kept] for name, its in cells.items()}
    if len(methods) == 1:
        return Listed(_ordered(set(shown), everything), 0, total, cells)
    found = listed({name: its for name, its in fewer.items() if its}, shown, budget)
    dropped = (*found.dropped, *(name for name in methods if name not in kept))
    return replace(found, total=total, dropped=dropped)


def _listed_alone(
    cells: Sequence[Judged], shown: set[str], budget: int
) -> tuple[int, set[str]] | None:
    """Depth and images of the longest lists that fit without what other methods said of them."""
    for depth in _OWN_DEPTHS:
        paths = _paths(cells, depth) | shown
        values = sum(len(_paths([each], depth)) for each in cells)
        if _weight(paths, cells, values) <= budget:
            return depth, paths
    return None


def drill_data(
    found: Listed,
    pictured: Sequence[Plate],
    defects: Mapping[str, str],
    methods: Collection[str],
) -> dict[str, Plain]:
    """Lay out the data of one data set for `drill.js`.

    Parameters
    ----------
    found
        What is listed.
    pictured
        Plates of the images that have one.
    defects
        Kind of defect by path, where it is known.
    methods
        All methods of the run: those without a cell under a protocol failed there.
    """
    cells = list(chain.from_iterable(found.cells.values()))
    truth = _truth(cells)
    names = list(dict.fromkeys(class_name for _, class_name in truth.values()))
    plate_of = {plate.image.path: i for i, plate in enumerate(pictured)}
    kinds_of_defect = list(dict.fromkeys(defects.get(path, "") for path in found.paths))
    return {
        "classes": [clipped(name) for name in names],
        "defects": [clipped(defect) for defect in kinds_of_defect],
        "depth": found.depth,
        "images": {
            "path": [clipped(path) for path in found.paths],
            "class": [names.index(truth[path][1]) for path in found.paths],
            "label": [truth[path][0] for path in found.paths],
            "defect": [kinds_of_defect.index(defects.get(path, "")) for path in found.paths],
            "plate": [plate_of.get(path, -1) for path in found.paths],
        },
        "plates": [_plate(plate) for plate in pictured],
        "settings": [_setting(its, methods) for its in found.cells.values()],
        "cells": [
            {"setting": number, **_cell(each, found, names, pictured)}
            for number, its in enumerate(found.cells.values())
            for each in its
        ],
    }


def _paths(cells: Sequence[Judged], depth: int | None) -> set[str]:
    if depth is None:
        return {path for each in cells for path in each.rows}
    return {
        str(each.scores.samples[i])
        for each in cells
        for kind in KINDS
        for its in each.outcomes.worst(kind, depth).values()
        for i in its
    }


def _weight(paths: Collection[str], cells: Sequence[Judged], values: int | None = None) -> int:
    """Bytes, about: `values` numbers in all cells, or one of every cell for every image."""
    numbers = 10 * len(paths) * len(cells) if values is None else 16 * values
    by_class = 24 * sum(len(each.outcomes.scales) for each in cells)
    return sum(len(path) + 16 for path in paths) + numbers + by_class


def _truth(cells: Sequence[Judged]) -> dict[str, tuple[int, str]]:
    """Label and class of each image by its path."""
    return {
        path: (int(label), str(class_name))
        for each in cells
        for path, label, class_name in zip(
            each.scores.samples.tolist(), each.scores.labels, each.scores.classes, strict=True
        )
    }


def _ordered(paths: Collection[str], cells: Sequence[Judged]) -> tuple[str, ...]:
    return tuple(path for path in _truth(cells) if path in paths)


def _plate(plate: Plate) -> dict[str, Plain]:
    image = plate.image
    true_size = f"{image.width} × {image.height} px"  # noqa: RUF001
    return {
        "picture": plate.picture,
        "width": plate.width,
        "height": plate.height,
        "mask": plate.mask,
        "size": true_size + (", drawn thicker than it is" if plate.stretched else ""),
    }


def _setting(cells: Sequence[Judged], methods: Collection[str]) -> dict[str, Plain]:
    first, there = cells[0].cell, {each.cell.method for each in cells}
    return {
        "title": protocol_title(first.protocol),
        "note": setting_text(first.normalizer, first.thresholder, first.seed),
        "silent": [clipped(name) for name in methods if name not in there],
    }


def setting_text(normalizer: str, thresholder: str, seed: int) -> str:
    """Say what a cell was made with, its protocol and method apart."""
    return f"normalizer {normalizer}, thresholder {thresholder}, seed {seed}"


def _cell(
    judged: Judged, listed: Listed, names: Sequence[str], pictured: Sequence[Plate]
) -> dict[str, Plain]:
    told = list(range(len(listed.paths)))
    if listed.own:
        mine = _paths([judged], listed.depth)
        told = [i for i in told if listed.paths[i] in mine]
    rows = [judged.rows.get(listed.paths[i], -1) for i in told]
    scores, found = judged.scores, judged.outcomes
    totals = [found.worst(kind) for kind in KINDS]
    layers = [plate.layers.get(judged.cell.id) for plate in pictured]
    known = {at: layer for at, layer in enumerate(layers) if layer}
    return {
        "method": clipped(judged.cell.method),
        "told": told if listed.own else None,
        "kinds": "".join(_LETTERS[found.kinds[i] if i >= 0 else -1] for i in rows),
        "scores": [plain(scores.scores[i]) if i >= 0 else None for i in rows],
        **_thresholds(judged, rows, names),
        "scales": [plain(found.scales.get(name, 1.0)) for name in names],
        "totals": [[len(by_class.get(name, ())) for by_class in totals] for name in names],
        "pixel": [plain(judged.pixel_threshold(name)) for name in names] if known else None,
        "maps": judged.has_maps if pictured else None,
        "ranges": [_range(name, pictured, layers) for name in names] if known else None,
        "layers": {str(at): [layer.picture, layer.contour] for at, layer in known.items()},
    }


def _thresholds(judged: Judged, rows: Sequence[int], names: Sequence[str]) -> dict[str, Plain]:
    """Of each class where its images share a threshold, otherwise of each image."""
    scores = judged.scores
    found = [np.unique(scores.threshold[scores.classes == name]) for name in names]
    if any(len(values) > 1 for values in found):
        return {"each": [plain(scores.threshold[i]) if i >= 0 else None for i in rows]}
    return {"thresholds": [plain(values[0]) if len(values) else None for values in found]}


def _range(name: str, pictured: Sequence[Plate], layers: Sequence[Layer | None]) -> Plain:
    """Give the ends of the colours of a class, which all its maps share."""
    for plate, layer in zip(pictured, layers, strict=True):
        if layer and plate.image.class_name == name:
            return [plain(end) for end in layer.ends]
    return None


def plain(value: Any) -> float | str | None:
    """Six digits of a number; None for NaN and none; an infinity as its sign."""
    if value is None or np.isnan(value):
        return None
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"  # noqa: RUF001
    return float(f"{value:.6g}")
