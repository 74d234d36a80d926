"""Pixels of many maps in one ranking, and the per-region overlap read off it.

A pixel is packed into a key, the order-preserving bits of its float32 score above the number of
its region. Sorting such keys is several times faster than an argsort of the scores.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from adharness.arrays import Bool, Float32, Float64, Int64
from adharness.errors import MetricError
from adharness.metrics.ranking import Ranking, distinct_starts, rank_sorted, ratio

UInt32: TypeAlias = NDArray[np.uint32]
UInt64: TypeAlias = NDArray[np.uint64]

_SIGN = np.uint32(1 << 31)
_LOW_WORD = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_EIGHT_CONNECTED = np.ones((3, 3), dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class PixelRanking:
    """All pixels of all images in one ranking, the anomalous ones with their region.

    Parameters
    ----------
    ranking
        K distinct scores of anomalous pixels among the normal pixels of all images.
    step : (P,) int64
        For each anomalous pixel the index of its score in `ranking`.
    region : (P,) int64
        For each anomalous pixel its region, 0 <= region < R.
    areas : (R,) int64
        Pixels of each region.
    """

    ranking: Ranking
    step: Int64
    region: Int64
    areas: Int64


def label_regions(mask: Bool) -> tuple[UInt32, int]:
    """Give the 8-connected regions of one mask their numbers.

    Parameters
    ----------
    mask : (H, W) bool

    Returns
    -------
    labels : (H, W) uint32
        0 for normal pixels, 1 to `count` for regions.
    count
        Number of regions.
    """
    labels, count = ndimage.label(mask, structure=_EIGHT_CONNECTED)
    return np.asarray(labels).astype(np.uint32), int(count)


def score_bits(scores: Float32) -> UInt32:
    """Map finite float32 scores to integers of the same order; both zeros become one.

    Negative floats order by their bits downwards, so these are inverted; the others are lifted
    above them by the sign bit.
    """
    bits = (scores + np.float32(0.0)).view(np.uint32)  # -0.0 + 0.0 is +0.0
    return np.where(bits >= _SIGN, ~bits, bits | _SIGN)


def rank_pixels(pairs: Iterable[tuple[Bool | None, Float32]]) -> PixelRanking:
    """Read each (mask, map) once and rank all their pixels together.

    Parameters
    ----------
    pairs
        Mask (H, W) bool, or None for a good image, and map (H, W) float32, finite; the size may
        differ from pair to pair.
    """
    normal: list[UInt32] = []
    anomalous: list[UInt64] = []
    total = 0
    for mask, scores in pairs:
        bits = score_bits(scores)
        if mask is None or not mask.any():
            normal.append(bits.ravel())
            continue
        labels, count = label_regions(mask)
        region = labels[mask].astype(np.uint64) + np.uint64(total) - np.uint64(1)
        normal.append(bits[~mask])
        anomalous.append((bits[mask].astype(np.uint64) << _HALF) | region)
        total += count
    return _sort_pixels(_sorted(anomalous, np.uint64), _sorted(normal, np.uint32), total)


def _sorted(
    parts: list[NDArray[np.unsignedinteger]], dtype: type[np.unsignedinteger]
) -> NDArray[np.unsignedinteger]:
    joined = np.concatenate(parts) if parts else np.empty(0, dtype)
    parts.clear()  # the parts are as large as the whole
    joined.sort()
    return joined


def _sort_pixels(keys: UInt64, normal: UInt32, regions: int) -> PixelRanking:
    bits = (keys >> _HALF).astype(np.uint32)  # (P,) ascending
    region = (keys & _LOW_WORD).astype(np.int64)  # (P,)
    starts = distinct_starts(bits)
    runs = np.diff(starts, append=len(bits))
    return PixelRanking(
        ranking=rank_sorted(bits, normal),
        step=np.repeat(np.arange(len(starts))[::-1], runs),
        region=region,
        areas=np.bincount(region, minlength=regions),
    )


def region_overlaps(pixels: PixelRanking, *, limit: float = 0.3) -> Float64:
    """Mean overlap of each region with the prediction, over false-positive rates up to `limit`.

    Returns
    -------
    (R,) float64
        NaN without a normal pixel. Their mean is `aupro`.

    Raises
    ------
    MetricError
        If the limit is not in (0, 1].

    Notes
    -----
    A pixel is predicted from the rate on at which its score enters. If normal pixels tie with
    it, the curve rises linearly between the rate before and the rate after the tie. The area of
    that ramp up to the limit has a closed form, so no curve is ever built, and the cut at the
    limit is the linear interpolation of it.
    """
    if not 0 < limit <= 1:
        raise MetricError(f"the limit is {limit}, expected a rate above 0, up to 1", hint="0.3")
    ranking = pixels.ranking
    end = limit * float(ranking.negatives)
    before, after = ranking.normals_above, ranking.false_positives
    on_ramp = np.clip(end, before, after) - before  # (K,) normal pixels entered within the tie
    area = ratio(on_ramp**2, 2 * (after - before))
    area = np.where(after > before, area, 0.0) + np.maximum(end - after, 0.0)
    share = ratio(area, end)  # (K,) exactly 1 where nothing normal scores as high
    return ratio(np.bincount(pixels.region, share[pixels.step], len(pixels.areas)), pixels.areas)


def aupro(pixels: PixelRanking, *, limit: float = 0.3) -> Float64:
    """Area under the per-region-overlap curve up to a false-positive rate, divided by `limit`.

    Parameters
    ----------
    pixels
        From `rank_pixels`: regions are 8-connected, and the false-positive rate counts the normal
        pixels of all images, good ones included.
    limit
        Largest false-positive rate integrated over, in (0, 1].

    Returns
    -------
    () float64
        In [0, 1]; NaN without a region or without a normal pixel. Every region weighs the same
        whatever its area.

    Raises
    ------
    MetricError
        If the limit is not in (0, 1].

    Notes
    -----
    Exact: thresholds are the distinct scores, ties enter together, the curve is cut at `limit` by
    linear interpolation. Unchanged by any strictly increasing transform of the maps. A constant
    map gives `limit / 2`.

    References
    ----------
    Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 2021, section 5.2.
    """
    overlaps = region_overlaps(pixels, limit=limit)
    return ratio(overlaps.sum(), len(overlaps))
