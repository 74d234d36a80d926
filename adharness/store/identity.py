"""One text for one value: what a cell's id is a hash of. See docs/adr/0005-cell-identity.md."""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections.abc import Mapping
from typing import Any

from adharness.errors import StoreError

MAX_DEPTH = 100


def canonical(value: Any) -> str:
    """Write a value as JSON in the one way that equal values share.

    Parameters
    ----------
    value
        None, a bool, an int, a finite float, text, or lists, tuples and text-keyed mappings of
        those. Tuples are lists; 1, 1.0 and True are three values; text is taken in its NFC form.

    Returns
    -------
    str
        ASCII, keys sorted, no blanks. Floats are written in the shortest form that reads back.

    Raises
    ------
    StoreError
        If the value holds anything else, a NaN or an infinity, two keys with one NFC form, or
        more than 100 levels. The message names the place.

    Examples
    --------
    >>> canonical({"b": (1, 2.0), "a": None})
    '{"a":null,"b":[1,2.0]}'
    """
    plain = value if _is_plain(value, 0) else _plain(value, "value", 0)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def digest(value: Any, length: int = 16) -> str:
    """First `length` hex digits, 1 to 64, of the SHA-256 of `canonical(value)`.

    Raises
    ------
    StoreError
        As `canonical`.
    """
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()[:length]


def _is_plain(value: Any, depth: int) -> bool:
    """Whether a value is what `_plain` would make of it. Most are, and need no copy.

    Text in ASCII is its own NFC form.
    """
    kind = type(value)
    if kind is str:
        return bool(value.isascii())
    if kind is float:
        return math.isfinite(value)
    if depth >= MAX_DEPTH:
        return False
    if kind is dict:
        keys = all(type(key) is str and key.isascii() for key in value)
        return keys and all(_is_plain(one, depth + 1) for one in value.values())
    if kind is list or kind is tuple:
        return all(_is_plain(one, depth + 1) for one in value)
    return value is None or kind is int or kind is bool


def _plain(value: Any, place: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise StoreError(f"{place[:60]}... is nested deeper than {MAX_DEPTH} levels", hint=_HINT)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, float):
        return _finite(value, place)
    if isinstance(value, list | tuple):
        return [_plain(item, f"{place}[{i}]", depth + 1) for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return _mapping(value, place, depth)
    raise StoreError(f"{place} is a {type(value).__name__}, not a JSON value", hint=_HINT)


_HINT = "an identity holds text, finite numbers, true, false, null, lists and text-keyed mappings"


def _finite(value: float, place: str) -> float:
    if not math.isfinite(value):
        raise StoreError(f"{place} is {value}, not a finite number", hint=_HINT)
    return float(value)


def _mapping(values: Mapping[Any, Any], place: str, depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in values.items():
        if not isinstance(key, str):
            raise StoreError(f"{place} has the key {key!r}, which is not text", hint=_HINT)
        name = unicodedata.normalize("NFC", key)
        if name in plain:
            raise StoreError(f"{place} has the key {name!r} in two Unicode forms", hint=_HINT)
        plain[name] = _plain(value, f"{place}.{name}", depth + 1)
    return plain
