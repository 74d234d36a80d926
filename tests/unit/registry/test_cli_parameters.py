"""Types of parameters are printed as a person would write them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, PositiveInt

from adharness import Params
from adharness.cli.parameters import describe, readable


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, "int"),
        (int | None, "int | None"),
        (Literal["auto", "cpu"], "'auto' | 'cpu'"),
        (tuple[int, ...], "tuple[int, ...]"),
        (list[str] | str, "list[str] | str"),
        (tuple[Annotated[int, Field(ge=0)], ...], "tuple[int >= 0, ...]"),
        (tuple[PositiveInt, PositiveInt], "tuple[int > 0, int > 0]"),
    ],
    ids=str,
)
def test_a_type_reads_as_in_source_code_with_its_bounds(annotation: Any, expected: str) -> None:
    assert readable(annotation) == expected


class Model(Params):
    """A model with each way to give a default."""

    required: float = Field(gt=0, le=1, description="a part")
    layers: tuple[int, ...] = (2, 4)
    made: list[int] = Field(default_factory=lambda: [1])
    nothing: int | None = Field(None, gt=0)


def test_each_field_has_a_row_with_its_default() -> None:
    rows = {row["name"]: row for row in describe(Model)}
    assert list(rows) == ["required", "layers", "made", "nothing"]
    assert rows["required"] == {
        "name": "required",
        "type": "float > 0, <= 1",
        "default": "required",
        "description": "a part",
    }
    assert rows["nothing"]["type"] == "int > 0 | None"
    assert [rows[name]["default"] for name in ("layers", "made", "nothing")] == [
        "(2, 4)",
        "[1]",
        "None",
    ]


class Outer(Params):
    """Parameters with parameters inside."""

    inner: Model | None = None


def test_parameters_inside_of_parameters_are_shown_as_the_mapping_to_write() -> None:
    (row,) = describe(Outer)
    assert row["type"] == "{required, layers, made, nothing} | None"
