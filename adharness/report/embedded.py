"""What goes into the page: text that a reader can trust, data for scripts, the scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import TypeAlias

from markupsafe import Markup

Plain: TypeAlias = "str | float | int | bool | Sequence[Plain] | Mapping[str, Plain] | None"
"""What JSON can hold."""

SCRIPTS = (
    *("begin.js", "vendor/d3.min.js", "vendor/plot.umd.min.js", "charts.js"),
    *("state.js", "menus.js", "tabs.js", "columns.js", "sorting.js", "filters.js"),
    *("long.js", "copy_formats.js", "copying.js", "contents.js", "board.js"),
)
"""In the order in which they run: the first in the page's head, the others at its end. Those of
`vendor` are others' (`vendor/LICENSES.txt`), as published."""

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, marks that turn the reading direction, and halves of surrogate pairs (file
names that are not UTF-8): text that shows something else than it is."""
_IN_SCRIPT = MappingProxyType({ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"})


@dataclass(frozen=True, slots=True)
class Script:
    """A script of the page, and the hash by which the page's policy knows it."""

    text: Markup
    digest: str


def printable(value: object) -> object:
    """Replace what a reader could not see or would be misled by; leave markup and numbers."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    return value


def embed(value: Plain) -> Markup:
    """Write data as JSON that may stand within `<script type="application/json">`.

    Parameters
    ----------
    value
        Its text is made `printable`. Keys too.

    Returns
    -------
    Markup
        ASCII only, short, and without `<`, `>` or `&`: no text in it can end the element.

    Raises
    ------
    ValueError
        For NaN and infinities, which JSON does not know: give None.
    """
    text = json.dumps(_clean(value), allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_IN_SCRIPT))  # noqa: S704  (nothing is left that is markup)


def scripts() -> list[Script]:
    """Read the scripts of the page in order."""
    return [_script(asset(name)) for name in SCRIPTS]


def asset(name: str) -> str:
    """Text of a file of ours beside the templates."""
    return (resources.files("adharness.report") / "templates" / name).read_text("utf-8")


def _script(text: str) -> Script:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return Script(Markup(text), digest)  # noqa: S704  (our own file, no value of a run in it)


def _clean(value: Plain) -> object:
    if isinstance(value, Mapping):
        return {str(printable(key)): _clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return printable(value)
