"""Named properties of metrics. Every metric claims each of them or denies it; both are tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["image", "pixel", "region"]
Unit: TypeAlias = Literal["share", "cost"]
"""Of a value: a share of one, or money and the like, with no upper end."""

_ALL: frozenset[Level] = frozenset({"image", "pixel", "region"})
_SPATIAL: frozenset[Level] = frozenset({"pixel", "region"})


@dataclass(frozen=True, slots=True)
class Trait:
    """A property that a metric has or has not.

    Parameters
    ----------
    meaning
        One sentence, the same in the docs.
    levels
        Where the question makes sense at all.
    threshold
        True: asked of metrics at a deployed threshold only; False: of all others only; None: of
        both.
    """

    meaning: str
    levels: frozenset[Level] = _ALL
    threshold: bool | None = None


TRAITS: Mapping[str, Trait] = MappingProxyType(
    {
        "permutation_invariant": Trait(
            "The order of the images, also inside ties, is irrelevant.",
        ),
        "duplication_invariant": Trait(
            "The whole set taken twice gives the same value.",
        ),
        "batch_split_invariant": Trait(
            "Maps read in batches of any size, sorted in memory or on disk, give the same value.",
            _SPATIAL,
        ),
        "rank_invariant": Trait(
            "A strictly increasing transform of all scores changes nothing.",
            threshold=False,
        ),
        "threshold_equivariant": Trait(
            "The same, if the threshold is transformed with the scores.",
            threshold=True,
        ),
        "strict_threshold": Trait(
            "A score equal to the threshold counts as normal.",
            threshold=True,
        ),
        "best_at_perfect": Trait(
            "Full separation gives exactly the best value of the range.",
        ),
        "closed_form_at_constant": Trait(
            "Equal scores everywhere give the value stated in the docs.",
            threshold=False,
        ),
        "monotone": Trait(
            "Raising the score of an anomalous image or pixel never hurts.",
        ),
        "monotone_without_ties": Trait(
            "The same, promised only as long as no two scores are equal.",
        ),
        "negation_reflects": Trait(
            "The negated scores give one minus the value.",
            threshold=False,
        ),
        "pair_count": Trait(
            "The share of (anomalous, normal) pairs in order, a tie counted half.",
            threshold=False,
        ),
        "prevalence_free": Trait(
            "Taking every normal image or pixel twice changes nothing.",
        ),
        "easy_normal_harmless": Trait(
            "One more normal image, scored below all others, never hurts.",
        ),
        "flip_invariant": Trait(
            "Flips and transposition of maps and masks change nothing.",
            _SPATIAL,
        ),
        "upscale_invariant": Trait(
            "Nearest upscaling of maps and masks changes nothing.",
            _SPATIAL,
        ),
        "regions_weigh_equal": Trait(
            "A region of 1 pixel and one of 4 weigh the same.",
            _SPATIAL,
        ),
    }
)


def applies(trait: str, level: Level, *, threshold: bool) -> bool:
    """Whether it makes sense to ask for this trait of a metric of this level and kind."""
    asked = TRAITS[trait]
    return level in asked.levels and asked.threshold in {None, threshold}
