"""JSON written piece by piece: a board of 10,000 cells is 100 MB of text, and need not be held."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def json_document(head: Mapping[str, Any], lists: Mapping[str, Iterable[Any]]) -> Iterator[str]:
    """Write an object of some fields and of lists whose items come one by one.

    Parameters
    ----------
    head
        At least one field.
    lists
        Fields after those of `head`; each is read once, when its turn comes.

    Yields
    ------
    str
        Pieces of what `json.dumps` gives of the whole with indent 1, and a newline at the end.

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
    yield _text(head)[: -len("\n}")]
    for name, items in lists.items():
        before, end = f",\n {_text(name)}: [", "]"
        for item in items:
            within = _text(item).replace("\n", "\n  ")  # text has its own newlines escaped
            yield f"{before}\n  {within}"
            before, end = ",", "\n ]"
        yield end if before == "," else before + end
    yield "\n}\n"


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
