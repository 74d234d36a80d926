"""What judging takes, from made-up scores, maps and defects: no label of the data set is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from adharness.arrays import Int64
from adharness.contracts import Sample
from adharness.engine.judge import Kind, Referee
from adharness.engine.scored_maps import RawMaps, ScoredMaps
from adharness.engine.survey import PortionName
from adharness.engine.truth import PackedMask, Truth
from adharness.suite.bound import BoundSuite

JUDGED_SIDE = 256
"""Pixels a side of a made-up image; what reads every pixel grows with their number."""
DEFECT_SHARE = 8
"""A made-up defect is a square whose side is an eighth of the image's."""


@dataclass(frozen=True)
class MadeUpImages:
    """Test images of one class that show nothing; every other one counts as anomalous."""

    count: int

    @property
    def classes(self) -> tuple[str, ...]:
        """The one class."""
        return ("made-up",)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Samples without a file."""
        whole = [(str(i), "made-up", "test", i % 2) for i in range(self.count)]
        return tuple(Sample(p, c, "test", 1 if label else 0) for p, c, _, label in whole)

    def portion(self, name: PortionName, class_name: str | None = None) -> Int64:  # noqa: ARG002
        """All are test images."""
        return np.arange(self.count if name == "test" else 0, dtype=np.int64)

    def labels(self, positions: Int64) -> Int64:
        """Give zeros and ones by turns."""
        return np.asarray(positions % 2, dtype=np.int64)

    def class_names(self, positions: Int64) -> list[str]:
        """Give the one class."""
        return ["made-up"] * len(positions)

    def groups(self, positions: Int64) -> list[str | None]:
        """Each image stands alone."""
        return [None] * len(positions)


@dataclass(frozen=True, slots=True)
class Line:
    """Seconds that have a fixed part and one that grows with the images."""

    fixed_s: float
    image_s: float

    def at(self, images: int) -> float:
        """Give the seconds for so many images."""
        return self.fixed_s + self.image_s * images

    @classmethod
    def through(cls, few: tuple[int, float], more: tuple[int, float]) -> Line:
        """Draw the line through two measurements; neither part is below 0."""
        slope = max((more[1] - few[1]) / (more[0] - few[0]), 0.0)
        return cls(max(few[1] - slope * few[0], 0.0), slope)


@dataclass(frozen=True, slots=True)
class JudgeCosts:
    """Seconds to measure one row of a board, by the number of its images.

    Parameters
    ----------
    drawn
        To draw the maps: once for all that shares raw scores.
    order
        What is read off the order of scores and maps: once for all that keep it.
    scale
        What is read off the normalized maps, and at their deployed threshold: for each normalizer.
    decided
        What is read at the deployed threshold of the image scores: for each thresholder.
    """

    drawn: Line
    order: Line
    scale: Line
    decided: Line

    def scaled(self, pixels: float) -> JudgeCosts:
        """Give the costs for images with this many times the pixels."""
        drawn, order, scale = (
            Line(one.fixed_s, one.image_s * pixels) for one in (self.drawn, self.order, self.scale)
        )
        return JudgeCosts(drawn, order, scale, self.decided)


def try_judge(
    suite: BoundSuite,
    native: tuple[int, int],
    grid: tuple[int, int] | None,
    *,
    most: int,
    input_size: tuple[int, int] | None = None,
) -> JudgeCosts:
    """Judge a few made-up images, and more of them, as the suite asks.

    Parameters
    ----------
    native
        (H, W) of an image in pixels.
    grid
        (h, w) of the patch scores; None for a scorer that gives image scores only.
    most
        Images of the larger trial; the smaller has half of them.
    input_size
        (H, W) in pixels of what the extractor is given; 8 pixels a patch if not given.
    """
    if grid and input_size is None:
        input_size = 8 * max(grid), 8 * max(grid)
    drawing = (grid, input_size) if grid and input_size else None
    trials = [_Trial(suite, native, drawing, count) for count in (2, most // 2, most)]
    _, few, more = [trial.timed() for trial in trials]  # in the first, libraries are loaded
    drawn, order, scale, decided = (
        Line.through((most // 2, a), (most, b)) for a, b in zip(few, more, strict=True)
    )
    return JudgeCosts(drawn, order, scale, decided)


@dataclass(frozen=True)
class _Trial:
    """Made-up images, half of them with a defect, scored at random."""

    suite: BoundSuite
    native: tuple[int, int]
    drawing: tuple[tuple[int, int], tuple[int, int]] | None
    """The grid of patch scores, and the size of the extractor's input."""
    count: int

    def timed(self) -> tuple[float, float, float, float]:
        """Seconds to draw the maps, and of the three kinds of reading in turn."""
        images, rng = MadeUpImages(self.count), np.random.default_rng(0)
        asked = self.suite.metrics, self.suite.statistics, None, self.suite.deployment
        referee = Referee(images, self._truth(), *asked)
        raw, positions = self._maps(rng), np.arange(self.count, dtype=np.int64)
        maps = None if raw is None else ScoredMaps(raw, positions)
        scores, half = rng.random(self.count), np.full(self.count, 0.5)

        def rank(kind: Kind) -> None:
            referee.ranking("made-up", positions, scores, maps, frozenset([kind]))

        def read_scale() -> None:
            rank("scale")
            if referee.decides_pixels:
                referee.pixel_decisions("made-up", positions, maps, half)

        return (
            _seconds(lambda: raw and [raw.read(i) for i in range(self.count)]),
            _seconds(lambda: rank("order")),
            _seconds(read_scale),
            _seconds(lambda: referee.decisions(positions, scores, half)),
        )

    def _maps(self, rng: np.random.Generator) -> RawMaps | None:
        if self.drawing is None:
            return None
        grid, input_size = self.drawing
        patches = rng.random((self.count, *grid), dtype=np.float32)
        how = self.suite.maps
        sizes = [self.native] * self.count
        return RawMaps(patches, sizes, input_size, how.smooth_px, how.upsample)

    def _truth(self) -> Truth:
        mask = np.zeros(self.native, dtype=np.bool_)
        height, width = (max(length // DEFECT_SHARE, 1) for length in self.native)
        mask[:height, :width] = True
        return Truth({i: PackedMask.of(mask) for i in range(1, self.count, 2)}, {}, {})


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
