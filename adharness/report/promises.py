"""Where a threshold's promise of few false alarms is broken: test normals unlike the held-out ones.

A conformal threshold promises that at most a share a of new normal images passes it, on average,
if they are exchangeable with the n images that fitted it. Then the number of flagged ones among m
follows a beta-binomial distribution, so that a count can be told from bad luck.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from adharness.report.formats import counted, percent
from adharness.report.leaderboard import Leaderboard, Standing, find_value, headline_class
from adharness.store.run_record import DatasetRecord

LEVEL = 0.001
"""A promise counts as broken where exchangeable images would do so in fewer than one in 1,000."""
_FPR = "image_fpr"


class Kept(NamedTuple):
    """One threshold for all classes: what it promised, what it did, and how likely that was."""

    method: str
    promised: float
    seen: float
    chance: float
    """Of at least as many false alarms, were the images exchangeable."""


def chance_of(flagged: int, images: int, normals: int, promised: float) -> float:
    """Probability that at least `flagged` of `images` exchangeable normal images are flagged.

    Parameters
    ----------
    normals
        How many fitted the threshold: with r = ceil((normals + 1)(1 - promised)) it is the r-th
        smallest of their scores.

    Notes
    -----
    The share of new images above the r-th smallest of n continuous scores is Beta(n + 1 - r, r)
    distributed (the law of order statistics), so the count is beta-binomial; ties only lower it.

    References
    ----------
    Vovk, Conditional validity of inductive conformal predictors, ACML 2012, proposition 2a.
    """
    from scipy.stats import betabinom

    # A promise of 1 / (n + 1) is kept in floats: rounded up, its rank would pass n.
    share = Fraction(promised).limit_denominator(10**9)
    rank = min(math.ceil((normals + 1) * (1 - share)), normals)
    return float(betabinom.sf(flagged - 1, images, normals + 1 - rank, rank))


def told_promises(board: Leaderboard) -> list[str]:
    """Say for each data set and promising thresholder whether its promise was broken; else none.

    Only protocols with one threshold, raw scores and the first seed are looked at: there the most
    images fitted it.
    """
    said = []
    for data in board.run.datasets:
        names = dict.fromkeys(s.group.thresholder for s in board.standings)
        found = {name: list(_kept(board, data, name)) for name in names}
        said += [_told(data.name, name, kept) for name, kept in found.items() if _is_broken(kept)]
    return said


def _is_broken(kept: list[Kept]) -> bool:
    return any(one.chance < LEVEL / len(kept) for one in kept)


def _told(dataset: str, thresholder: str, kept: list[Kept]) -> str:
    broken = [one for one in kept if one.chance < LEVEL / len(kept)]
    seen = [percent(end(one.seen for one in broken)) for end in (min, max)]
    span = seen[0] if seen[0] == seen[1] else f"{seen[0]} to {seen[1]}"
    promised = percent(max(one.promised for one in broken))
    return (
        f"On {dataset} the one threshold of {thresholder} promises at most {promised} % false "
        f"alarms and gives {span} % ({len(broken)} of {counted(len(kept), 'method')}, raw scores): "
        "beyond chance, so the normal test images are not like the held-out ones, and neither "
        "may those of a line be."
    )


def _kept(board: Leaderboard, data: DatasetRecord, thresholder: str) -> Iterator[Kept]:
    for standing in board.standings:
        group = standing.group
        named = (group.dataset, group.normalizer, group.thresholder) == (
            data.name,
            "raw",
            thresholder,
        )
        if named and group.protocol == "absolute-unified":
            yield from _of(standing, data)


def _of(standing: Standing, data: DatasetRecord) -> Iterator[Kept]:
    cell = standing.cells[0]
    seen = find_value(cell, headline_class(cell.protocol), _FPR).value
    images = sum(counts.get("test_normal", 0) for counts in data.counts.values())
    for threshold in cell.thresholds:
        if threshold.promised_fpr is not None and seen is not None and images:
            flagged = round(seen * images)
            chance = chance_of(flagged, images, threshold.normals, threshold.promised_fpr)
            yield Kept(standing.method, threshold.promised_fpr, seen, chance)
