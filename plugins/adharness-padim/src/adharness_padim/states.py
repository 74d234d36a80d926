"""Fitted Gaussians out of stored arrays."""

from __future__ import annotations

from collections.abc import Mapping

from adharness import CheckedState, Layout, check_state, require_state
from adharness.arrays import AnyArray, Int64
from adharness_padim import PadimParams
from adharness_padim.fitted import FittedPadim
from adharness_padim.gaussians import Gaussians
from adharness_padim.inverses import Gram, Inverse, Triangles

LAYOUT: Layout = {
    "shape": ("int64", (3,)),
    "epsilon": ("float64", (1,)),
    "dims": ("int64", ("d",)),
    "mean": ("float64", ("P", "d")),
}
TRIANGLES: Layout = {**LAYOUT, "triangles": ("float64", ("P", "values"))}
GRAM: Layout = {**LAYOUT, "gram": ("float64", ("P", "n", "d"))}


def restored(state: Mapping[str, AnyArray], params: PadimParams) -> FittedPadim:
    """Check the arrays against each other and against the params.

    Raises
    ------
    ContractError
        With the name of the array that is wrong.
    """
    found = check_state(state, GRAM if "gram" in state else TRIANGLES, scorer="padim")
    height, width, dim = (int(n) for n in found["shape"])
    positions = found.sizes["P"]
    require_state(
        height > 0 and width > 0 and height * width == positions,
        f"padim's array 'shape' is {(height, width, dim)}, and 'mean' has {positions} positions",
    )
    _require_dims(found["dims"], dim, params)
    _require_epsilon(float(found["epsilon"][0]), params)
    gaussians = Gaussians(found["mean"], _inverse(found, params.epsilon))
    return FittedPadim(dim, (height, width), found["dims"], gaussians, params.epsilon)


def _require_dims(dims: Int64, dim: int, params: PadimParams) -> None:
    wanted = dim if params.dims == "all" else params.dims
    require_state(
        len(dims) == wanted,
        f"padim's array 'dims' keeps {len(dims)} of {dim} features, the params say {params.dims}",
    )
    ascending = bool((dims[1:] > dims[:-1]).all()) and dims[0] >= 0 and dims[-1] < dim
    require_state(ascending, f"padim's array 'dims' is not ascending within 0 and {dim - 1}")


def _require_epsilon(epsilon: float, params: PadimParams) -> None:
    require_state(
        epsilon == params.epsilon,
        f"padim's array 'epsilon' is {epsilon:g}, the params say {params.epsilon:g}",
    )


def _inverse(found: CheckedState, epsilon: float) -> Inverse:
    if "gram" in found.arrays:
        return Gram(found["gram"], epsilon)
    values, dim = found.sizes["values"], found.sizes["d"]
    wanted = Triangles.values(dim)
    require_state(
        values == wanted,
        f"padim's array 'triangles' has {values} numbers a position, {dim} features need {wanted}",
    )
    return Triangles(found["triangles"], dim)
