"""Which extractor, bank and scorer go together, by what each gives and needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adharness.contracts.specs import BankSpec, ExtractorSpec, ScorerSpec

if TYPE_CHECKING:
    from adharness.registry import Component, Registry
    from adharness.suite.source import Loc

PIXELS_BANK = "pixels"
"""The bank of a method that names none, where its scorer fits on nothing but pixels."""


def gives_pixels(extractor: Component) -> bool:
    """Whether the patches of an extractor are the pixels of the image."""
    return isinstance(extractor.spec, ExtractorSpec) and extractor.spec.gives == "pixels"


def needs_pixels(scorer: Component) -> bool:
    """Whether a scorer fits on pixels and on nothing else."""
    return _accepts(scorer) == ("pixels",)


def misfit(
    extractor: Component | None, bank: Component, scorer: Component, registry: Registry
) -> tuple[Loc, str, str] | None:
    """Say which key of a method does not go with the others, why, and the cure; None where all do.

    Parameters
    ----------
    extractor
        None where it could not be bound, which was told.
    """
    emits, accepts = _emits(bank), _accepts(scorer)
    if emits not in accepts:
        fits = [one.name for one in registry.of_kind("bank") if _emits(one) in accepts]
        fact = f"bank '{bank.name}' emits {emits}, scorer '{scorer.name}' needs"
        hint = f"banks that fit '{scorer.name}': {', '.join(fits) or 'none is installed'}"
        return ("bank", "use"), f"{fact} {' or '.join(accepts)}", hint
    # Any other bank may read pixels: each is a patch of three numbers.
    if emits == "pixels" and extractor and not gives_pixels(extractor):
        giving = [one.name for one in registry.of_kind("extractor") if gives_pixels(one)]
        fact = f"bank '{bank.name}' emits pixels, extractor '{extractor.name}' gives features"
        hint = f"extractors that give pixels: {', '.join(giving) or 'none is installed'}"
        return ("extractor",), fact, hint
    return None


def _emits(bank: Component) -> str:
    return bank.spec.emits if isinstance(bank.spec, BankSpec) else ""


def _accepts(scorer: Component) -> tuple[str, ...]:
    return scorer.spec.accepts if isinstance(scorer.spec, ScorerSpec) else ()
