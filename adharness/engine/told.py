"""What the parts of a cell must be told, and what of that its protocol hides."""

from __future__ import annotations

from adharness.contracts.specs import ClassNeed, NormalizerSpec
from adharness.engine.cell import needs_class as bank_needs_class
from adharness.plan import PROTOCOLS, Cell
from adharness.store.records import ToldClass
from adharness.suite.bind import Bound


def needs_class(normalizer: Bound) -> ClassNeed:
    """Whether a normalizer declares that it must be told classes, and of which images."""
    spec = normalizer.component.spec
    return spec.needs_class(normalizer.params) if isinstance(spec, NormalizerSpec) else "never"


def needs_embedding(normalizer: Bound) -> bool:
    """Whether a normalizer declares that it reads the embeddings of images."""
    spec = normalizer.component.spec
    return isinstance(spec, NormalizerSpec) and spec.needs_embedding(normalizer.params)


def told_class(cell: Cell) -> list[ToldClass]:
    """Name the parts of the cell that are told a class that the protocol hides: an upper bound."""
    protocol = PROTOCOLS[cell.protocol]
    need = needs_class(cell.normalizer)
    told: list[ToldClass] = []
    if bank_needs_class(cell.method.bank) and not protocol.labels_at_train:
        told.append("bank")
    if need == "always" and not (protocol.labels_at_eval or protocol.routed):  # no such cell
        told.append("normalizer")
    if need == "at-fit" and not (protocol.labels_at_train or protocol.labels_at_eval):
        told.append("normalizer at fit")
    return told
