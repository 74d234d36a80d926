"""The image interval of a mean over seeds, beside the spread of the seeds."""

from __future__ import annotations

import math
from dataclasses import replace

from adharness.report.leaderboard import HEADLINE_METRIC, Leaderboard, Standing, headline_class
from adharness.report.paired import Resampler
from adharness.statistics import over_alike


def seeds_apart(board: Leaderboard, resampler: Resampler) -> Leaderboard:
    """Give headlines of several seeds the image interval of their mean, beside their spread.

    The seeds judge the same images, drawn alike: the interval is no narrower for there being more
    of them, but for what differs from seed to seed in each image.
    """
    return replace(board, standings=tuple(_with_images(s, resampler) for s in board.standings))


def _with_images(standing: Standing, resampler: Resampler) -> Standing:
    if len(standing.cells) < 2 or standing.headline.value is None:
        return standing
    key = HEADLINE_METRIC, headline_class(standing.group.protocol)
    drawn = [one for one in (resampler.of(cell, key) for cell in standing.cells) if one is not None]
    if len(drawn) < len(standing.cells):
        return standing
    low, high = over_alike(drawn).interval(resampler.how.level, resampler.how.interval)
    if not math.isfinite(low):
        return standing
    return replace(standing, headline=replace(standing.headline, low=low, high=high))
