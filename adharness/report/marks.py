"""A word beside a line of a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """How sure the numbers of a line are, on a board that was merged; `kind` names its colour."""

    kind: str
    text: str
    note: str = ""
