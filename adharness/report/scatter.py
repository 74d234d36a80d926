"""Stored views of the feature space as scatter plots: a dot is normal, a cross anomalous."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adharness.report.drawings import Figure, Figures
from adharness.report.formats import counted, percent
from adharness.store.views import ViewRecord

TITLES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
STEPS = 1000
"""Steps of the longer axis in which a place is written."""


def scatters(views: Sequence[ViewRecord]) -> Figures:
    """Give the plots by projection; those without points are told by `unseen`."""
    drawn = [view for view in views if view.x]
    titles = dict.fromkeys(TITLES.get(view.projection, view.projection) for view in drawn)
    return tuple(
        (title, tuple(_scatter(v) for v in drawn if TITLES.get(v.projection, "") == title))
        for title in titles
    )


def unseen(views: Sequence[ViewRecord]) -> list[str]:
    """Say why views were not made."""
    return [
        f"{TITLES.get(v.projection, v.projection)} of {v.dataset}, {v.extractor}: {v.reason}"
        for v in views
        if v.reason
    ]


def _scatter(view: ViewRecord) -> Figure:
    points = np.column_stack([view.x, view.y])
    # One scale for both axes: distances mean something, a stretched axis would lie about them.
    low, span = points.min(axis=0), float(np.ptp(points, axis=0).max()) or 1.0
    places = np.rint((points - low) / span * STEPS).astype(np.int64)
    classes = list(dict.fromkeys(view.classes))
    return Figure(
        kind="scatter",
        title=f"{view.dataset}: {TITLES.get(view.projection, view.projection)} of {view.extractor}",
        note=_note(view),
        keys={"dataset": view.dataset},
        data={
            "classes": classes,
            "x": places[:, 0].tolist(),
            "y": places[:, 1].tolist(),
            "of": [classes.index(name) for name in view.classes],
            "anomalous": list(view.labels),
        },
        instead="It feeds no number of the page.",
    )


def _note(view: ViewRecord) -> str:
    told = [f"{len(view.x)} of {counted(view.of, 'image')}"]
    if view.explained:
        told.append("axes hold " + " and ".join(f"{percent(e)} %" for e in view.explained))
    told += [f"{name} {value}" for name, value in view.settings.items() if name != "images"]
    return ", ".join(told)
