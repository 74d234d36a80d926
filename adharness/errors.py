"""The errors a person can meet, as a tree that reads like a table of contents.

AdharnessError
    SuiteError       the suite file is wrong
    DataError        an image, a mask or a data set is wrong or missing
    PluginError      a plugin is missing, broken or ambiguous
    ContractError    a component broke a clause of docs/contracts.md
    StoreError       a result or a cache entry could not be written or read
    MetricError      a metric was asked something it cannot answer
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class AdharnessError(Exception):
    """A mistake that can be stated in one sentence and mended by the reader.

    Parameters
    ----------
    message
        The fact, with its values.
    hint
        The next thing to type or to look at.
    where
        `file:line`, a path, or the name of a component.
    """

    def __init__(self, message: str, *, hint: str | None = None, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        lines = [self.message]
        lines += [f"where: {self.where}"] if self.where else []
        lines += [f"hint: {self.hint}"] if self.hint else []
        return "\n".join(lines)


class SuiteError(AdharnessError):
    """The suite file is wrong: not YAML, an unknown key, a wrong type, an impossible plan."""


class DataError(AdharnessError):
    """An image, a mask or a data set is wrong or missing."""


class PluginError(AdharnessError):
    """A plugin is missing, broken, or its name is claimed twice."""


class ContractError(AdharnessError):
    """A component broke a clause of its contract: a wrong shape, a NaN, a changed input."""


class StoreError(AdharnessError):
    """A result or a cache entry could not be written or read."""


class MetricError(AdharnessError):
    """A metric was given arrays it cannot judge: shapes that differ, a NaN, a label not 0 or 1."""


def refusals(error: ValidationError) -> list[str]:
    """Write what a model refused, `place: reason` each, in the order of its fields.

    What a rule of the whole model refused has no place, and is the reason alone.
    """
    found = error.errors(include_url=False, include_input=False)
    placed = ((".".join(map(str, one["loc"])), one["msg"]) for one in found)
    return [f"{place}: {reason}" if place else reason for place, reason in placed]
