"""Shapes of what records hold as free JSON: a page that expects a mapping must get one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from adharness.errors import StoreError
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _Part(_Shape):
    use: str
    params: dict[str, Any]
    name: str = ""


class _Method(_Shape):
    extractor: _Part
    bank: _Part
    scorer: _Part
    maps: dict[str, Any] | None = None


class _Git(_Shape):
    commit: str | None = None
    dirty: bool | None = None


class _Provenance(_Shape):
    git: _Git | None = None
    versions: dict[str, str] = {}


class _Identity(_Shape):
    names: dict[str, Any]
    calibration: str
    test: str
    maps: dict[str, Any] | None = None


def check_shapes(run: RunRecord) -> None:
    """Refuse free JSON of a run that has not the shape that a run writes.

    Raises
    ------
    StoreError
        Naming the place.
    """
    _fits(_Provenance, run.provenance, "run.json: provenance")
    for name, method in run.methods.items():
        _fits(_Method, method, f"run.json: methods.{name}")


def check_identity_shape(cell: CellRecord) -> None:
    """Refuse an identity that has not the shape that a run writes. Raises StoreError."""
    _fits(_Identity, cell.identity, "identity")


def _fits(shape: type[_Shape], value: object, place: str) -> None:
    try:
        shape.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        inner = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"{place}.{inner}: {first['msg']}"[:300]) from error
