"""Lower bounds of distances from one product in bfloat16, with all its rounding accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from adharness.arrays import Float32, Float64
from adharness_knn_faiss.blocks import Block

Int16: TypeAlias = npt.NDArray[np.int16]

EXTRA = 8  # columns: three each for the query's and the row's share, two for the bound
PADDING = 2.0**60  # the bound of a row that is not there: above every threshold
HALF = 2.0**-9  # what rounding to the nearest bfloat16 changes, relatively
# Vectors are brought to where they are searched in float32: off by at most 2^-24 of their length,
# and by as much again where a block's centre is taken off.
PREPARED = 2.0**-23
OUTPUT = 2.0**-7  # twice what rounding to bfloat16, even by truncation, changes relatively
SUMMED = 2.0**-23  # of a float32 sum, per term; twice a rounding to nearest, for truncating units
LEAST = 2.0**-40  # covers underflow, and the rounding of distances of 1 in float64


@dataclass(frozen=True)
class Reach:
    """The largest |y|, |y'| and own share of a block's rows."""

    length: float
    moved: float
    share: float


def row_columns(prepared: Float32, block: Block, hats: torch.Tensor, *, inner: bool) -> Reach:
    """Write a block's rows (BLOCK, D + EXTRA), to be multiplied with its `query_columns`."""
    rows = torch.from_numpy(prepared[block.rows])
    centre = torch.from_numpy(block.centre)
    moved = rows - centre
    hat = moved.bfloat16()
    whole, length = _lengths(rows), _lengths(moved)
    off = PREPARED * (length + whole)
    share = torch.from_numpy(row_share(moved.numpy(), block.centre, inner=inner))
    count = len(rows)
    hats[:count, :-EXTRA] = -hat
    hats[:, -8:-5] = 1.0
    hats[count:, -5] = PADDING
    hats[:count, -5:-2] = _pieces(share)
    hats[:count, -2] = -_up(length + off)
    hats[:count, -1] = -_up(_lengths(moved - hat.float()) + off)
    return Reach(float(whole.max()), float((length + off).max()), float(share.abs().max()))


def query_columns(
    prepared: Float32, centres: Float32, reaches: list[Reach], *, inner: bool
) -> tuple[torch.Tensor, Float64, Float64]:
    """Extra columns (B, n, EXTRA) of queries (n, D) for the product with each block; share; slack.

    The query's share in them is lowered by all that may go wrong besides the rounding of the
    vectors, so that the product is a lower bound but for the rounding of the product itself.
    """
    vectors, middles = torch.from_numpy(prepared).double(), torch.from_numpy(centres).double()
    length, centre = _lengths(vectors), _lengths(middles)[:, None]
    product = middles @ vectors.T  # (B, n)
    half = ((length**2 + centre**2) / 2 - product).clamp_min(0)
    moved = (2 * half + 2.0**-46 * (length + centre) ** 2).sqrt()  # |x'|, at least
    share = 1 - product if inner else half
    off = PREPARED * (moved + length)
    most = torch.tensor([[r.length, r.moved, r.share] for r in reaches], dtype=torch.float64)
    whole, near, own = most.T[:, :, None]  # (B, 1) each
    around = length + centre + whole
    sizes = 2 * moved * near + share.abs() + own
    slack = _slack(sizes, around * (around if inner else moved + near), vectors.shape[1] + EXTRA)
    columns = torch.empty((*share.shape, EXTRA), dtype=torch.bfloat16)
    columns[:, :, :3] = _pieces(share - slack)
    columns[:, :, 3:6] = 1.0
    columns[:, :, 6] = _up(HALF * moved + 2 * off)
    columns[:, :, 7] = _up((1 + HALF) * moved + 2 * off)
    return columns, share.numpy(), slack.numpy()


def row_share(moved: Float32, centre: Float32, *, inner: bool) -> Float64:
    """Give what rows (m, D), less the centre, add to a bound besides the product: (m,)."""
    wide = moved.astype(np.float64)
    share: Float64 = -(wide @ centre) if inner else np.einsum("md,md->m", wide, wide) / 2
    return share


def _slack(sizes: torch.Tensor, shift: torch.Tensor, width: int) -> torch.Tensor:
    """How far above the true distance a sum may come out, before it is rounded.

    A sum of `width` products is off by at most as many roundings of the sum of their sizes; the
    shares are those of vectors that were themselves rounded, and are cut to three pieces.
    """
    return width * SUMMED * sizes + 4 * PREPARED * (shift + sizes) + LEAST


def rounded(queries: torch.Tensor, rows: torch.Tensor, out: torch.Tensor) -> None:
    """Product (n, BLOCK) in bfloat16, summed in float32 and rounded once."""
    if queries.is_cuda:
        # a bfloat16 result may be summed in bfloat16 there, where the work is split
        out.copy_(torch.mm(queries, rows.T, out_dtype=torch.float32))
    else:
        torch.mm(queries, rows.T, out=out)


def threshold_bits(distances: Float64) -> Int16:
    """Bits (n,) of the bfloat16 that no bound of a row as near as this (n,) is above."""
    limit = (distances * (1 + 1e-9) + LEAST) * (1 + OUTPUT)
    return _up(torch.from_numpy(limit)).view(torch.int16).numpy()


def _lengths(vectors: torch.Tensor) -> torch.Tensor:
    """Lengths (n,) in float64, never below the true ones by more than float64 can tell."""
    return vectors.double().square().sum(1).sqrt() * (1 + 1e-12)


def _up(values: torch.Tensor) -> torch.Tensor:
    """Positive float64 as bfloat16 that is no smaller."""
    return (values * (1 + 2.0**-7)).bfloat16()


def _pieces(values: torch.Tensor) -> torch.Tensor:
    """Three bfloat16 (..., 3) whose sum is within 2^-24 of float64 values."""
    first = values.bfloat16()
    second = (values - first.double()).bfloat16()
    third = (values - first.double() - second.double()).bfloat16()
    return torch.stack([first, second, third], dim=-1)
