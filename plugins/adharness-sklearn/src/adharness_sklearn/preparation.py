"""What happens to vectors before a detector sees them: standardized, then projected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from adharness import ContractError
from adharness.arrays import Float64


@dataclass(frozen=True)
class Preparation:
    """Steps of scikit-learn, fitted on the memory."""

    steps: tuple[Any, ...]

    def __call__(self, rows: Float64) -> Float64:
        """Prepare vectors (n, D), as (n, dims) where there is a projection."""
        for step in self.steps:
            rows = step.transform(rows)
        return rows


def prepared(rows: Float64, *, standardize: bool, dims: int | None) -> tuple[Preparation, Float64]:
    """Fit the steps on vectors (M, D), and give them with the vectors prepared.

    Raises
    ------
    ContractError
        Where M or D is smaller than `dims`.

    Notes
    -----
    A constant feature is left as it is, at 0. The projection is exact, and nothing in it is random.
    """
    steps: list[Any] = []
    if standardize:
        steps.append(StandardScaler().fit(rows))
        rows = steps[-1].transform(rows)
    if dims is not None:
        steps.append(_projection(rows, dims))
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
