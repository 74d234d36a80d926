"""What happens to vectors before a detector sees them: units, projection, kernel, in this order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.decomposition import PCA
from sklearn.kernel_approximation import Nystroem
from sklearn.preprocessing import StandardScaler

from adharness import ContractError
from adharness.arrays import Float64
from adharness_sklearn import DetectorParams


@dataclass(frozen=True)
class Preparation:
    """Steps of scikit-learn, fitted on the memory."""

    steps: tuple[Any, ...]

    def __call__(self, rows: Float64) -> Float64:
        """Prepare vectors (n, D): as (n, dims) or (n, nystroem) where those are asked for."""
        for step in self.steps:
            rows = step.transform(rows)
        return rows


def prepared(rows: Float64, params: DetectorParams, seed: int) -> tuple[Preparation, Float64]:
    """Fit the steps that are asked for on vectors (M, D), and give the vectors prepared as well.

    Raises
    ------
    ContractError
        Where M or D is smaller than `dims`, or M is smaller than `nystroem`.

    Notes
    -----
    A constant feature is left as it is, at 0. The projection is exact; the landmarks of the kernel
    are drawn from `seed`.
    """
    steps: list[Any] = []
    if params.standardize:
        steps.append(StandardScaler().fit(rows))
        rows = steps[-1].transform(rows)
    if params.dims is not None:
        steps.append(_projection(rows, params.dims))
        rows = steps[-1].transform(rows)
    if params.nystroem is not None:
        steps.append(_kernel(rows, params.nystroem, seed))
        rows = steps[-1].transform(rows)
    return Preparation(tuple(steps)), rows


def _projection(rows: Float64, dims: int) -> PCA:
    count, dim = rows.shape
    if dims > min(count, dim):
        raise ContractError(
            f"dims = {dims} components asked of {count} vector(s) with D = {dim}",
            hint=f"set dims to at most {min(count, dim)}, or to null for no PCA",
        )
    solver = "covariance_eigh" if count > dim else "full"
    return PCA(dims, svd_solver=solver).fit(rows)


def _kernel(rows: Float64, landmarks: int, seed: int) -> Nystroem:
    """As wide as OneClassSVM's by default, `gamma: scale`."""
    if landmarks > len(rows):
        raise ContractError(
            f"nystroem = {landmarks} landmarks asked of {len(rows)} vector(s)",
            hint=f"set nystroem to at most {len(rows)}, or to null",
        )
    gamma = 1 / (rows.shape[1] * (rows.var() or 1.0))
    return Nystroem(gamma=gamma, n_components=landmarks, random_state=seed).fit(rows)
