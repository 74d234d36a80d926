"""Exact neighbours from bfloat16 products: a certified bound, then float64 for what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from adharness.arrays import Float32, Float64, Int64
from adharness_knn_faiss.blocks import blocks_of
from adharness_knn_faiss.bounds import (
    EXTRA,
    LEAST,
    Reach,
    query_columns,
    rounded,
    row_columns,
    row_share,
    threshold_bits,
)
from adharness_knn_faiss.measures import Measure
from adharness_knn_faiss.processors import device
from adharness_knn_faiss.ranking import ranked
from adharness_knn_faiss.search import measured

Fallback: TypeAlias = Callable[[Float32, int], tuple[Float64, Int64]]

BLOCK = 1024  # rows of one product
GROUP = 16  # rows of which the smallest bound is found first
GROUPS = BLOCK // GROUP
KEPT_VALUES = 1 << 27  # 256 MiB of bounds at once
MOST_NEIGHBOURS = 64
FARTHEST = 2.0**20  # in the rows' own reach; beyond, bounds could leave bfloat16
WORTH = 12  # groups measured in the time of a float32 product with a block
CROWD = 256  # to measure more than 1/256 of the rows takes longer than to search with FAISS


@dataclass(frozen=True, eq=False)
class TwoStage:
    """Rows as bfloat16, in blocks of rows that lie near each other.

    Notes
    -----
    With x', y' the query and row less the centre of the row's block, and a hat for what is rounded
    to bfloat16, half the squared distance is

        |x'|^2 / 2  +  |y'|^2 / 2  -  <x', y'>,
        |<x', y'> - <x^, y^>|  <=  |x' - x^| |y'| + |x^| |y' - y^|,

    where the residuals are known. One bfloat16 product, of vectors that are longer by the terms
    outside of <x', y'> and by the two of the bound, gives a lower bound for each pair; what sums in
    float32 add is taken off, too (`bounds.py`). The rows with the k smallest bounds are measured in
    float64; a row whose bound is not above the k-th of those distances is measured, too. No other
    row can be among the k nearest, so the result is exact, ties to the lowest position included.

    References
    ----------
    Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1, for sums.
    """

    rows: Float32
    measure: Measure
    order: Int64  # (M,) positions of the rows, block after block
    centres: Float32  # (B, D)
    reaches: list[Reach]  # B of them
    hats: torch.Tensor  # (B, BLOCK, D + EXTRA) bfloat16

    @classmethod
    def of(cls, rows: Float32, measure: Measure) -> TwoStage:
        """Sort and round the rows (M, D)."""
        prepared = measure.prepare(rows)
        blocks = blocks_of(prepared, BLOCK)
        width = prepared.shape[1] + EXTRA
        hats = torch.zeros((len(blocks), BLOCK, width), dtype=torch.bfloat16)
        reaches = [
            row_columns(prepared, block, hat, inner=measure.inner)
            for block, hat in zip(blocks, hats, strict=True)
        ]
        order = np.concatenate([block.rows for block in blocks])
        centres = np.stack([block.centre for block in blocks])
        return cls(rows, measure, order, centres, reaches, hats.to(device() or "cpu"))

    def nearest(self, queries: Float32, k: int, *, crowded: Fallback) -> tuple[Float64, Int64]:
        """Distances and positions (n, k) of the nearest rows; see `NearestRows.nearest`.

        Parameters
        ----------
        crowded
            Searches the queries that are left with too many rows, that lie a million times farther
            than the rows reach, or all where k is above 64 or M / 16.
        """
        if k > min(MOST_NEIGHBOURS, max(1, len(self.rows) // GROUP)):
            return crowded(queries, k)
        distances = np.empty((len(queries), k))
        positions = np.empty((len(queries), k), dtype=np.int64)
        step = max(64, KEPT_VALUES // (len(self.hats) * BLOCK))
        for part in (slice(i, i + step) for i in range(0, len(queries), step)):
            distances[part], positions[part] = self._chunk(queries[part], k, crowded)
        return distances, positions

    def _chunk(self, queries: Float32, k: int, crowded: Fallback) -> tuple[Float64, Int64]:
        distances = np.empty((len(queries), k))
        positions = np.empty((len(queries), k), dtype=np.int64)
        prepared = self.measure.prepare(queries)
        with np.errstate(over="ignore", invalid="ignore"):
            near = np.linalg.norm(prepared, axis=1) <= FARTHEST
        done = np.zeros(len(queries), dtype=bool)
        if near.any():
            found = self._certified(queries[near], prepared[near], k)
            done[np.flatnonzero(near)[found[0]]] = True
            distances[done], positions[done] = found[1:]
        if not done.all():
            distances[~done], positions[~done] = crowded(queries[~done], k)
        return distances, positions

    def _certified(
        self, queries: Float32, prepared: Float32, k: int
    ) -> tuple[Int64, Float64, Int64]:
        """Which queries could be answered (m,), and their distances and positions (m, k)."""
        bounds, lowest, share, slack = self._bounds(prepared)
        worst = self.measure.compared(self._reached(queries, bounds, lowest, k))
        limit = torch.from_numpy(threshold_bits(worst)).to(lowest.device)
        left = lowest <= limit[:, None]
        touched = left.view(len(left), -1, GROUPS).any(2)  # (n, B)
        few = left.sum(1) <= 2 * k + WORTH * touched.sum(1)
        who, group = (left & few[:, None]).nonzero(as_tuple=True)
        pair, place = (_open(bounds, who, group) <= limit[who, None]).nonzero(as_tuple=True)
        found = [(who[pair].cpu().numpy(), self._positions(group[pair], place))]
        many = left.view(len(left), -1, GROUPS).any(2) & ~few[:, None]
        many = touched & ~few[:, None]
        share -= worst * (1 + 1e-9) + LEAST
        found += self._compared_again(prepared, share, slack, many.cpu().numpy(), k)
        asked, where = (np.concatenate(part) for part in zip(*found, strict=True))
        counts = np.bincount(asked, minlength=len(queries))
        answered = (counts >= k) & (counts <= 4 * k + GROUP + len(self.rows) // CROWD)
        asked, where = asked[answered[asked]], where[answered[asked]]
        distances = measured(self.measure, queries, self.rows, asked, where)
        return np.flatnonzero(answered), *ranked(asked, distances, where, k)

    def _reached(
        self, queries: Float32, bounds: torch.Tensor, lowest: torch.Tensor, k: int
    ) -> Float64:
        """Distances (n,) that k rows, those of the lowest bounds, are not beyond."""
        groups = _lowest(lowest.view(len(lowest), -1, GROUPS), k)
        who = torch.arange(len(queries), device=groups.device).repeat_interleave(k)
        first = self._positions(groups.flatten(), _open(bounds, who, groups.flatten()).argmin(1))
        distances = measured(self.measure, queries, self.rows, who.cpu().numpy(), first)
        farthest: Float64 = distances.reshape(-1, k).max(axis=1)
        return farthest

    def _compared_again(
        self,
        prepared: Float32,
        above: Float64,
        slack: Float64,
        many: npt.NDArray[np.bool_],
        k: int,
    ) -> Iterator[tuple[Int64, Int64]]:
        """Find queries and positions that float32 products cannot tell from the nearest, by block.

        Parameters
        ----------
        above : (B, n) float64
            The query's share of a distance, less its threshold.
        slack : (B, n) float64
            How far off a distance from a float32 product may be; it allows two roundings for each
            of the D + 8 terms, and here there is one, and five more altogether.
        many : (n, B) bool
            The queries that bfloat16 leaves with many rows, and the blocks of those.
        """
        for b in np.flatnonzero(many.any(axis=0)):
            asked, rows = np.flatnonzero(many[:, b]), self.order[b * BLOCK : (b + 1) * BLOCK]
            moved = self.measure.prepare(self.rows[rows]) - self.centres[b]
            share = row_share(moved, self.centres[b], inner=self.measure.inner)
            beyond = (prepared[asked] - self.centres[b]) @ moved.T  # numpy never sums in bfloat16
            np.subtract(share.astype(np.float32), beyond, out=beyond)  # distance less query's share
            limit = -above[b, asked]
            if k <= len(rows):  # k rows of this block are no farther than its k-th, so no other is
                own = beyond.min(axis=1) if k == 1 else np.partition(beyond, k - 1)[:, k - 1]
                limit = np.minimum(limit, own + slack[b, asked])
            limit += slack[b, asked]
            pair, place = np.nonzero(beyond <= limit.astype(np.float32)[:, None])
            yield asked[pair], rows[place]

    def _bounds(self, prepared: Float32) -> tuple[torch.Tensor, torch.Tensor, Float64, Float64]:
        """Lower bounds and the lowest of each group, as the bits of bfloat16; share and slack.

        As whole numbers, bfloat16 values of at least zero keep their order, and those below are
        below: no bound below zero is ever above a threshold.
        """
        blocks, place = len(self.hats), self.hats.device
        extra, share, slack = query_columns(
            prepared, self.centres, self.reaches, inner=self.measure.inner
        )
        vectors, extra = torch.from_numpy(prepared).to(place), extra.to(place)
        centres = torch.from_numpy(self.centres).to(place)
        hat = extra.new_empty((len(prepared), self.hats.shape[2]))
        bounds = extra.new_empty((blocks, len(prepared), BLOCK))
        bits = bounds.view(torch.int16).view(blocks, len(prepared), GROUP, GROUPS)
        lowest = bits.new_empty((len(prepared), blocks, GROUPS))
        for b in range(blocks):
            hat[:, :-EXTRA] = vectors - centres[b]
            hat[:, -EXTRA:] = extra[b]
            rounded(hat, self.hats[b], out=bounds[b])
            lowest[:, b] = bits[b].amin(1)
        return bits, lowest.view(len(prepared), -1), share, slack

    def _positions(self, group: torch.Tensor, place: torch.Tensor) -> Int64:
        block = group.div(GROUPS, rounding_mode="floor")
        sorted_at = block * BLOCK + place * GROUPS + group % GROUPS
        positions: Int64 = self.order[sorted_at.cpu().numpy()]
        return positions


def _lowest(lowest: torch.Tensor, k: int) -> torch.Tensor:
    """Positions (n, k) of the k lowest of the groups (n, B, GROUPS), counted through.

    They are in the k blocks with the lowest ones: few groups are sorted.
    """
    count = min(k, lowest.shape[1])
    blocks = lowest.amin(2).topk(count, 1, largest=False)[1]  # (n, count)
    inside = lowest.gather(1, blocks[:, :, None].expand(-1, -1, GROUPS)).flatten(1)
    best = inside.topk(k, 1, largest=False)[1]
    block = best.div(GROUPS, rounding_mode="floor")
    return blocks.gather(1, block) * GROUPS + best % GROUPS


def _open(bounds: torch.Tensor, who: torch.Tensor, group: torch.Tensor) -> torch.Tensor:
    """Bounds (p, GROUP) of the rows of these groups for these queries."""
    block = group.div(GROUPS, rounding_mode="floor")
    return bounds[block, who, :, group % GROUPS]
