"""Checks tried on components: one trial, a test of pytest; all of them, a report."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from unittest import SkipTest

from adharness.contracts import AnySpec
from adharness.testing.check import Check, ConformanceError
from adharness.testing.subject import Subject

Status: TypeAlias = Literal["passed", "failed", "exempt", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one trial ended.

    Parameters
    ----------
    check, clause, states
        What was tried: the check's name, its clause in docs/contracts.md, and what it states.
    label
        With which parameters or memory; empty where there is one way only.
    status
        `exempt`: it failed, as its record says it must.
    reason
        Why it did not pass; empty where it did.
    traceback
        Where the component raised; empty otherwise.
    seconds
        On the clock.
    """

    check: str
    clause: str
    states: str
    label: str
    status: Status
    reason: str = ""
    traceback: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Trial:
    """One check on one component, to be called: a test of pytest by itself.

    Examples
    --------
    >>> import pytest
    >>> from adharness.baselines import adharness_scorers
    >>> from adharness.testing import scorer_checks
    >>> (spec,) = [s for s in adharness_scorers() if s.name == "random-scores"]
    >>> @pytest.mark.parametrize("check", scorer_checks(spec), ids=str)
    ... def test_it_conforms(check):
    ...     check()
    """

    check: Check[Any]
    subject: Subject

    def __str__(self) -> str:
        label = f"[{self.subject.label}]" if self.subject.label else ""
        return f"{self.check.clause}-{self.check.name}{label}"

    def __call__(self) -> None:
        """Try it.

        Raises
        ------
        ConformanceError
            The clause is broken, and the record has no exemption from it.
        unittest.SkipTest
            It cannot be tried here, or the record is exempt from it; the message says why.
        """
        found = self.outcome()
        if found.status == "failed":
            message = f"{found.clause} {found.check}: {found.reason}"
            raise ConformanceError(f"{message}\n{found.traceback}".rstrip())
        if found.status != "passed":
            raise SkipTest(found.reason)

    def outcome(self) -> Outcome:
        """Try it, and tell how it ended. Only KeyboardInterrupt passes through."""
        begun = time.perf_counter()
        status, reason, trace = self._tried()
        said = self.subject.spec.exempt.get(self.check.name)
        if status == "failed" and said is not None:
            status, reason, trace = "exempt", said, ""
        return Outcome(
            check=self.check.name,
            clause=self.check.clause,
            states=self.check.states,
            label=self.subject.label,
            status=status,
            reason=reason,
            traceback=trace,
            seconds=time.perf_counter() - begun,
        )

    def _tried(self) -> tuple[Status, str, str]:
        try:
            self.check.test(self.subject)
        except SkipTest as skipped:
            return "skipped", str(skipped), ""
        except ConformanceError as error:
            return "failed", str(error), ""
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a plugin may even call sys.exit
            return "failed", f"it raised {type(error).__name__}: {error}", traceback.format_exc()
        return "passed", "", ""


@dataclass(frozen=True, eq=False)
class Report:
    """All trials of one component.

    Parameters
    ----------
    spec
        Its record.
    outcomes
        In the order of the clauses.
    """

    spec: AnySpec
    outcomes: tuple[Outcome, ...]

    @property
    def counts(self) -> Counter[Status]:
        """How many trials ended how."""
        return Counter(outcome.status for outcome in self.outcomes)

    @property
    def needless(self) -> tuple[str, ...]:
        """Exemptions of the record that no trial needed: misspelt, or mended since."""
        needed = {outcome.check for outcome in self.outcomes if outcome.status == "exempt"}
        return tuple(name for name in self.spec.exempt if name not in needed)

    @property
    def conforms(self) -> bool:
        """Whether nothing failed and no exemption is needless."""
        return not self.counts["failed"] and not self.needless


def report_of(spec: AnySpec, trials: Sequence[Trial]) -> Report:
    """Try all, one after the other."""
    return Report(spec, tuple(trial.outcome() for trial in trials))


def trials_of(checks: Sequence[Check[Any]], subjects: Sequence[Subject]) -> list[Trial]:
    """Lay out every check that applies to each subject."""
    return [
        Trial(check, subject)
        for subject in subjects
        for check in checks
        if _applies(check, subject)
    ]


def _applies(check: Check[Any], subject: Subject) -> bool:
    try:
        return check.applies(subject)
    except Exception:  # noqa: BLE001  its parameters are wrong: the trial says how
        return True
