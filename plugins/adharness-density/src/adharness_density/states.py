"""A fitted mixture and its subspace as arrays by name, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.mixture import GaussianMixture

from adharness import CheckedState, Layout, check_state, require_state
from adharness.arrays import AnyArray
from adharness_density import GmmParams
from adharness_density.subspace import Subspace

WEIGHTS_SUM = 1e-6  # how far from 1 the weights' sum may be: rounding


def arrays_of(subspace: Subspace, mixture: GaussianMixture) -> Mapping[str, AnyArray]:
    """Give all arrays, uncopied."""
    return {
        "mean": subspace.mean,
        "axes": subspace.axes,
        "scale": np.array([subspace.scale]),
        "left_out": np.array([subspace.left_out]),
        "weights": mixture.weights_,
        "centres": mixture.means_,
        "factors": mixture.precisions_cholesky_,
        "converged": np.array([mixture.converged_], dtype=np.bool_),
    }


def restored(state: Mapping[str, AnyArray], params: GmmParams) -> tuple[Subspace, GaussianMixture]:
    """Check the arrays against each other and against the params.

    Raises
    ------
    ContractError
        With the name of the array that is wrong.
    """
    found = check_state(state, _layout(params), scorer="gmm")
    dims, dim = found["axes"].shape
    require_state(dims <= dim, f"gmm's array 'axes' has {dims} axes in {dim} dimensions")
    for name in ("scale", "left_out", "weights"):
        _require_positive(found[name], name)
    total = float(found["weights"].sum())
    message = f"gmm's array 'weights' adds up to {total:g}, expected 1"
    require_state(abs(total - 1.0) <= WEIGHTS_SUM, message)
    _require_positive(_diagonals(found["factors"], params), "factors")
    scale, left_out = float(found["scale"][0]), float(found["left_out"][0])
    return Subspace(found["mean"], found["axes"], scale, left_out), _mixture(found, params)


def _layout(params: GmmParams) -> Layout:
    dims: int | str = "d" if params.dims is None else params.dims
    count = params.components
    return {
        "mean": ("float64", ("D",)),
        "axes": ("float64", (dims, "D")),
        "scale": ("float64", (1,)),
        "left_out": ("float64", (1,)),
        "weights": ("float64", (count,)),
        "centres": ("float64", (count, dims)),
        "factors": ("float64", _factors_shape(params, dims)),
        "converged": ("bool", (1,)),
    }


def _factors_shape(params: GmmParams, dims: int | str) -> tuple[int | str, ...]:
    """Shape in which scikit-learn keeps the Cholesky factors of the precisions."""
    shapes: dict[str, tuple[int | str, ...]] = {
        "full": (params.components, dims, dims),
        "tied": (dims, dims),
        "diag": (params.components, dims),
        "spherical": (params.components,),
    }
    return shapes[params.covariance]


def _diagonals(factors: AnyArray, params: GmmParams) -> AnyArray:
    """Numbers whose logarithms make the determinants."""
    if params.covariance in ("full", "tied"):
        return np.diagonal(factors, axis1=-2, axis2=-1)
    return factors


def _require_positive(values: AnyArray, name: str) -> None:
    smallest = float(values.min())
    message = f"gmm's array '{name}' holds {smallest:g} where a number above 0 must be"
    require_state(smallest > 0, message)


def _mixture(found: CheckedState, params: GmmParams) -> GaussianMixture:
    """Make a fitted mixture out of what scikit-learn reads when it scores."""
    mixture = GaussianMixture(params.components, covariance_type=params.covariance)
    mixture.weights_ = found["weights"]
    mixture.means_ = found["centres"]
    mixture.precisions_cholesky_ = found["factors"]
    mixture.converged_ = bool(found["converged"][0])
    return mixture
