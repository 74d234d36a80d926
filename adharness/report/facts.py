"""Facts of a run under headings: what the provenance section is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the provenance panel; `url` only where it is a plain web address."""

    name: str
    value: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """Facts under one heading; those of methods are folded where they are many."""

    title: str
    facts: tuple[Fact, ...]
    of_method: bool = False
