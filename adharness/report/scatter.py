"""Stored views of the feature space as scatter plots: a dot is normal, a cross anomalous."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adharness.arrays import Bool, Float64
from adharness.report.drawings import Cloud, Scatter
from adharness.report.formats import counted, percent
from adharness.store.views import ViewRecord

COLOURS = 6
"""Told apart by eyes that do not see red or green; the seventh class has the first colour again,
and its name in the picture."""
TITLES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
_SIDE_PX, _EDGE_PX, _CROSS_PX = 460.0, 14.0, 2.6


def scatters(views: Sequence[ViewRecord]) -> list[tuple[str, tuple[Scatter, ...]]]:
    """Give the plots by projection; those without points are told by `unseen`."""
    drawn = [view for view in views if view.x]
    titles = dict.fromkeys(TITLES.get(view.projection, view.projection) for view in drawn)
    return [
        (title, tuple(_scatter(v) for v in drawn if TITLES.get(v.projection, "") == title))
        for title in titles
    ]


def unseen(views: Sequence[ViewRecord]) -> list[str]:
    """Say why views were not made."""
    return [
        f"{TITLES.get(v.projection, v.projection)} of {v.dataset}, {v.extractor}: {v.reason}"
        for v in views
        if v.reason
    ]


def _scatter(view: ViewRecord) -> Scatter:
    points = np.column_stack([view.x, view.y])
    # One scale for both axes: distances mean something, a stretched axis would lie about them.
    low, span = points.min(axis=0), float(np.ptp(points, axis=0).max()) or 1.0
    places = _EDGE_PX + (points - low) / span * (_SIDE_PX - 2 * _EDGE_PX)
    height = round(float(places[:, 1].max()) + _EDGE_PX, 1)
    places[:, 1] = height - places[:, 1]
    classes, labels = np.array(view.classes), np.array(view.labels)
    clouds = tuple(
        _cloud(name, number % COLOURS, places, classes == name, labels == 1)
        for number, name in enumerate(dict.fromkeys(view.classes))
    )
    return Scatter(
        title=f"{view.dataset}: {TITLES.get(view.projection, view.projection)} of {view.extractor}",
        note=_note(view),
        keys={"dataset": view.dataset},
        width=_SIDE_PX,
        height=height,
        clouds=clouds,
    )


def _note(view: ViewRecord) -> str:
    told = [f"{len(view.x)} of {counted(view.of, 'image')}"]
    if view.explained:
        told.append("axes hold " + " and ".join(f"{percent(e)} %" for e in view.explained))
    told += [f"{name} {value}" for name, value in view.settings.items() if name != "images"]
    return ", ".join(told)


def _cloud(name: str, colour: int, places: Float64, mine: Bool, anomalous: Bool) -> Cloud:
    x, y = np.median(places[mine], axis=0)
    return Cloud(
        label=name,
        colour=colour,
        normal="".join(f"M{a:.1f} {b:.1f}h0" for a, b in places[mine & ~anomalous]),
        anomalous="".join(_cross(a, b) for a, b in places[mine & anomalous]),
        x=round(float(x), 1),
        y=round(float(y), 1),
    )


def _cross(x: float, y: float) -> str:
    size = 2 * _CROSS_PX
    start = f"M{x - _CROSS_PX:.1f} {y - _CROSS_PX:.1f}"
    return f"{start}l{size:g} {size:g}m0-{size:g}l-{size:g} {size:g}"
