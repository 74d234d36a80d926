"""What can be wrong with a `shift:` besides its types."""

from __future__ import annotations

from collections.abc import Iterator

from adharness.corruptions import CORRUPTIONS
from adharness.errors import SuiteError
from adharness.suggest import closest
from adharness.suite.schema import DatasetReference, Document
from adharness.suite.shift import ShiftSettings
from adharness.suite.source import Loc, Source


def shift_errors(document: Document, source: Source) -> Iterator[SuiteError]:
    """Corruptions that do not exist or are given twice, and names that two data sets would have."""
    taken = {reference.board_name: i for i, reference in enumerate(document.data)}
    for i, reference in enumerate(document.data):
        loc = ("data", i)
        if reference.use == "shift":
            hint = "write `shift: {corruptions: [noise, blur]}` beside the `use:` of the clean set"
            yield source.error((*loc, "use"), "a shift is no data set of its own", hint=hint)
        if reference.shift:
            yield from _unknown(reference.shift, (*loc, "shift", "corruptions"), source)
            yield from _repeated(reference.shift, (*loc, "shift", "corruptions"), source)
            yield from _taken(reference, taken, loc, source)


def _unknown(shift: ShiftSettings, loc: Loc, source: Source) -> Iterator[SuiteError]:
    for at, each in enumerate(shift.corruptions):
        if each.use not in CORRUPTIONS:
            hint = closest(each.use, CORRUPTIONS, otherwise="the corruptions are")
            yield source.error((*loc, at), f"unknown corruption '{each.use}'", hint=hint)


def _repeated(shift: ShiftSettings, loc: Loc, source: Source) -> Iterator[SuiteError]:
    seen: dict[str, int] = {}
    for at, each in enumerate(shift.shifts()):
        first = seen.setdefault(each.label, at)
        if first != at:
            fact = f"{each.corruption} at severity {each.severity} is given twice"
            hint = f"see {source.where((*loc, first))}; keep one of them"
            yield source.error((*loc, at), fact, hint=hint)


def _taken(
    reference: DatasetReference, taken: dict[str, int], loc: Loc, source: Source
) -> Iterator[SuiteError]:
    for name, shift in reference.board_names.items():
        if shift and name in taken:
            fact = f"'{name}' is already the name of data[{taken[name]}]"
            hint = f"give data[{taken[name]}] another `name:`"
            yield source.error((*loc, "shift"), fact, hint=hint)
