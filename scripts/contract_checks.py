#!/usr/bin/env python3
"""Write the names of the kit's checks into docs/contracts.md, after the clause that each tries.

    python scripts/contract_checks.py [ROOT]

All other words of the page are written by hand. A test holds the page to what this would write.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from adharness.testing import every_check

_CLAUSE = re.compile(r"^- \*\*(?P<clause>[A-Z]\d+)\*\*.*(?:\n  .*)*\n", re.MULTILINE)
_TRIED = re.compile(r"\n  \*Tried by\*(?:.*)(?:\n  .*)*\n")


def clauses(page: str) -> list[str]:
    """List the numbers of all clauses, in the order of the page."""
    return [found["clause"] for found in _CLAUSE.finditer(page)]


def untried(page: str) -> list[str]:
    """List the clauses that say of themselves why no check tries them."""
    return [found["clause"] for found in _CLAUSE.finditer(page) if "*not tried*" in found[0]]


def refreshed(page: str) -> str:
    """Give the page with the checks that the kit has."""
    return _CLAUSE.sub(lambda found: _with_checks(found[0], found["clause"]), page)


def _with_checks(text: str, clause: str) -> str:
    bare = _TRIED.sub("\n", text)
    names = [f"`{check.name}`" for check in every_check() if check.clause == clause]
    if not names:
        return bare
    line = f"*Tried by* {', '.join(dict.fromkeys(names))}."
    filled = textwrap.fill(
        line, 110, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
    return f"{bare}{filled}\n"


def main(arguments: Sequence[str]) -> None:
    """Rewrite the page."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[1]
    page = root / "docs" / "contracts.md"
    page.write_text(refreshed(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
