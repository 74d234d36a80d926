"""Who leads, at a glance: the table at the head of the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Winner:
    """The best method of a data set under a protocol."""

    method: str
    number: str
    aside: str
    setting: str


@dataclass(frozen=True, slots=True)
class Glance:
    """A data set's winners, one a protocol; None where no line is ranked."""

    dataset: str
    winners: tuple[Winner | None, ...]
