"""pydantic's complaints in our words: the place, what was expected, what was found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType, NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from adharness.errors import AdharnessError, SuiteError
from adharness.suggest import closest
from adharness.suite.source import Loc, Source
from adharness.suite.strict import validate_strictly

ModelT = TypeVar("ModelT", bound=BaseModel)
_LISTED = 20

_EXPECTED: Mapping[str, str] = MappingProxyType(
    {
        "int_type": "an integer",
        "int_from_float": "an integer",
        "float_type": "a number",
        "string_type": "text",
        "path_type": "a path",
        "bool_type": "true or false",
        "tuple_type": "a list",
        "list_type": "a list",
        "set_type": "a list",
        "frozen_set_type": "a list",
        "dict_type": "a mapping (key: value)",
        "model_type": "a mapping (key: value)",
        "none_required": "null",
        "literal_error": "{expected}",
        "enum": "{expected}",
        "greater_than": "more than {gt}",
        "greater_than_equal": "at least {ge}",
        "less_than": "less than {lt}",
        "less_than_equal": "at most {le}",
        "multiple_of": "a multiple of {multiple_of}",
        "string_too_short": "at least {min_length} character(s)",
        "string_too_long": "at most {max_length} characters",
        "string_pattern_mismatch": "text that matches {pattern}",
        "too_short": "at least {min_length} item(s)",
        "too_long": "at most {max_length} item(s)",
        "finite_number": "a finite number",
    }
)


def show(value: Any) -> str:
    """Write a value as a suite's author typed it, in at most some 60 characters."""
    as_json = json.dumps(value, ensure_ascii=False, default=str)
    text = f"'{value}'" if isinstance(value, str) else as_json
    return text if len(text) <= 60 else text[:57] + "..."


def combine(errors: Iterable[AdharnessError]) -> AdharnessError:
    """One error out of several, by line: the first in full, the others in its hint.

    Repeats are dropped. A single error is returned as it is.
    """
    unique = {(error.where, error.message): error for error in errors}
    first, *others = sorted(unique.values(), key=_line)
    if not others:
        return first
    listed = [_brief(error) for error in others[:_LISTED]]
    left = len(others) - len(listed)
    more = [f"{len(others)} more:", *listed, *([f"and {left} more"] if left else [])]
    hint = "\n       ".join([*([first.hint] if first.hint else []), *more])
    return type(first)(first.message, hint=hint, where=first.where)


def _brief(error: AdharnessError) -> str:
    hint = f" ({error.hint})" if error.hint else ""
    return f"{error.where}: {error.message}{hint}"


def validate(
    model: type[ModelT], values: Mapping[str, Any], source: Source, place: Callable[[Loc], Loc]
) -> tuple[ModelT | None, list[SuiteError]]:
    """Check JSON values against a model, without coercion: no text, bool or 1.0 for an integer.

    Parameters
    ----------
    model
        What the values must be.
    values
        JSON values.
    source, place
        The file, and where in it a place of the model was written.

    Returns
    -------
    The model, or None and the errors in our words.
    """
    try:
        return validate_strictly(model, values), []
    except ValidationError as error:
        return None, _translate(error, model, source, place)


def _translate(
    error: ValidationError, model: type[BaseModel], source: Source, place: Callable[[Loc], Loc]
) -> list[SuiteError]:
    by_place: dict[Loc, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        if _is_echo(details):
            continue
        by_place.setdefault(_written(details, source, place), []).append(details)
    return [_word(loc, several, model, source) for loc, several in by_place.items()]


def _is_echo(details: ErrorDetails) -> bool:
    """Tell whether a list is called too short only because its items are wrong."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _written(details: ErrorDetails, source: Source, place: Callable[[Loc], Loc]) -> Loc:
    """Where the file holds the mistake; the names of a union's members are dropped from it."""
    loc = details["loc"]
    if details["type"] == "missing":
        return (*source.nearest(place(loc[:-1])), loc[-1])
    return source.nearest(place(loc)) if details["type"] != "extra_forbidden" else place(loc)


def _word(
    loc: Loc, several: list[ErrorDetails], model: type[BaseModel], source: Source
) -> SuiteError:
    first = several[0]
    if first["type"] == "missing":
        return source.error(loc, "the key is missing", hint=f"add `{loc[-1]}:` here")
    if first["type"] == "extra_forbidden":
        keys = _keys(model, first["loc"][:-1])
        hint = closest(str(loc[-1]), keys, otherwise="the keys here are")
        return source.error(loc, "unknown key", hint=hint)
    wanted = dict.fromkeys(_expected(details) for details in several)
    known = [text for text in wanted if text is not None]
    if not known:
        return source.error(loc, _own_words(first))
    fact = f"expected {' or '.join(known)}, got {show(first['input'])}"
    return source.error(loc, fact, hint=_cure(first))


def _expected(details: ErrorDetails) -> str | None:
    template = _EXPECTED.get(details["type"])
    return template.format(**details.get("ctx", {})) if template else None


def _own_words(details: ErrorDetails) -> str:
    """Return what a model's own validator said, or pydantic's sentence with the value."""
    message = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    own = details["type"] in {"value_error", "assertion_error"}
    return message if own else f"{message}, got {show(details['input'])}"


def _cure(details: ErrorDetails) -> str | None:
    value, wants = details["input"], details["type"]
    if wants == "string_type" and isinstance(value, int | float):
        return f'quote it: "{show(value)}"'
    if wants == "int_type" and isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    if wants in {"int_type", "float_type"} and isinstance(value, str) and _is_number(value):
        return f"remove the quotes: {value}"
    return None


def _is_number(text: str) -> bool:
    return text.strip("+-").replace(".", "", 1).isdecimal()


def _keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """List the keys that may stand at a place of a model, as they are typed."""
    annotation: Any = model
    for step in loc:
        annotation = _inside(annotation, step)
    annotation = _bare(annotation)
    if not _is_model(annotation):
        return []
    return [info.alias or name for name, info in annotation.model_fields.items()]


def _inside(annotation: Any, step: str | int) -> Any:
    annotation = _bare(annotation)
    if _is_model(annotation):
        fields = annotation.model_fields.items()
        return next((f.annotation for name, f in fields if step in {name, f.alias}), None)
    arguments = get_args(annotation)
    return arguments[-1 if get_origin(annotation) is dict else 0] if arguments else None


def _bare(annotation: Any) -> Any:
    """Strip `Annotated` and `| None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    present = [part for part in get_args(annotation) if part is not NoneType]
    return _bare(present[0]) if len(present) < len(get_args(annotation)) else annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _line(error: AdharnessError) -> int:
    tail = (error.where or "").rpartition(":")[2]
    return int(tail) if tail.isdecimal() else 0
