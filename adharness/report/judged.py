"""The cells that the gallery shows, with all that is stored of their test images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from adharness.metrics.mistakes import Outcomes, outcomes
from adharness.report.leaderboard import Leaderboard
from adharness.report.reading import ImageScores, PatchMaps, read_maps, read_scores, scores_as_made
from adharness.store.records import CellRecord
from adharness.store.representatives import representatives


@dataclass(frozen=True)
class Judged:
    """One cell, read from the run's folder."""

    folder: Path
    cell: CellRecord
    scores: ImageScores
    outcomes: Outcomes

    @cached_property
    def rows(self) -> dict[str, int]:
        """Place of each image by its path."""
        return {path: i for i, path in enumerate(self.scores.samples.tolist())}

    @cached_property
    def pixel_thresholds(self) -> Mapping[str | None, float]:
        """Deployed pixel threshold by class; under None that of all classes."""
        return {each.class_name: each.value for each in self.cell.pixel_thresholds}

    def pixel_threshold(self, class_name: str) -> float | None:
        """Give the pixel threshold of a class; None where the suite asked for none."""
        return self.pixel_thresholds.get(class_name, self.pixel_thresholds.get(None))

    @cached_property
    def on_scale(self) -> bool:
        """Whether the stored maps are on the pixel threshold's scale: the normalizer's."""
        return scores_as_made(self.folder, self.cell)

    @property
    def has_maps(self) -> bool:
        """Whether patch scores are stored."""
        return "maps.npz" in self.cell.files

    def maps(self) -> PatchMaps | None:
        """Read the patch scores: not kept, they are the largest part of a cell."""
        return read_maps(self.folder, self.cell)

    def ranges(self, maps: PatchMaps) -> dict[str, tuple[float, float]]:
        """Colour range of each class: smallest patch score to its images' 99.8th percentile."""
        class_of = dict(
            zip(self.scores.samples.tolist(), self.scores.classes.tolist(), strict=True)
        )
        owners = np.array([class_of.get(sample, "") for sample in maps.samples.tolist()])
        return {
            str(name): (float(patches.min()), float(np.quantile(patches, 0.998)))
            for name in np.unique(owners)
            for patches in [maps.patches[owners == name]]
        }


def judged(folder: Path, board: Leaderboard, dataset: str) -> dict[str, list[Judged]]:
    """Read of each protocol the cells of one setting; those without stored scores are left out."""
    cells = {row.cell.id: row.cell for row in board.rows if row.cell.dataset == dataset}
    chosen = representatives(cells.values())
    found = {protocol: list(_read(folder, its)) for protocol, its in chosen.items()}
    return {protocol: its for protocol, its in found.items() if its}


def _read(folder: Path, cells: Iterable[CellRecord]) -> Iterable[Judged]:
    for cell in cells:
        scores = read_scores(folder, cell)
        if scores is not None:
            parts = (scores.scores, scores.threshold, scores.labels, scores.classes)
            yield Judged(folder, cell, scores, outcomes(*parts))
