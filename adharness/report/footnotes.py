"""Why numbers of a table are undefined, numbered below it."""

from __future__ import annotations


class Footnotes:
    """Numbers the reasons of a table's undefined values in order of appearance."""

    def __init__(self) -> None:
        self._reasons: dict[str, int] = {}

    def mark(self, reason: str) -> int:
        """Give the number of the footnote with this reason."""
        return self._reasons.setdefault(reason, len(self._reasons) + 1)

    def texts(self) -> tuple[str, ...]:
        """Reasons in order of their numbers."""
        return tuple(self._reasons)
