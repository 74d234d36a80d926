"""What a suite's structure cannot say but a reader without plugins can: names, repeats, ids."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adharness.errors import MetricError, SuiteError
from adharness.metrics.table import find_metric
from adharness.suggest import closest
from adharness.suite.protocols import PROTOCOLS
from adharness.suite.schema import DialectReference, Document, Method
from adharness.suite.shift_checks import shift_errors
from adharness.suite.source import Loc, Source
from adharness.suite.split import READ, SplitSettings
from adharness.suite.wording import show, validate


def check_document(document: Document, source: Source) -> list[SuiteError]:
    """All mistakes that need no registry: repeats, undeclared extractors, unknown ids."""
    return [
        *_repeats(source, ("data",), [reference.board_name for reference in document.data], "name"),
        *shift_errors(document, source),
        *_repeats(source, ("methods",), [method.name for method in document.methods], "name"),
        *_repeats(source, ("protocols",), document.protocols),
        *_repeats(source, ("seeds",), document.seeds),
        *_classes(document, source),
        *_protocols(document, source),
        *_split(document.split, source),
        *_metrics(document, source),
        *_extractors(document, source),
        *_sweeps(document, source),
    ]


def _repeats(
    source: Source, loc: Loc, items: Sequence[Any], key: str | None = None
) -> Iterator[SuiteError]:
    seen: dict[str, int] = {}
    for i, item in enumerate(items):
        first = seen.setdefault(json.dumps(item), i)
        if first != i:
            place = (*loc, i) if key is None else (*loc, i, key)
            cure = "keep one of them" if key is None else f"give one of them another `{key}:`"
            hint = f"see {source.where((*loc, first))}; {cure}"
            yield source.error(place, f"{show(item)} is given twice", hint=hint)


def _classes(document: Document, source: Source) -> Iterator[SuiteError]:
    for i, reference in enumerate(document.data):
        yield from _repeats(source, ("data", i, "classes"), reference.classes or ())


def _protocols(document: Document, source: Source) -> Iterator[SuiteError]:
    for i, name in enumerate(document.protocols):
        if name not in PROTOCOLS:
            fact = f"unknown protocol '{name}'"
            yield source.error(("protocols", i), fact, hint=closest(name, PROTOCOLS))


def _split(split: SplitSettings, source: Source) -> Iterator[SuiteError]:
    """Refuse keys that the policy would not read, and numbers that do not fit each other."""
    reads = READ[split.policy]
    for name in sorted(split.model_fields_set - {"policy", *reads}):
        yield _unread(split.policy, name, reads, source)
    if "calibration" in reads:
        for name in sorted(split.calibration.model_fields_set - {*reads["calibration"]}):
            yield _unread(split.policy, f"calibration.{name}", reads, source)
    if split.policy == "file" and split.path is None:
        hint = "add `path: clean_splits.json` here"
        yield source.error(("split",), "policy file needs a path", hint=hint)
    if split.policy == "k-fold" and split.fold >= split.folds:
        fact = f"expected a fold from 0 to {split.folds - 1}, got {split.fold}"
        yield source.error(("split", "fold"), fact)


def _unread(
    policy: str, key: str, reads: Mapping[str, Sequence[str]], source: Source
) -> SuiteError:
    keys = [f"{name}.{one}" for name in reads for one in reads[name]]
    keys += [name for name in reads if not reads[name]]
    hint = f"it reads {', '.join(keys)}" if keys else "it reads no other key"
    return source.error(("split", *key.split(".")), f"means nothing to policy {policy}", hint=hint)


def _metrics(document: Document, source: Source) -> Iterator[SuiteError]:
    errors = [
        error
        for i, entry in enumerate(document.metrics)
        for error in (
            _metric(entry, ("metrics", i), source)
            if isinstance(entry, str)
            else _spoken(entry, ("metrics", i), source)
        )
    ]
    yield from errors
    if not errors:
        yield from _repeats(source, ("metrics",), document.metric_ids)


def _metric(name: str, loc: Loc, source: Source) -> Iterator[SuiteError]:
    try:
        find_metric(name)
    except MetricError as error:
        yield source.error(loc, error.message, hint=error.hint)


def _spoken(entry: Mapping[str, Any], loc: Loc, source: Source) -> Iterator[SuiteError]:
    """Check `{metric: ..., dialect: ...}`, and blame the one that is wrong."""
    reference, errors = validate(DialectReference, entry, source, lambda inner: (*loc, *inner))
    yield from errors
    if reference:
        errors = list(_metric(reference.metric, (*loc, "metric"), source))
        yield from errors or _metric(reference.id, (*loc, "dialect"), source)


def _extractors(document: Document, source: Source) -> Iterator[SuiteError]:
    for i, method in enumerate(document.methods):
        given = method.model_fields_set & {"extractor", "bank"}
        if given == {"bank"}:  # an extractor alone may do: the scorer decides, where it is bound
            hint = "add `extractor:` here"
            yield source.error(("methods", i, "extractor"), "the key is missing", hint=hint)
        if "extractor" in given and method.extractor not in document.extractors:
            fact = f"no extractor is declared as '{method.extractor}'"
            hint = closest(method.extractor, document.extractors, otherwise="declared are")
            yield source.error(("methods", i, "extractor"), fact, hint=hint)


def _sweeps(document: Document, source: Source) -> Iterator[SuiteError]:
    for i, method in enumerate(document.methods):
        for key, values in method.sweep.items():
            loc = ("methods", i, "sweep", key)
            yield from _swept(method, key, loc, source)
            yield from _repeats(source, loc, values)


def _swept(method: Method, key: str, loc: Loc, source: Source) -> Iterator[SuiteError]:
    part, dot, param = key.partition(".")
    written = {"bank": method.bank.params, "scorer": method.scorer.params, "maps": method.maps}
    if part not in written or not dot or not param or param == "use":
        hint = "a swept key is bank.<parameter>, scorer.<parameter> or maps.<key>, as bank.ratio"
        yield source.error(loc, f"'{key}' cannot be swept", hint=hint)
    elif param in written[part]:
        hint = f"remove `{param}:` from `{part}:` or `{key}:` from `sweep:`"
        yield source.error(loc, f"{key} is set and swept at once", hint=hint)
