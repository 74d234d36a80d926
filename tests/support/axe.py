"""What axe-core (`tests/browser/vendor`) finds on a page, every tab and fold of it opened."""

from __future__ import annotations

import hashlib
from pathlib import Path

from browser import Page

SOURCE = Path(__file__).parents[1] / "browser" / "vendor" / "axe.min.js"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""Of version 4.14.1 as it was published."""
_OPEN_ALL = """(() => {
  document.querySelectorAll("main details").forEach((each) => { each.open = true; });
  document.querySelectorAll("[role=tabpanel]").forEach((panel) => { panel.hidden = false; });
})()"""
_FIND = """axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).flatMap(
    ({ id, nodes }) => nodes.slice(0, 5).map(({ target, any, all, none }) =>
      [id, target.join(" "), ...[any, all, none].flat().map((one) => one.message)].join(" | "))))"""


def serious(page: Page) -> list[str]:
    """Findings of impact serious or critical on the page that is open, five places a rule."""
    source = SOURCE.read_text("utf-8")
    assert hashlib.sha256(source.encode()).hexdigest() == SHA256
    page.run(_OPEN_ALL)
    page.run(source)  # evaluated from outside: the page's policy need not allow it
    found: list[str] = page.run(_FIND)
    return found
