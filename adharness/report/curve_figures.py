"""ROC and precision-recall curves of images: a figure a data set, protocol and normalizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from adharness.arrays import Bool
from adharness.report.cross_class import cells_of, classes_of
from adharness.report.curves import (
    area_of_lines,
    area_of_steps,
    image_ranking,
    precision_recall,
    roc_curve,
    thinned_lines,
    thinned_steps,
)
from adharness.report.drawings import Figure
from adharness.report.embedded import Plain
from adharness.report.headings import protocol_title
from adharness.report.leaderboard import Leaderboard, headline_class
from adharness.report.reading import ImageScores
from adharness.report.shelf import Shelf
from adharness.store.records import CellRecord

Drawn = TypeVar("Drawn")
POOLED = "pooled"
DIGITS = 4
"""Of shares of one, as they are written into the page."""
_PANELS: tuple[dict[str, Plain], ...] = (
    {"name": "ROC", "x": "false-positive rate", "y": "true-positive rate", "area": "AUROC"},
    {"name": "Precision-recall", "x": "recall", "y": "precision", "area": "AP", "steps": True},
)


@dataclass(frozen=True, slots=True)
class Group:
    """Cells that one figure draws: of each method, one a thresholder; of the first seed.

    `apart` says how they were judged otherwise than most of their data set.
    """

    dataset: str
    protocol: str
    normalizer: str
    apart: str
    methods: dict[str, list[CellRecord]]

    @property
    def thresholders(self) -> list[str]:
        """All of them, in the order in which they come."""
        found = (cell.thresholder for cells in self.methods.values() for cell in cells)
        return list(dict.fromkeys(found))


def figure_groups(board: Leaderboard) -> list[Group]:
    """Group the cells by data set, protocol, normalizer and judging, in the order of the run."""
    first = min(board.run.seeds, default=0)
    apart = {cell.id: s.group.apart for s in board.standings for cell in s.cells}
    groups: dict[tuple[str, ...], Group] = {}
    for cell in cells_of(board):
        if cell.seed == first and cell.status != "failed":
            key = (cell.dataset, cell.protocol, cell.normalizer, apart.get(cell.id, ""))
            group = groups.setdefault(key, Group(*key, {}))
            group.methods.setdefault(cell.method, []).append(cell)
    return list(groups.values())


def by_protocol(
    board: Leaderboard, figures: Sequence[tuple[str, Drawn]]
) -> tuple[tuple[str, tuple[Drawn, ...]], ...]:
    """Gather (protocol, figure) pairs under the titles of the protocols, in the suite's order."""
    return tuple(
        (protocol_title(protocol), own)
        for protocol in board.run.protocols
        for own in [tuple(figure for name, figure in figures if name == protocol)]
        if own
    )


def image_curves(
    board: Leaderboard, read: Callable[[CellRecord], ImageScores | None], shelf: Shelf
) -> list[tuple[str, Figure]]:
    """Draw the curves of every group, each with its protocol; `shelf` takes the curves."""
    found = []
    for group in figure_groups(board):
        scopes = scopes_of(board, group)
        lines = [line for line in _lines(board, group, read, shelf, scopes) if line]
        if lines:
            found.append((group.protocol, _figure(board, group, lines, scopes)))
    return found


def scopes_of(board: Leaderboard, group: Group) -> list[str]:
    """Name the classes and all of them pooled, what the protocol is ranked by first."""
    classes = classes_of(board, next(iter(group.methods.values()))[0])
    pooled_first = headline_class(group.protocol) == POOLED
    return [POOLED, *classes] if pooled_first else [*classes, POOLED]


def scoped(scores: ImageScores, cell: CellRecord, scope: str) -> Bool:
    """Tell which images a scope holds; of a cell that failed in part, none are pooled."""
    if scope != POOLED:
        return np.asarray(scores.classes == scope, np.bool_)
    return np.full(len(scores.labels), cell.status == "ok")


def note_of(board: Leaderboard, group: Group) -> str:
    """Name the normalizer, the seed where there are several, and what was judged otherwise."""
    seeds = board.run.seeds
    seed = f", seed {min(seeds)} of {len(seeds)}" if len(seeds) > 1 else ""
    apart = f". Judged apart: {group.apart}" if group.apart else ""
    return f"normalizer {group.normalizer}{seed}{apart}"


def _lines(
    board: Leaderboard,
    group: Group,
    read: Callable[[CellRecord], ImageScores | None],
    shelf: Shelf,
    scopes: Sequence[str],
) -> Iterator[dict[str, Plain] | None]:
    order = list(board.run.methods)
    for method, cells in group.methods.items():
        scores = read(cells[0])
        if scores is None or not len(scores.labels):
            continue
        all_scores = {cells[0].thresholder: scores} | {
            cell.thresholder: own for cell in cells[1:] for own in [read(cell)] if own is not None
        }
        chosen = [scoped(scores, cells[0], scope) for scope in scopes]
        yield {
            "name": method,
            "colour": order.index(method) if method in order else 0,
            "bound": cells[0].class_oracle,
            "lines": [_curves(scores, images, shelf) for images in chosen],
            "at": {
                name: [_operating_point(own, images) for images in chosen]
                for name, own in all_scores.items()
            },
        }


def _curves(scores: ImageScores, images: Bool, shelf: Shelf) -> Plain:
    """Places and areas of both curves; None where they are undefined."""
    ranking = image_ranking(scores.labels[images] == 1, scores.scores[images])
    roc, steps = roc_curve(ranking), precision_recall(ranking)
    if not len(roc):
        return None
    return {
        "curves": [shelf.place(thinned_lines(roc)), shelf.place(thinned_steps(steps))],
        "areas": [round(area_of_lines(roc), DIGITS), round(area_of_steps(steps), DIGITS)],
    }


def _operating_point(scores: ImageScores, images: Bool) -> Plain:
    """Give the point of the deployed decisions on each panel; None without images of a kind."""
    anomalous = scores.labels[images] == 1
    flagged = scores.scores[images] > scores.threshold[images]
    hits, alarms = int((flagged & anomalous).sum()), int((flagged & ~anomalous).sum())
    positives, negatives = int(anomalous.sum()), int((~anomalous).sum())
    if not positives or not negatives:
        return None
    recall = round(hits / positives, DIGITS)
    precision = [recall, round(hits / (hits + alarms), DIGITS)] if hits + alarms else None
    return [[round(alarms / negatives, DIGITS), recall], precision]


def _figure(
    board: Leaderboard, group: Group, lines: Sequence[Plain], scopes: Sequence[str]
) -> Figure:
    return Figure(
        kind="curves",
        title=f"{group.dataset}: curves of images, {group.protocol}",
        note=note_of(board, group),
        keys={"dataset": group.dataset, "normalizer": group.normalizer},
        data={
            "choices": [
                {"name": "class", "label": "Class", "values": scopes},
                {"name": "thresholder", "label": "Threshold by", "values": group.thresholders},
            ],
            "panels": _PANELS,
            "methods": lines,
            "prevalence": _prevalence(group, scopes),
        },
        instead="The areas are the image AUROC and AP of the boards and of the tables per class.",
    )


def _prevalence(group: Group, scopes: Sequence[str]) -> Plain:
    """Share of anomalous images of each scope: the precision of flagging everything."""
    rows = {row.class_name: row for cells in group.methods.values() for row in cells[0].rows}
    shares: list[float | None] = []
    for scope in scopes:
        row = rows.get(scope)
        images = row.normals + row.anomalies if row else 0
        shares.append(round(row.anomalies / images, DIGITS) if row and images else None)
    return shares
