"""One wording for `did you mean`, wherever a name is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Find the one of `words` that was probably meant; None where none is close."""
    matches = get_close_matches(word, list(words), n=1, cutoff=0.5)
    return matches[0] if matches else None


def closest(word: str, words: Iterable[str], *, otherwise: str = "the choices are") -> str:
    """Hint: the nearest of `words`, or all of them where none is close."""
    choices = list(words)
    meant = nearest(word, choices)
    if meant:
        return f"did you mean '{meant}'?"
    return f"{otherwise}: {', '.join(choices)}" if choices else "there is nothing to choose from"
