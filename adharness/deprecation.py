"""Names on their way out: importable for one minor release, with a warning that says what to do.

A public name that is renamed or goes gets a line in `LEAVING`, a renamed field of a record
`renamed_field`, a renamed hook `hook_warning`. docs/compatibility.md tells plugin authors.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeVar

_Class = TypeVar("_Class", bound=type)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A public name that still works and will not for long.

    Parameters
    ----------
    found
        `module:name` of what the old name gives meanwhile.
    instead
        What to write in its place, such as `adharness.FeatureSet`.
    gone_in
        The first release without it: the minor one after the next.
    """

    found: str
    instead: str
    gone_in: str


LEAVING: Mapping[str, Leaving] = MappingProxyType({})
"""Old public name -> what becomes of it, as `"adharness.Old": Leaving(...)`."""


def stand_in(module: str, name: str) -> object:
    """Give what a name of earlier stands for: the whole body of a module's `__getattr__`.

    Warns
    -----
    DeprecationWarning
        With what to write instead and the release that has the name no more, at the line that
        imports or reads it.

    Raises
    ------
    AttributeError
        The module has no such name, and had none in the last minor release.
    """
    leaving = LEAVING.get(f"{module}.{name}")
    if leaving is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    told = _told(f"{module}.{name}", leaving.instead, leaving.gone_in)
    warnings.warn(told, DeprecationWarning, stacklevel=3)  # this, __getattr__, who asks
    home, _, found = leaving.found.partition(":")
    return getattr(import_module(home), found)


def renamed_field(old: str, new: str, *, gone_in: str) -> Callable[[_Class], _Class]:
    """Have a dataclass take and give a field under its old name too, with a warning.

    Parameters
    ----------
    old, new
        Names of the field. The class declares the new one only.
    gone_in
        The first release that knows the old name no more.

    Examples
    --------
    >>> @renamed_field("rows", "patches", gone_in="0.3")
    ... @dataclass(frozen=True)
    ... class Sizes:
    ...     patches: int
    >>> Sizes(patches=3)
    Sizes(patches=3)

    Notes
    -----
    Giving both is a TypeError, as giving one twice is. `dataclasses.replace` needs the new name.
    """

    def decorate(cls: _Class) -> _Class:
        made = cls.__init__  # type: ignore[misc]  # of this very class
        told = _told(f"{cls.__name__}.{old}", new, gone_in)

        @wraps(made)
        def __init__(self: Any, *given: Any, **fields: Any) -> None:
            if old in fields:
                if new in fields:
                    raise TypeError(f"{cls.__name__} was given both {old!r} and {new!r}")
                warnings.warn(told, DeprecationWarning, stacklevel=2)
                fields[new] = fields.pop(old)
            made(self, *given, **fields)

        def read(self: Any) -> Any:
            warnings.warn(told, DeprecationWarning, stacklevel=2)
            return getattr(self, new)

        cls.__init__ = __init__  # type: ignore[misc]
        setattr(cls, old, property(read, doc=told))
        return cls

    return decorate


def hook_warning(old: str, instead: str, *, gone_in: str) -> DeprecationWarning:
    """Give the warning of a hook on its way out: `hookspec(warn_on_impl=hook_warning(...))`.

    Pluggy shows it for each plugin that implements the hook, with the place of the implementation.
    """
    return DeprecationWarning(_told(old, instead, gone_in))


def _told(old: str, instead: str, gone_in: str) -> str:
    return f"{old} is deprecated, and gone in adharness {gone_in}: use {instead}"
