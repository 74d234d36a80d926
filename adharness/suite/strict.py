"""Validation that coerces nothing a reader would call a mistake: no '3', true or 1.0 for 3."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails

ModelT = TypeVar("ModelT", bound=BaseModel)

_CONTAINERS = {
    "tuple_type": list,
    "list_type": list,
    "set_type": list,
    "frozen_set_type": list,
    "path_type": str,
}


def validate_strictly(model: type[ModelT], values: Mapping[str, Any]) -> ModelT:
    """Build a model from JSON values, strictly.

    Raises
    ------
    pydantic.ValidationError
        Where a value is wrong, or would have to be coerced.

    Notes
    -----
    As JSON, because a strict model then still takes a list for a tuple and text for a path. After
    a field's own `BeforeValidator` pydantic forgets that, so such a field alone is tried again
    without strictness, and refused if any number, text or flag in it came out as another type.
    """
    text = json.dumps(dict(values))
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        refused = error.errors(include_url=False)
        mistakes = [details for details in refused if not _is_container(details)]
        if mistakes:
            raise _only(error, mistakes) from None  # the others may well be right
        lax = model.model_validate_json(text)
        dumped = lax.model_dump(mode="json", by_alias=True)
        if not all(_is_kept(details, dumped) for details in refused):
            raise
        return lax


def _only(error: ValidationError, mistakes: list[ErrorDetails]) -> ValidationError:
    told = [
        InitErrorDetails(type=d["type"], loc=d["loc"], input=d["input"], ctx=d.get("ctx", {}))
        for d in mistakes
    ]
    return ValidationError.from_exception_data(error.title, told)


def _is_container(details: ErrorDetails) -> bool:
    """Tell whether a list was refused where a list belongs, or text where a path does."""
    wanted = _CONTAINERS.get(details["type"])
    return wanted is not None and isinstance(details["input"], wanted)


def _is_kept(details: ErrorDetails, dumped: Any) -> bool:
    try:
        for step in details["loc"]:
            dumped = dumped[step]
    except (KeyError, IndexError, TypeError):  # a union's member, which the values do not have
        return False
    before, after = list(_scalars(details["input"])), list(_scalars(dumped))
    pairs = zip(before, after, strict=False)
    return all(type(old) is type(new) or _is_widened(old, new) for old, new in pairs)


def _is_widened(old: Any, new: Any) -> bool:
    return type(old) is int and type(new) is float


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from _each(value.values())
    elif isinstance(value, list):
        yield from _each(value)
    else:
        yield value


def _each(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        yield from _scalars(value)
