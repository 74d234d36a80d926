"""Rows cut into blocks of neighbours, so that a block's rows lie close around its centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float32, Int64

SAMPLE = 512  # rows that give the direction of a cut
TURNS = 4  # of the power iteration


@dataclass(frozen=True, eq=False)
class Block:
    """Positions (m,) of rows, and their mean (D,) in float32."""

    rows: Int64
    centre: Float32


def blocks_of(rows: Float32, size: int) -> list[Block]:
    """Cut rows (M, D) into blocks of `size`, the last one shorter.

    Each cut is across the direction of the largest variance, where it leaves the least of it in
    the two parts. Nothing is drawn. The blocks change the time of a search, not its answer.
    """
    pending, cut = [np.arange(len(rows))], []
    while pending:
        part = pending.pop()
        if len(part) <= size:
            cut.append(Block(part, rows[part].mean(axis=0)))
            continue
        projected = _projections(rows, part)
        order = np.argsort(projected, kind="stable")
        at = _best_cut(projected[order], size)
        # the shorter block stays last: every cut is at a multiple of the size
        pending += [part[order[at:]], part[order[:at]]]
    return cut


def _projections(rows: Float32, part: Int64) -> Float32:
    """Coordinates (m,) on about the first principal direction."""
    sample = rows[part[:: max(1, len(part) // SAMPLE)]]
    sample = sample - sample.mean(axis=0)
    direction = sample[np.argmax(np.einsum("nd,nd->n", sample, sample))]
    for _ in range(TURNS):
        direction = (sample @ direction) @ sample
        length = np.linalg.norm(direction)
        if length == 0:
            break
        direction /= length
    step = 8192
    parts = [rows[part[i : i + step]] @ direction for i in range(0, len(part), step)]
    return np.concatenate(parts)


def _best_cut(ascending: Float32, size: int) -> int:
    """Where to cut: a multiple of the size, not at the outer eighths if it can be helped."""
    count = len(ascending)
    places = np.arange(size, count, size)
    inner = places[(places >= count // 8) & (places <= count - count // 8)]
    places = inner if len(inner) else places
    sums = np.cumsum(ascending - ascending.mean(), dtype=np.float64)[places - 1]
    # the sums of the two parts are opposite, so this is the variance between them
    return int(places[np.argmax(sums**2 * (1 / places + 1 / (count - places)))])
