"""Reading, checking and hashing state dicts. The one place that calls `torch.load`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from adharness import DataError

_SUFFIXES = (".safetensors", ".pth", ".pt")


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Tensors of a weights file by name, on the CPU.

    A torch checkpoint may keep them under the key `state_dict`.

    Raises
    ------
    DataError
        If the file is missing, of another kind, broken, or holds anything but tensors.
    """
    if path.suffix not in _SUFFIXES:
        raise DataError(
            f"weights {str(path)!r} are neither bundled, timm, random nor a file of a known kind",
            hint=f"give a file that ends in {', '.join(_SUFFIXES)}",
        )
    if not path.is_file():
        raise DataError(f"no weights file at {path}", hint=f"current folder: {Path.cwd()}")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    ):
        raise DataError("the file is no state dict: a mapping of names to tensors", where=str(path))
    return dict(state)


def _read_safetensors(path: Path) -> Any:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise DataError(f"not a safetensors file: {error}", where=str(path)) from error


def _read_torch(path: Path) -> Any:
    try:
        # weights_only: a checkpoint is a pickle, and a plain load would run whatever it says
        return torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251
    except Exception as error:  # torch raises five kinds for what is not a plain state dict
        raise DataError(
            "the file is broken, or holds more than tensors, and is refused",
            hint="save the state dict alone, best as .safetensors",
            where=str(path),
        ) from error


def load_into(module: nn.Module, state: Mapping[str, Tensor], *, where: str) -> None:
    """Copy `state` into `module`, which has no classifier; a classifier in `state` is left out.

    Raises
    ------
    DataError
        If a tensor has the wrong shape, is missing, or has no place in the module. Only the
        counters of batch normalization, which never change a feature, may be missing.
    """
    wanted = module.state_dict()
    given = {k: v for k, v in state.items() if k in wanted or not k.startswith(_heads(module))}
    for name in wanted.keys() & given.keys():
        if given[name].shape != wanted[name].shape:
            raise DataError(
                f"tensor {name!r} has shape {tuple(given[name].shape)}, "
                f"the model needs {tuple(wanted[name].shape)}",
                where=where,
            )
    missing = [k for k in wanted if k not in given and not k.endswith("num_batches_tracked")]
    unknown = [k for k in given if k not in wanted]
    if missing or unknown:
        raise DataError(
            f"the weights do not fit: {_some('missing', missing)}, {_some('unknown', unknown)}",
            hint="the tensors must be named as timm names them",
            where=where,
        )
    module.load_state_dict(given, strict=False)


def _heads(module: nn.Module) -> tuple[str, ...]:
    """Prefixes of the classifier's tensors, as timm's configuration names it."""
    config: Any = getattr(module, "pretrained_cfg", {})
    heads = config.get("classifier") or ()
    return tuple(f"{head}." for head in ((heads,) if isinstance(heads, str) else heads))


def _some(kind: str, names: list[str]) -> str:
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} {kind}" + (f" ({shown})" if names else "")


def digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, types, shapes and bytes: the same from any file format."""
    total = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
