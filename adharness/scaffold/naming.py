"""The names of a plugin: of its component, its distribution, its package and its classes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from adharness.errors import PluginError

PREFIX = "adharness-"
LONGEST = 24
"""Characters of a name; longer ones would break the lines of what is written."""
GRAMMAR = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class PluginName:
    """A component's name, and all that follows from it.

    Parameters
    ----------
    component
        As typed after `use:` in a suite; see `PluginName.parsed` for its grammar.

    Examples
    --------
    >>> name = PluginName.parsed("my-scorer")
    >>> name.distribution, name.package, name.class_name("scorer")
    ('adharness-my-scorer', 'adharness_my_scorer', 'MyScorer')
    >>> PluginName.parsed("adharness-knn").class_name("scorer")
    'KnnScorer'
    """

    component: str

    @classmethod
    def parsed(cls, text: str) -> PluginName:
        """Read a name as typed; `adharness-` before it is dropped, as the distribution has it.

        Raises
        ------
        PluginError
            It is not lower-case words of ASCII letters and digits joined by hyphens, begins with
            no letter, or is longer than 24 characters; the hint has the nearest that is fine.
        """
        name = text.removeprefix(PREFIX)
        if len(name) <= LONGEST and GRAMMAR.fullmatch(name):
            return cls(name)
        meant = mended(text)
        raise PluginError(
            f"{text!r} is no name for a component: lower-case words of letters and digits, joined "
            f"by hyphens, the first of which begins with a letter, at most {LONGEST} characters",
            hint=f"did you mean '{meant}'?" if meant else "such as 'my-scorer'",
        )

    @property
    def distribution(self) -> str:
        """What pip calls it."""
        return f"{PREFIX}{self.component}"

    @property
    def package(self) -> str:
        """What Python imports."""
        return self.distribution.replace("-", "_")

    def class_name(self, kind: str) -> str:
        """Name its class: the words, and the kind unless they end with it."""
        words = self.component.split("-")
        words = words if words[-1] == kind and len(words) > 1 else [*words, kind]
        return "".join(word.capitalize() for word in words)


def mended(text: str) -> str | None:
    """Make a name of what was typed; None where no letter of it can be kept.

    Examples
    --------
    >>> mended("My_Scorer"), mended("MyScorer"), mended("café 3"), mended("3")
    ('my-scorer', 'my-scorer', 'cafe-3', None)
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", plain).lower()
    words = re.sub(r"[^a-z0-9]+", "-", parted).removeprefix(PREFIX)
    name = re.sub(r"^[^a-z]+", "", words)[:LONGEST].strip("-")
    return name if GRAMMAR.fullmatch(name) else None
