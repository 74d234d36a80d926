"""FAISS indexes of a memory: exhaustive, cut into cells, or cut into cells and coded."""

from __future__ import annotations

import math

import faiss
import numpy as np

from adharness import ContractError
from adharness.arrays import Float32
from adharness_knn_faiss import KnnParams

ROWS_A_LIST = 39  # FAISS calls fewer training points a centroid too few
PROBES = 16
SUB_VECTORS = 64  # as many as PatchCore's own approximate index has
BITS = 8


def flat_index(rows: Float32, metric: int) -> faiss.Index:
    """Index the rows (M, D) for an exhaustive search."""
    index = faiss.IndexFlat(rows.shape[1], metric)
    index.add(rows)
    return index


def approximate_index(
    rows: Float32, metric: int, params: KnnParams, rng: np.random.Generator
) -> faiss.Index:
    """Cut the rows (M, D) into cells around k-means centres, and code them where asked to.

    The start of the k-means is drawn from `rng`.

    Raises
    ------
    ContractError
        Where there are fewer rows than cells or codes, or D cannot be cut into equal parts.
    """
    count, dim = rows.shape
    lists = _lists(params.lists, count)
    cells = faiss.IndexFlat(dim, metric)
    index: faiss.IndexIVF
    if params.index == "ivf":
        index = faiss.IndexIVFFlat(cells, dim, lists, metric)
    else:
        parts, bits = _parts(params.sub_vectors, dim), _bits(params.bits, count)
        index = coded = faiss.IndexIVFPQ(cells, dim, lists, parts, bits, metric)
        _settle(coded.pq.cp, rng)
    _settle(index.cp, rng)
    index.nprobe = min(params.probes or PROBES, lists)
    index.train(rows)
    index.add(rows)
    return index


def _settle(clustering: faiss.ClusteringParameters, rng: np.random.Generator) -> None:
    """Draw the seed, and take few points a centroid without a line on the terminal."""
    clustering.seed = int(rng.integers(2**31))
    clustering.min_points_per_centroid = 1


def _lists(wanted: int | None, count: int) -> int:
    if wanted is None:
        return max(1, min(round(4 * math.sqrt(count)), count // ROWS_A_LIST))
    if wanted > count:
        raise ContractError(
            f"lists = {wanted} cells asked of a memory with {count} row(s)",
            hint=f"leave lists out, or set it to at most {max(1, count // ROWS_A_LIST)}",
        )
    return wanted


def _parts(wanted: int | None, dim: int) -> int:
    divisors = [parts for parts in range(1, dim + 1) if dim % parts == 0]
    if wanted is None:
        return max(parts for parts in divisors if parts <= SUB_VECTORS)
    if wanted not in divisors:
        raise ContractError(
            f"sub_vectors = {wanted} does not divide D = {dim}",
            hint=f"set it to one of {', '.join(map(str, divisors))}",
        )
    return wanted


def _bits(wanted: int | None, count: int) -> int:
    bits = BITS if wanted is None else wanted
    if 2**bits > count:
        raise ContractError(
            f"bits = {bits} gives {2**bits} codes, the memory has {count} row(s) to learn them",
            hint=f"set bits to at most {count.bit_length() - 1}, or use index: ivf or flat"
            if count > 1
            else "use index: flat",
        )
    return bits
