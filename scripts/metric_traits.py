#!/usr/bin/env python3
"""Write the traits of the code into docs/metrics.md: the table, and the list of each metric.

    python scripts/metric_traits.py [ROOT]

All other words of the page are written by hand. A test holds the page to what this would write.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from adharness.metrics import TRAITS, Trait, find_metric

_TABLE = re.compile(r"(^\| trait \| meaning \| asked of \|\n\|[-|]+\n)(?:\|.*\n)*", re.MULTILINE)
_OF_SECTION = re.compile(
    r"(^### `(?P<id>[a-z0-9_]+)`\n(?:(?!#).*\n)*?)- \*\*Traits\.\*\*.*(?:\n  .*)*", re.MULTILINE
)
_OF_DIALECT = re.compile(r"^- \*\*Traits of `(?P<id>[^`]+)`\.\*\*.*(?:\n  .*)*", re.MULTILINE)


def refreshed(page: str) -> str:
    """Give the page with the traits that the code has."""
    rows = "".join(
        f"| `{name}` | {trait.meaning} | {_asked_of(trait)} |\n" for name, trait in TRAITS.items()
    )
    page = _TABLE.sub(lambda found: found[1] + rows, page)
    page = _OF_SECTION.sub(lambda found: found[1] + _item("Traits", found["id"]), page)
    return _OF_DIALECT.sub(lambda found: _item(f"Traits of `{found['id']}`", found["id"]), page)


def _asked_of(trait: Trait) -> str:
    levels = "all levels" if "image" in trait.levels else "pixels, regions"
    kinds = {None: "", True: ", at a threshold", False: ", without a threshold"}
    return levels + kinds[trait.threshold]


def _item(title: str, metric: str) -> str:
    traits = find_metric(metric).traits
    listed = ", ".join(f"`{name}`" for name in TRAITS if name in traits)
    text = f"- **{title}.** {listed}."
    return textwrap.fill(text, 100, subsequent_indent="  ", break_on_hyphens=False)


def main(arguments: Sequence[str]) -> None:
    """Rewrite the page."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[1]
    page = root / "docs" / "metrics.md"
    page.write_text(refreshed(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
