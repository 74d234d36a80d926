"""What is wrong with a data set: where, how bad it is, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should know of.

    Parameters
    ----------
    severity
        `error`: numbers made with this set are wrong or cannot be made. `warning`: they are not
        what most readers of the board will take them for. `note`: nothing has to be done.
    check
        What was looked for, such as `orphan-mask`: a promise to scripts, never renamed.
    path
        The file or folder, relative to the set's root; empty for the set as a whole.
    message
        The fact, with its values.
    cure
        What to do.
    also
        The other files it is about, such as the image that this one is a copy of.
    """

    severity: Severity
    check: str
    path: str
    message: str
    cure: str
    also: tuple[str, ...] = ()


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort by severity, check and path, so that two reports of one set are equal."""
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.check, f.path)))


def tally(findings: Iterable[Finding]) -> Mapping[Severity, int]:
    """Count the findings of each severity; those without any are 0."""
    counted = Counter(finding.severity for finding in findings)
    return {severity: counted[severity] for severity in SEVERITIES}
