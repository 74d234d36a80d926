"""What may run a network besides torch: the record of a backend, and those that are installed.

A distribution offers one by an entry point of the group `adharness_timm.backends` that names a
`Backend`. Importing its module must not import its library.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Literal, Protocol, TypeAlias

from adharness import PluginError, SuiteError
from adharness.arrays import Float32, UInt8

GROUP = "adharness_timm.backends"
OWN = ("auto", "torch", "torch-compile")  # what needs no record
Precision: TypeAlias = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Graph:
    """A network as ONNX, for one image at a time.

    Parameters
    ----------
    onnx
        The model: one input (1, H, W, 3) uint8 RGB, normalized inside. Outputs are the patches
        (1, h, w, D) float32, or where they are not joined each chosen layer (1, h, w, C), shallow
        first; and the image embedding (1, E) float32.
    joined
        Whether layers are joined to patches.
    """

    onnx: bytes
    joined: bool


class Runner(Protocol):
    """A graph made ready to run on the CPU; called from several threads at once."""

    def __call__(self, image: UInt8) -> Sequence[Float32]:
        """Give the outputs of the graph for one image (1, H, W, 3); the arrays are the caller's."""


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A library that runs graphs.

    Parameters
    ----------
    name
        As written after `backend:` in a suite.
    library
        The distribution that it needs; it counts as installed where this is.
    precisions
        Names those that it can compute in on this machine; asked only where the library is.
    make
        Makes a graph ready, to be called from so many threads at once. Float32 must be float32:
        some libraries take less where the processor offers it, unless they are told.
    distributions
        Whose versions can change a feature; filled in here.
    """

    name: str
    library: str
    precisions: Callable[[], tuple[Precision, ...]]
    make: Callable[[Graph, Precision, int], Runner]
    distributions: tuple[str, ...] = ()


def installed_backends() -> Mapping[str, Backend]:
    """Find the backends whose library is installed, and onnx, by name. Torch is not among them.

    Raises
    ------
    PluginError
        If an entry point cannot be loaded, gives no `Backend` or one of another name, or two have
        one name.
    """
    found: dict[str, Backend] = {}
    for point in metadata.entry_points(group=GROUP):
        backend = _loaded(point)
        if backend.name in found or backend.name in OWN:
            raise PluginError(f"two backends of the extractor timm are called {backend.name!r}")
        if _is_installed(backend.library) and _is_installed("onnx"):  # torch writes graphs with it
            found[backend.name] = backend
    return dict(sorted(found.items()))


def find_backend(name: str, precision: Precision) -> Backend:
    """Look up a backend by its name.

    Raises
    ------
    SuiteError
        If its library is not installed, or it cannot compute in that precision here.
    PluginError
        As `installed_backends`; or its library is there and does not work.
    """
    found = installed_backends()
    if name not in found:
        raise SuiteError(
            f"backend {name!r} was asked for, but it or onnx is not installed",
            hint=f"pip install onnx {name}, or backend: auto",
        )
    try:
        precisions = found[name].precisions()
    except Exception as error:
        raise PluginError(
            f"backend {name!r} is installed, and cannot be used: {type(error).__name__}: {error}",
            hint=f"install {found[name].library} again, or backend: torch",
        ) from error
    if precision not in precisions:
        raise SuiteError(
            f"backend {name!r} cannot compute in {precision} here, only in {', '.join(precisions)}",
            hint="leave `precision` out, or `backend`",
        )
    return found[name]


def require_known(name: str) -> str:
    """Refuse a backend that nobody offers, and name the nearest that somebody does.

    Raises
    ------
    ValueError
        If there is none of that name, whether or not its library is installed.
    """
    if name in OWN:
        return name
    names = [*OWN, *sorted(point.name for point in metadata.entry_points(group=GROUP))]
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    raise ValueError(f"there is no backend {name!r}; {hint}")


def _loaded(point: metadata.EntryPoint) -> Backend:
    try:
        backend = point.load()
    except Exception as error:
        raise PluginError(f"backend {point.name!r} cannot be loaded: {error}") from error
    if not isinstance(backend, Backend):
        raise PluginError(f"backend {point.name!r} is a {type(backend).__name__}, not a `Backend`")
    if backend.name != point.name:  # suites are read by the one, and networks run by the other
        raise PluginError(f"backend {point.name!r} calls itself {backend.name!r}")
    home = point.dist.name if point.dist else backend.library
    named = {home, backend.library} - {"adharness-timm"}
    return replace(backend, distributions=tuple(sorted(named)))


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
