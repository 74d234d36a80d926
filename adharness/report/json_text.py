"""JSON written piece by piece: a board of 10,000 cells is 100 MB of text, and need not be held."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

TOGETHER = 64
"""Items a piece: the library takes as long to begin as to write one."""
_ENCODER = json.JSONEncoder(indent=1, ensure_ascii=False, allow_nan=False)
_LINE = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def json_document(
    head: Mapping[str, Any], lists: Mapping[str, Iterable[Any]], *, lines: bool = False
) -> Iterator[str]:
    """Write an object of some fields and of lists whose items come one by one.

    Parameters
    ----------
    head
        At least one field.
    lists
        Fields after those of `head`; each is read once, when its turn comes.
    lines
        Whether an item is one line: the library indents slowly, and it is a third less text.

    Yields
    ------
    str
        Pieces of what `json.dumps` gives of the whole with indent 1, and a newline at the end;
        the same value with `lines`.

    Raises
    ------
    ValueError
        A number is not finite.

    Examples
    --------
    >>> print("".join(json_document({"a": 1}, {"b": [2.5, "x"], "c": []})), end="")
    {
     "a": 1,
     "b": [
      2.5,
      "x"
     ],
     "c": []
    }
    """
    yield _ENCODER.encode(head)[: -len("\n}")]
    for name, items in lists.items():
        before, end = f",\n {_ENCODER.encode(name)}: [", "]"
        left = iter(items)
        while several := list(islice(left, TOGETHER)):
            # Without the brackets and one level deeper; text has its own newlines escaped.
            text = _ENCODER.encode(several)[1:-2] if not lines else _lines(several)
            yield before + text.replace("\n", "\n ")
            before, end = ",", "\n ]"
        yield end if before == "," else before + end
    yield "\n}\n"


def _lines(items: list[Any]) -> str:
    return ",".join(f"\n {_LINE.encode(item)}" for item in items)
