"""Which protocols scores may stand under that were made elsewhere, once, by some training."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.contracts.specs import ExtractorSpec, ScorerSpec
from adharness.suite.bound import Bound, BoundMethod
from adharness.suite.protocols import PROTOCOLS


def takes_part(scorer: Bound, protocol: str) -> bool:
    """Whether a scorer may stand under a protocol: always, but for what was trained otherwise."""
    said = _said(scorer)
    return said is None or said == PROTOCOLS[protocol].labels_at_train


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
    trained = {PROTOCOLS[name].labels_at_train for name in protocols if name in PROTOCOLS}
    spec = scorer.component.spec
    if said is None and isinstance(spec, ScorerSpec) and spec.imported and len(trained) > 1:
        fact = "the protocols differ in what is trained, and these scores were made once"
        return fact, "add `models: per-class` (a model a class) or `models: merged` (one for all)"
    if said is not None and said not in trained:
        fact = "no protocol of the suite trains what these scores were made with"
        return fact, f"the protocols are: {', '.join(protocols)}"
    return None


def _said(scorer: Bound) -> bool | None:
    spec = scorer.component.spec
    return spec.trains_per_class(scorer.params) if isinstance(spec, ScorerSpec) else None
