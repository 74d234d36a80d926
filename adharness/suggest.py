"""One wording for `did you mean`, wherever a name is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(name: str, known: Iterable[str]) -> str:
    """Say "did you mean 'x'? " for the closest of the known names, or nothing."""
    matches = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean '{matches[0]}'? " if matches else ""
