"""Which versions of adharness a plugin says it works with, read before a line of it runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

CORE = "adharness"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the metadata of a plugin require of the core.

    Parameters
    ----------
    range
        Such as `>=0.1,<0.2`, lower bounds first; empty where they name no version of it.
    unreadable
        The requirement that packaging tools could not read either, with the reason.
    """

    range: str = ""
    unreadable: str | None = None

    def flaw(self, installed: str) -> str | None:
        """Say in one sentence why the plugin must not be loaded here; None where it may be.

        Notes
        -----
        Compared as pip does (PEP 440): a local version (`0.1.0+mine`) is the version it was made
        of, a pre-release (`0.2.0rc1`) counts as what it is, so that it is neither in `<0.2` nor in
        `>=0.2`.
        """
        if self.unreadable is not None:
            return f"its requirement cannot be read: {self.unreadable}"
        if SpecifierSet(self.range).contains(installed, prereleases=True):
            return None
        return f"needs {CORE} {self.range}, and {installed} is installed"

    def hint(self, plugin: str, installed: str) -> str:
        """Say what to type about a flaw."""
        if self.unreadable is not None:
            return f"write {CORE}>={_minor(installed)},<{_minor(installed, 1)} in its dependencies"
        return (
            f"pip install '{CORE}{self.range}', or a release of {plugin} for {CORE} {installed}: "
            f"pip install --upgrade {plugin}"
        )


def wanted_of(requirements: Iterable[str]) -> Wanted:
    """Read what the lines of `Requires-Dist` ask of the core.

    Parameters
    ----------
    requirements
        As the metadata have them. Only those of the core are judged; those of an extra, or of
        another platform or Python, do not apply. Several that apply must all hold.
    """
    found: list[SpecifierSet] = []
    for line in requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            if _names_core(line):
                return Wanted(unreadable=f"{line!r}: {str(error).splitlines()[0]}")
            continue
        if canonicalize_name(requirement.name) == CORE and _applies(requirement):
            found.append(requirement.specifier)
    return Wanted(_joined(found))


def _names_core(line: str) -> bool:
    named = re.match(r"[\w.-]*\w", line.strip(), re.ASCII)
    return named is not None and canonicalize_name(named.group()) == CORE


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _joined(found: Iterable[SpecifierSet]) -> str:
    """Write specifiers as one does: the lower bound first; a set of them has no order."""
    parts = {str(part) for specifiers in found for part in specifiers}
    return ",".join(sorted(parts, key=lambda part: (part.startswith("<"), part)))


def _minor(version: str, more: int = 0) -> str:
    read = Version(version)
    return f"{read.major}.{read.minor + more}"
