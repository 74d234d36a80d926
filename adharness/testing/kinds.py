"""The kit by kind of component: every check that a record's promises call for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from adharness.contracts import (
    AnySpec,
    BankSpec,
    DatasetSpec,
    ExtractorSpec,
    ImageName,
    NormalizerSpec,
    ScorerSpec,
    ThresholderSpec,
)
from adharness.testing.banks.checks import BANK_CHECKS
from adharness.testing.banks.subject import BankSubject
from adharness.testing.check import Check
from adharness.testing.datasets.checks import DATASET_CHECKS
from adharness.testing.datasets.records import DATASET_RECORD_CHECKS
from adharness.testing.datasets.subject import DatasetSubject
from adharness.testing.every_kind import ANY_CHECKS, RECORD_CHECKS
from adharness.testing.extractors.checks import EXTRACTOR_CHECKS
from adharness.testing.extractors.subject import ExtractorSubject
from adharness.testing.lookups.checks import LOOKUP_EXTRACTOR_CHECKS, LOOKUP_SCORER_CHECKS
from adharness.testing.lookups.subject import LookupSubject
from adharness.testing.normalizers.checks import NORMALIZER_CHECKS
from adharness.testing.normalizers.subject import NormalizerSubject
from adharness.testing.scorers.checks import SCORER_CHECKS
from adharness.testing.scorers.subject import ScorerSubject
from adharness.testing.subject import RecordSubject, Subject
from adharness.testing.thresholders.checks import THRESHOLDER_CHECKS
from adharness.testing.thresholders.subject import ThresholderSubject
from adharness.testing.trials import Report, Trial, report_of, trials_of

Examples = Sequence[Mapping[str, Any]]


def scorer_checks(
    spec: ScorerSpec, examples: Examples | None = None, *, images: Sequence[ImageName] = ()
) -> list[Trial]:
    """Give every check of a scorer, on each memory it accepts.

    Parameters
    ----------
    spec
        Its record.
    examples
        Parameters to try it with, in place of those of the record.
    images
        Of an imported one: names of images that it has something of.

    Returns
    -------
    list of Trial
        To be called, each a test: `pytest.mark.parametrize("check", scorer_checks(SPEC), ids=str)`.
    """
    if spec.imported:
        return _trials(spec, LOOKUP_SCORER_CHECKS, _lookups(spec, examples, images))
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


def _lookups(
    spec: ExtractorSpec | ScorerSpec, examples: Examples | None, images: Sequence[ImageName]
) -> list[LookupSubject]:
    names = tuple(images)
    return [LookupSubject(spec, example, names) for example in _examples(spec, examples)]


def dataset_checks(spec: DatasetSpec, examples: Examples | None = None) -> list[Trial]:
    """Give every check of a data set; see `scorer_checks`.

    At most 12 of its samples are read. One whose files are not here needs `examples`, such as
    `[{"root": "/data/mine"}]`: without, what reads them is skipped.
    """
    subjects = [DatasetSubject(spec, example) for example in _examples(spec, examples)]
    of_record = trials_of(DATASET_RECORD_CHECKS, [RecordSubject(spec)])
    return of_record + _trials(spec, DATASET_CHECKS, subjects)


def extractor_checks(
    spec: ExtractorSpec, examples: Examples | None = None, *, images: Sequence[ImageName] = ()
) -> list[Trial]:
    """Give every check of an extractor; see `scorer_checks`."""
    if spec.imported:
        return _trials(spec, LOOKUP_EXTRACTOR_CHECKS, _lookups(spec, examples, images))
    subjects = [ExtractorSubject(spec, example) for example in _examples(spec, examples)]
    return _trials(spec, EXTRACTOR_CHECKS, subjects)


def bank_checks(spec: BankSpec, examples: Examples | None = None) -> list[Trial]:
    """Give every check of a bank; see `scorer_checks`."""
    subjects = [BankSubject(spec, example) for example in _examples(spec, examples)]
    return _trials(spec, BANK_CHECKS, subjects)


def normalizer_checks(spec: NormalizerSpec, examples: Examples | None = None) -> list[Trial]:
    """Give every check of a normalizer; see `scorer_checks`."""
    subjects = [NormalizerSubject(spec, example) for example in _examples(spec, examples)]
    return _trials(spec, NORMALIZER_CHECKS, subjects)


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
    found: list[Check[Any]] = [*RECORD_CHECKS, *ANY_CHECKS]
    found += [*DATASET_RECORD_CHECKS, *DATASET_CHECKS]
    found += [*EXTRACTOR_CHECKS, *LOOKUP_EXTRACTOR_CHECKS, *LOOKUP_SCORER_CHECKS]
    found += [*BANK_CHECKS, *SCORER_CHECKS, *NORMALIZER_CHECKS, *THRESHOLDER_CHECKS]
    return tuple(found)


def checks_of(spec: AnySpec, examples: Examples | None = None) -> list[Trial]:
    """Give every check of a component of any kind."""
    return _BY_KIND[spec.kind](spec, examples)


_BY_KIND: Mapping[str, Callable[..., list[Trial]]] = MappingProxyType(
    {
        DatasetSpec.kind: dataset_checks,
        ExtractorSpec.kind: extractor_checks,
        BankSpec.kind: bank_checks,
        ScorerSpec.kind: scorer_checks,
        NormalizerSpec.kind: normalizer_checks,
        ThresholderSpec.kind: thresholder_checks,
    }
)


def conform(spec: AnySpec, examples: Examples | None = None) -> Report:
    """Try a component with every check of its kind."""
    return report_of(spec, checks_of(spec, examples))


def _examples(spec: AnySpec, examples: Examples | None) -> Examples:
    return spec.examples if examples is None else examples
