"""JSON of strangers: one meaning only, finite numbers, bounded depth, no hidden characters."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import ValidationError

from adharness.errors import StoreError
from adharness.store.records import Record

DEPTH = 40
RecordT = TypeVar("RecordT", bound=Record)


def read_record(content: bytes, name: str, model: type[RecordT]) -> RecordT:
    """Read a record from the bytes of a member.

    Parameters
    ----------
    name
        Of the member, for the message.
    model
        What it must be.

    Raises
    ------
    StoreError
        It is not UTF-8 or no JSON object, has a key twice, a number that is not finite, more than
        40 levels, a control character in a text, or is not what the model says.
    """
    value = read_object(content, name)
    try:
        return model.model_validate(value)
    except (ValidationError, RecursionError) as error:
        told = "nested too deeply"
        if isinstance(error, ValidationError):
            first = error.errors(include_input=False)[0]
            told = f"{'.'.join(str(part) for part in first['loc'])[:200]}: {first['msg']}"
        raise StoreError(f"{name} is not what this version writes: {told}") from error


def read_object(content: bytes, name: str) -> dict[str, Any]:
    """Read a JSON object strictly; as `read_record`, without a model."""
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{name} is not plain JSON: {_short(error)}") from error
    if not isinstance(value, dict):
        raise StoreError(f"{name} holds a {type(value).__name__}, not an object")
    for place, text, depth in _texts(value):
        if depth > DEPTH:
            raise StoreError(f"{name} is nested deeper than {DEPTH} levels")
        if hidden := hidden_character(text):
            raise StoreError(f"{name} has the control character {hidden} in {place[:200]}")
    return value


def hidden_character(text: str, allowed: str = "\n\t") -> str | None:
    """Name the first character that steers a terminal or turns the direction; None without one."""
    for character in text:
        kind = unicodedata.category(character)
        if character not in allowed and (kind in {"Cc", "Cs"} or character in _TURNING):
            return f"U+{ord(character):04X}"
    return None


_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _short(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!r} is there twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is not finite")
    return number


def _texts(value: Any) -> Iterator[tuple[str, str, int]]:
    """Yield every text, key or value, with its place and its depth; no recursion."""
    waiting: list[tuple[str, Any, int]] = [("", value, 1)]
    while waiting:
        place, one, depth = waiting.pop()
        if isinstance(one, str):
            yield place, one, depth
        elif isinstance(one, dict | list):
            if depth > DEPTH:
                yield place, "", depth
                continue
            pairs = one.items() if isinstance(one, dict) else enumerate(one)
            for key, each in pairs:
                yield place, str(key), depth
                waiting.append((f"{place}.{key}".lstrip(".")[:200], each, depth + 1))
