"""Cells of points that lie together: most points find a near centre in their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float32, Float64, Int64
from adharness_patchcore.centres import Centres
from adharness_patchcore.rounded import BLOCK_ROWS, RoundedPoints

SAMPLE = 64  # points a cell that its middle is found from
PRODUCT = 4 * 1024 * 1024  # values of one matrix product, whatever a cell holds
ROUNDS = 4  # of k-means: more would not pay


@dataclass(eq=False)
class Cells:
    """Which cell each point is in, and which centres each cell holds.

    A point that meets the centres of its own cell first often falls out of the race at once and
    need not meet the others. Cells only decide whom a point meets first, never what is chosen.

    Parameters
    ----------
    cell : (N,) int64
    met : (N,) int64
        How many centres there were when a point last met those of its cell.
    centres
        For each cell the numbers of its centres, ascending.
    """

    cell: Int64
    met: Int64
    centres: list[list[int]]

    @classmethod
    def of(cls, grid: RoundedPoints, count: int) -> Cells:
        """Group all points into about a quarter of sqrt(count) cells, as k-means finds them."""
        middles = _middles(grid, max(1, int(count**0.5 / 4)))
        cell = np.empty(len(grid), dtype=np.int64)
        for i in range(0, len(grid), BLOCK_ROWS):
            cell[i : i + BLOCK_ROWS] = _nearest(grid.rows(slice(i, i + BLOCK_ROWS)), middles)
        return cls(cell, np.zeros_like(cell), [[] for _ in middles])

    def add(self, position: int, number: int) -> None:
        """Note that a point is the centre of this number."""
        self.centres[self.cell[position]].append(number)

    def meet(self, positions: Int64, rows: Float32, distance: Float64, chosen: Centres) -> None:
        """Lower the distances (n,) of some points to the nearest of the missed in their cells.

        Parameters
        ----------
        positions : (n,) int64
            Of the points; `rows` (n, D) float32 are theirs.
        """
        order = np.argsort(self.cell[positions], kind="stable")
        cell = self.cell[positions[order]]
        for group in np.split(order, np.flatnonzero(np.diff(cell)) + 1):
            numbers = np.array(self.centres[self.cell[positions[group[0]]]], dtype=np.int64)
            missed = numbers[np.searchsorted(numbers, self.met[positions[group]].min()) :]
            step = max(1, PRODUCT // len(group))
            for i in range(0, len(missed), step):
                near = chosen.distances_to_near(rows[group], missed[i : i + step])
                distance[group] = np.minimum(distance[group], near)
        self.met[positions] = len(chosen)


def _middles(grid: RoundedPoints, wanted: int) -> Float32:
    """Middles (k, D) float32 of about as many cells as wanted."""
    places = np.linspace(0, len(grid) - 1, min(len(grid), SAMPLE * wanted)).astype(np.int64)
    sample = grid.rows(places)
    middles = sample[:: -(-len(sample) // wanted)].copy()
    for _ in range(ROUNDS):
        cell = _nearest(sample, middles)
        for number in np.unique(cell):
            middles[number] = sample[cell == number].mean(axis=0)
    return middles


def _nearest(rows: Float32, middles: Float32) -> Int64:
    gap = rows @ (-2.0 * middles.T)
    gap += np.einsum("nd,nd->n", middles, middles)
    nearest: Int64 = gap.argmin(axis=1)
    return nearest
