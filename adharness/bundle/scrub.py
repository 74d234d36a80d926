"""Take the paths of the submitter's machine out of what is given away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_POSIX = r"(?<![\w/:.~<>-])~?/(?:[^\s/'\"`,;:()<>{}\[\]]+/)*[^\s/'\"`,;:()<>{}\[\]]+/?"
_FILE_URL = r"file://[^\s'\"`,;()<>]*"
_WINDOWS = r"(?<![\w])[A-Za-z]:\\[^\s'\"`,;()<>|]*"
_PATH = re.compile(f"{_FILE_URL}|{_WINDOWS}|{_POSIX}")
GONE = "<path>"
"""What stands for the folders of a path; its last part stays."""


@dataclass
class Scrubber:
    """Replaces absolute paths in texts, and remembers where it did.

    Parameters
    ----------
    folders
        Replaced wherever they stand, also where they hold blanks: the home folder and the like.
    """

    folders: Sequence[Path]
    places: dict[str, int] = field(default_factory=dict)
    """Place -> how many paths were replaced there."""

    def value(self, value: Any, place: str) -> Any:
        """Give the JSON value without absolute paths, in keys too."""
        if isinstance(value, str):
            return self.text(value, place)
        if isinstance(value, list):
            return [self.value(one, place) for one in value]
        if isinstance(value, dict):
            return {self.text(k, place): self.value(one, place) for k, one in value.items()}
        return value

    def text(self, text: str, place: str) -> str:
        """Give the text with `<path>/name` where an absolute path to `name` stood."""
        known = text
        for folder in sorted({str(f) for f in self.folders}, key=len, reverse=True):
            if len(folder) > 1:
                known = known.replace(folder, f"/{GONE}")
        found = _PATH.sub(_last_part, known).replace(f"/{GONE}", GONE)
        if found != text:
            self.places[place] = self.places.get(place, 0) + 1
        return found


def paths_in(text: str) -> list[str]:
    """Give the absolute paths that a text holds."""
    return _PATH.findall(text)


def _last_part(match: re.Match[str]) -> str:
    last = re.split(r"[/\\]", match.group().rstrip("/\\"))[-1]
    return f"{GONE}/{last}" if last and last != GONE else GONE
