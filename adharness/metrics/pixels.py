"""Pixels of many maps in one sorted ranking, given out in brackets.

An anomalous pixel is packed into a key, the order-preserving bits of its float32 score above the
number of its segment. Sorting such keys is several times faster than an argsort of the scores.
Normal pixels need no number, so their scores are sorted as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from adharness.arrays import AnyArray, Float32, Float64, Int64
from adharness.metrics.inputs import PixelImage
from adharness.metrics.ranking import Ranking, distinct_starts
from adharness.metrics.runs import Runs
from adharness.metrics.segments import Kind, Segments, SegmentTable, UInt32
from adharness.metrics.spool import Spool

UInt64: TypeAlias = NDArray[np.uint64]
PixelKind: TypeAlias = Literal["anomalous", "normal", "good"]
"""Anomalous pixels, normal ones of all images, or those of images without an anomaly."""

_SIGN = np.uint32(1 << 31)
_LAST_SEGMENT = 0xFFFFFFFF
_HALF = np.uint64(32)

BRACKET = 2**18
"""Anomalous pixels handled at once: few enough for the processor's cache."""


def score_bits(scores: Float32) -> UInt32:
    """Map finite float32 scores to integers of the same order; both zeros become one.

    Negative floats order by their bits downwards, so these are inverted; the others are lifted
    above them by the sign bit.
    """
    bits = (scores + np.float32(0.0)).view(np.uint32)  # -0.0 + 0.0 is +0.0
    return np.where(bits >= _SIGN, ~bits, bits | _SIGN)


def bits_score(bits: UInt32) -> Float32:
    """Give the scores back that `score_bits` mapped."""
    return np.where(bits >= _SIGN, bits ^ _SIGN, ~bits).view(np.float32)


def _keys(bits: UInt32, segment: AnyArray | int) -> UInt64:
    return (bits.astype(np.uint64) << _HALF) | np.asarray(segment, np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class Bracket:
    """Anomalous pixels of neighbouring scores, with the counts of the whole ranking at each.

    Parameters
    ----------
    ranking
        K distinct scores, descending; negatives are the normal pixels of all images.
    among_anomalous
        The same with the normal pixels of the anomalous images only.
    scores : (K,) float32
        The distinct scores, descending.
    segment : (P,) int64
        The segment of each pixel, in the order of `spread`.
    runs : (K,) int64
        How many entries of `segment` have each score, ascending.
    counts : (P,) int64, optional
        How many pixels each entry stands for, if not one.
    """

    ranking: Ranking
    among_anomalous: Ranking
    scores: Float32
    segment: Int64
    runs: Int64
    counts: Int64 | None

    def spread(self, of_scores: Float64) -> Float64:
        """Give what a score holds, (K,), to each of its pixels, (P,), times their count."""
        values = np.repeat(of_scores[::-1], self.runs)
        return values if self.counts is None else values * self.counts

    def sums(self, of_scores: Float64, segments: int) -> Float64:
        """Add up what scores hold, (K,), over the pixels of each segment, (S,)."""
        sums = np.bincount(self.segment, self.spread(of_scores), segments)
        return sums.astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class SortedPixels:
    """All pixels of all images, sorted.

    Parameters
    ----------
    anomalous
        Keys of the anomalous pixels.
    beside
        Scores of the normal pixels of images with anomalous ones.
    good
        Scores of the pixels of images without.
    """

    anomalous: Runs
    beside: Runs
    good: Runs
    segments: Segments

    @property
    def positives(self) -> int:
        """Anomalous pixels."""
        return len(self.anomalous)

    @property
    def negatives(self) -> int:
        """Normal pixels of all images."""
        return len(self.beside) + len(self.good)

    def flagged_normals(self, scores: Float32) -> tuple[Int64, Int64]:
        """Count the normal pixels at or above, and above, each ascending score: (2, K).

        Returns
        -------
        beside, good : (2, K) int64
            Those of anomalous and of good images.
        """
        beside, good = (len(n) - n.counts(scores) for n in (self.beside, self.good))
        return beside, good

    def ends(self, *, good_images: bool = True) -> tuple[float, float]:
        """Give the smallest and the largest score of all, or of the anomalous images only."""
        normals = (self.beside, self.good) if good_images else (self.beside,)
        ends = [float(score) for runs in normals for score in runs.ends() or ()]
        keys = self.anomalous.ends() or ()
        ends += bits_score(np.array([int(key) >> 32 for key in keys], np.uint32)).tolist()
        return (min(ends), max(ends)) if ends else (0.0, 0.0)

    def scores_at(self, places: Int64, kind: PixelKind = "normal") -> Float32:
        """Give the scores of these ascending ranks within a kind, 0 the lowest, by bisection."""
        low, high = (score_bits(np.full(len(places), end, np.float32)) for end in self.ends())
        while (low < high).any():
            middle = low + (high - low) // 2
            enough = self._up_to(middle, kind) > places
            low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
        return bits_score(low)

    def _up_to(self, bits: UInt32, kind: PixelKind) -> Int64:
        """Count the pixels of a kind that score no more than each of these."""
        if kind == "anomalous":
            return np.asarray(self.anomalous.counts(_keys(bits, _LAST_SEGMENT))[1])
        scores = bits_score(bits)
        good = self.good.counts(scores)[1]
        return np.asarray(good if kind == "good" else good + self.beside.counts(scores)[1])

    def brackets(self) -> Iterator[Bracket]:
        """Read the ranking from the highest anomalous score down; one empty bracket if none."""
        empty = True
        for keys, counts in self.anomalous.brackets(BRACKET):
            empty = False
            yield self._bracket(keys, counts)
        if empty:
            yield self._bracket(np.zeros(0, np.uint64), None)

    def _bracket(self, keys: UInt64, counts: Int64 | None) -> Bracket:
        bits = (keys >> _HALF).astype(np.uint32)  # (P,) ascending
        starts = distinct_starts(bits)
        distinct = bits[starts]
        scores = bits_score(distinct)
        runs = np.diff(starts, append=len(bits))
        gains = runs if counts is None else np.add.reduceat(counts, starts)
        found = self._found(keys, distinct, gains)
        beside, good = self.flagged_normals(scores)
        return Bracket(
            ranking=self._ranking(gains, found, beside + good, self.negatives),
            among_anomalous=self._ranking(gains, found, beside, len(self.beside)),
            scores=scores[::-1],
            segment=(keys & np.uint64(_LAST_SEGMENT)).astype(np.int64),
            runs=runs,
            counts=counts,
        )

    def _found(self, keys: UInt64, distinct: UInt32, gains: Int64) -> tuple[Int64, Int64]:
        """Anomalous pixels above, and at or above, each ascending score, in all brackets.

        The highest and the lowest score may be split between brackets: these are looked up.
        """
        if not len(keys):
            return gains, gains
        first = _keys(distinct[:1], 0)
        last = _keys(distinct[-1:], _LAST_SEGMENT)
        below, up_to = self.anomalous.counts(np.concatenate([first, keys[-1:], last]))
        at = self.positives - up_to[1] + np.cumsum(gains[::-1])[::-1]
        above = at - gains
        above[-1], at[0] = self.positives - up_to[2], self.positives - below[0]
        return above, at

    def _ranking(
        self, gains: Int64, found: tuple[Int64, Int64], normals: Int64, negatives: int
    ) -> Ranking:
        return Ranking(
            gains=gains[::-1],
            found_above=found[0][::-1],
            true_positives=found[1][::-1],
            normals_above=normals[1, ::-1],
            false_positives=normals[0, ::-1],
            positives=np.asarray(self.positives),
            negatives=np.asarray(negatives),
        )


class PixelSorter:
    """Takes images one by one, and sorts all their pixels.

    Parameters
    ----------
    kinds
        The kinds of regions that will be asked for.
    budget_bytes
        Scores held in memory; beyond it they are sorted and written to the disk of
        `folder`.
    """

    def __init__(self, kinds: frozenset[Kind], budget_bytes: int, folder: Path | None) -> None:
        self._table = SegmentTable(kinds)
        self._anomalous = Spool(np.uint64)
        self._beside = Spool(np.float32)
        self._good = Spool(np.float32)
        self._budget, self._folder = budget_bytes, folder

    def add(self, image: PixelImage) -> None:
        """Take one image."""
        if image.mask is None:
            self._good.add(image.scores.ravel())
        else:
            self._beside.add(image.scores[~image.mask])
            self._anomalous.add(_keys(score_bits(image.scores[image.mask]), self._table.add(image)))
        self._keep_to_budget()

    def _keep_to_budget(self) -> None:
        spools = (self._anomalous, self._beside, self._good)
        while sum(spool.held_bytes for spool in spools) > self._budget:
            max(spools, key=lambda spool: spool.held_bytes).spill(self._folder)

    def finish(self) -> SortedPixels:
        """Sort what is held, the three kinds of pixels at the same time."""
        spools = (self._anomalous, self._beside, self._good)
        held = [spool.take() for spool in spools]
        with ThreadPoolExecutor(len(held)) as pool:
            list(pool.map(np.ndarray.sort, held))
        anomalous, beside, good = (s.finish(h) for s, h in zip(spools, held, strict=True))
        return SortedPixels(anomalous, beside, good, self._table.finish())
