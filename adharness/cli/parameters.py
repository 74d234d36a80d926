"""A params model as rows that a person can read: no `typing.` and no `FieldInfo(...)`."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from adharness.contracts import Params

BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def describe(params: type[BaseModel]) -> list[dict[str, str]]:
    """Name, type, default and description of each field, in the order of the model."""
    return [
        {
            "name": name,
            "type": _with_bounds(readable(info.annotation), info.metadata),
            "default": _default(info),
            "description": info.description or "",
        }
        for name, info in params.model_fields.items()
    ]


def readable(annotation: Any) -> str:
    """Write a type as in source code, bounds in words: `tuple[int >= 0, ...]`, `'a' | 'b'`.

    Examples
    --------
    >>> readable(int | None)
    'int | None'
    >>> readable(Literal["auto", "cpu"])
    "'auto' | 'cpu'"
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _with_bounds(readable(inner[0]), inner[1:])
    if origin is Literal:
        return " | ".join(map(repr, inner))
    if origin in (Union, types.UnionType):
        return " | ".join(map(readable, inner))
    if origin is not None:
        return f"{readable(origin)}[{', '.join(map(readable, inner))}]"
    return _plain_name(annotation)


def _plain_name(annotation: Any) -> str:
    if annotation is Ellipsis:
        return "..."
    if annotation is types.NoneType:
        return "None"
    if not isinstance(annotation, type):
        return str(annotation)
    if issubclass(annotation, Params):  # what a suite writes is a mapping
        return f"{{{', '.join(annotation.model_fields)}}}"
    return annotation.__name__


def _with_bounds(name: str, metadata: Any) -> str:
    """Append the limits, which pydantic keeps apart from the type or inside a `Field(...)`."""
    marks = [m for each in metadata for m in (each.metadata if _is_field(each) else [each])]
    limits = [
        f"{sign} {getattr(mark, bound):g}"
        for mark in marks
        for bound, sign in BOUNDS.items()
        if isinstance(getattr(mark, bound, None), int | float)
    ]
    if not limits:
        return name
    bounded, optional, _ = name.partition(" | None")  # the limits are not None's
    return f"{bounded} {', '.join(limits)}{optional}"


def _is_field(mark: object) -> bool:
    return isinstance(mark, FieldInfo)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    return repr(info.get_default(call_default_factory=True, validated_data={}))
