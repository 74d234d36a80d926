"""Which protocols scores may stand under that were made elsewhere, once, by some training."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.contracts.specs import ExtractorSpec, ScorerSpec
from adharness.suite.bound import Bound, BoundMethod
from adharness.suite.protocols import PROTOCOLS


def takes_part(scorer: Bound, protocol: str) -> bool:
    """Whether a scorer may stand under a protocol: always, but for what was trained otherwise.

    Scores that were made elsewhere were not routed here.
    """
    said, asked = _said(scorer), PROTOCOLS[protocol]
    if _imported(scorer) and asked.routed:
        return False
    return said is None or said == asked.labels_at_train


def made_elsewhere(method: BoundMethod) -> bool:
    """Whether features or scores are looked up by the images' names, which a shift leaves alone."""
    extractor, scorer = method.extractor.component.spec, method.scorer.component.spec
    looks_up = isinstance(extractor, ExtractorSpec) and extractor.imported
    return looks_up or (isinstance(scorer, ScorerSpec) and scorer.imported)


def protocol_flaw(scorer: Bound, protocols: Sequence[str]) -> tuple[str, str] | None:
    """Say what is wrong with a scorer under these protocols, and the cure; None where nothing is.

    Scores of one model a class must not be shown as those of one model for all.
    """
    said = _said(scorer)
    known = [PROTOCOLS[name] for name in protocols if name in PROTOCOLS]
    trained = {protocol.labels_at_train for protocol in known if not protocol.routed}
    if known and not trained and _imported(scorer):
        return "these scores were made elsewhere and not routed", "add the protocol `per-class`"
    if said is None and _imported(scorer) and len(trained) > 1:
        fact = "the protocols differ in what is trained, and these scores were made once"
        return fact, "add `models: per-class` (a model a class) or `models: merged` (one for all)"
    if said is not None and said not in trained:
        fact = "no protocol of the suite trains what these scores were made with"
        return fact, f"the protocols are: {', '.join(protocols)}"
    return None


def _imported(scorer: Bound) -> bool:
    spec = scorer.component.spec
    return isinstance(spec, ScorerSpec) and spec.imported


def _said(scorer: Bound) -> bool | None:
    spec = scorer.component.spec
    return spec.trains_per_class(scorer.params) if isinstance(spec, ScorerSpec) else None
