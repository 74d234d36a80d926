"""All that a network learnt, as arrays, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from adharness import ContractError
from adharness import require_state as require
from adharness.arrays import AnyArray, UInt8, require_finite

HINT = "the file was changed, or written with other parameters or another version: fit again"
SIZE, LAYOUT, TENSOR = "size", "layout", "tensor."
Sizes = tuple[int, int]


def state_of(model: nn.Module, size: Sizes) -> dict[str, AnyArray]:
    """Give the tensors `tensor.NAME` of a network, `size` (2,) and `layout`.

    A bank grows with what it has learnt, so the network alone cannot tell whether a stored one is
    whole: `layout` is a JSON object in UTF-8 of the type and the shape of each array.
    """
    arrays: dict[str, AnyArray] = {SIZE: np.array(size, dtype=np.int64)}
    for name, tensor in model.state_dict().items():
        arrays[f"{TENSOR}{name}"] = np.array(tensor.detach().cpu().numpy())
    return {LAYOUT: _layout(arrays), **arrays}


def _layout(arrays: Mapping[str, AnyArray]) -> UInt8:
    said = {name: [array.dtype.str, list(array.shape)] for name, array in sorted(arrays.items())}
    return np.frombuffer(json.dumps(said).encode(), dtype=np.uint8)


def put_back(
    state: Mapping[str, AnyArray], build: Callable[[Sizes], Any], *, title: str
) -> tuple[Any, Sizes]:
    """Build an untrained module of the stored size and put the stored tensors into its network.

    Returns
    -------
    tuple
        The module, and the (height, width) that it was built for.

    Raises
    ------
    ContractError
        Where an array is missing, is none of the model's, is not finite, or has another type or
        shape than when it was stored, or than the model's.
    """
    _require_whole(state, title)
    size = (int(state[SIZE][0]), int(state[SIZE][1]))
    module = build(size)
    stored = {n.removeprefix(TENSOR): a for n, a in state.items() if n.startswith(TENSOR)}
    wanted = module.model.state_dict()
    for name in sorted(wanted.keys() ^ stored.keys()):
        require(False, f"the state of {title} {'lacks' if name in wanted else 'has'} '{name}'")
    for name, array in stored.items():
        _put(module.model, name, torch.from_numpy(np.array(array)), title)
    return module, size


def _require_whole(state: Mapping[str, AnyArray], title: str) -> None:
    require(LAYOUT in state, f"the state of {title} lacks '{LAYOUT}'")
    arrays = {name: array for name, array in state.items() if name != LAYOUT}
    said = _read(state[LAYOUT], title)
    for name in sorted(said.keys() ^ arrays.keys()):
        require(False, f"the state of {title} {'lacks' if name in said else 'has'} '{name}'")
    for name, array in arrays.items():
        found = [array.dtype.str, list(array.shape)]
        require(
            found == said[name], f"'{name}' of {title} is {found}, its layout says {said[name]}"
        )
        if array.dtype.kind == "f":
            require_finite(array, name=f"'{name}' of {title}")
    require(said.get(SIZE) == ["<i8", [2]], f"'{SIZE}' of {title} is no height and width")


def _read(layout: AnyArray, title: str) -> dict[str, Any]:
    if layout.dtype == np.uint8 and layout.ndim == 1:
        try:
            said = json.loads(layout.tobytes())
        except ValueError as error:
            raise ContractError(f"'{LAYOUT}' of {title} is no JSON: {error}", hint=HINT) from error
        if isinstance(said, dict):
            return said
    raise ContractError(f"'{LAYOUT}' of {title} is no object in UTF-8", hint=HINT)


def _put(model: nn.Module, name: str, tensor: Tensor, title: str) -> None:
    """Copy a parameter; replace a buffer, which may have grown with what was learnt."""
    path, _, own = name.rpartition(".")
    owner = model.get_submodule(path)
    there: Any = getattr(owner, own)
    require(
        tensor.dtype == there.dtype or not there.numel(),
        f"'{name}' of {title} is {tensor.dtype}, expected {there.dtype}",
    )
    if not isinstance(there, nn.Parameter):
        setattr(owner, own, tensor)
        return
    require(
        there.shape == tensor.shape,
        f"'{name}' of {title} has shape {tuple(tensor.shape)}, expected {tuple(there.shape)}",
    )
    with torch.no_grad():
        there.copy_(tensor)
