"""The kit by kind of component: every check that a record's promises call for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adharness.contracts import AnySpec, ScorerSpec, ThresholderSpec
from adharness.testing.check import Check
from adharness.testing.every_kind import ANY_CHECKS, RECORD_CHECKS
from adharness.testing.scorer_subject import ScorerSubject
from adharness.testing.scorers import SCORER_CHECKS
from adharness.testing.subject import RecordSubject, Subject
from adharness.testing.thresholder_subject import ThresholderSubject
from adharness.testing.thresholders import THRESHOLDER_CHECKS
from adharness.testing.trials import Report, Trial, report_of, trials_of

Examples = Sequence[Mapping[str, Any]]


def scorer_checks(spec: ScorerSpec, examples: Examples | None = None) -> list[Trial]:
    """Give every check of a scorer, on each memory it accepts.

    Parameters
    ----------
    spec
        Its record.
    examples
        Parameters to try it with, in place of those of the record.

    Returns
    -------
    list of Trial
        To be called, each a test: `pytest.mark.parametrize("check", scorer_checks(SPEC), ids=str)`.
    """
    subjects = [
        ScorerSubject(spec, example, kind)
        for example in _examples(spec, examples)
        for kind in spec.accepts
    ]
    return _trials(spec, SCORER_CHECKS, subjects)


def _trials(
    spec: AnySpec, checks: Sequence[Check[Any]], subjects: Sequence[Subject]
) -> list[Trial]:
    """Lay out the checks of a record, once, and those of a kind on each of its subjects."""
    of_record = trials_of(RECORD_CHECKS, [RecordSubject(spec)])
    return of_record + trials_of((*ANY_CHECKS, *checks), subjects)


def thresholder_checks(spec: ThresholderSpec, examples: Examples | None = None) -> list[Trial]:
    """Give every check of a thresholder, at each level that it decides; see `scorer_checks`."""
    subjects = [
        ThresholderSubject(spec, example, level)
        for example in _examples(spec, examples)
        for level in spec.levels
    ]
    return _trials(spec, THRESHOLDER_CHECKS, subjects)


def every_check() -> tuple[Check[Any], ...]:
    """List the checks of all kinds."""
    return (*RECORD_CHECKS, *ANY_CHECKS, *SCORER_CHECKS, *THRESHOLDER_CHECKS)


def checks_of(spec: AnySpec, examples: Examples | None = None) -> list[Trial]:
    """Give every check of a component of any kind."""
    if isinstance(spec, ScorerSpec):
        return scorer_checks(spec, examples)
    if isinstance(spec, ThresholderSpec):
        return thresholder_checks(spec, examples)
    raise NotImplementedError(spec.kind)


def conform(spec: AnySpec, examples: Examples | None = None) -> Report:
    """Try a component with every check of its kind."""
    return report_of(spec, checks_of(spec, examples))


def _examples(spec: AnySpec, examples: Examples | None) -> Examples:
    return spec.examples if examples is None else examples
