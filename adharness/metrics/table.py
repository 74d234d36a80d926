"""The table of metrics: what each id means to the rest of the program, and what it promises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from adharness.errors import MetricError
from adharness.suggest import closest

Level: TypeAlias = Literal["image", "pixel", "region"]
Direction: TypeAlias = Literal["higher", "lower"]

TRAITS: Mapping[str, str] = MappingProxyType(
    {
        "permutation_invariant": "The order of the images, also inside ties, is irrelevant.",
        "duplication_invariant": "The whole set taken twice gives the same value.",
        "rank_invariant": "A strictly increasing transform of all scores changes nothing.",
        "threshold_equivariant": "The same, if the threshold is transformed with the scores.",
        "strict_threshold": "A score equal to the threshold counts as normal.",
        "best_at_perfect": "Full separation gives exactly the best value of the range.",
        "closed_form_at_constant": "Equal scores everywhere give the value stated in the docs.",
        "monotone": "Raising the score of an anomalous image or pixel never hurts.",
        "monotone_without_ties": "The same, promised only as long as no two scores are equal.",
        "negation_reflects": "The negated scores give one minus the value.",
        "pair_count": "The share of (anomalous, normal) pairs in order, a tie counted half.",
        "prevalence_free": "Taking every normal image or pixel twice changes nothing.",
        "easy_normal_harmless": "One more normal image, scored below all others, never hurts.",
        "flip_invariant": "Flips and transposition of maps and masks change nothing.",
        "upscale_invariant": "Nearest upscaling of maps and masks changes nothing.",
        "regions_weigh_equal": "A region of 1 pixel and one of 4 weigh the same.",
    }
)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """What the program knows of a metric besides its formula.

    Parameters
    ----------
    name
        The id, `level_quantity[_limit][_oracle]`.
    level
        What is counted: images, pixels, or connected ground-truth regions.
    direction
        Whether a `higher` or a `lower` value is better.
    range
        The smallest and the largest possible value.
    needs
        Of `scores`, `threshold`, `masks`: what must be given to compute it.
    traits
        The names in `TRAITS` that hold for it; every other trait is denied.
    summary
        One sentence for a table's footnote.
    """

    name: str
    level: Level
    direction: Direction
    range: tuple[float, float]
    needs: frozenset[str]
    traits: frozenset[str]
    summary: str

    @property
    def quantity(self) -> str:
        """The id without its level: `auroc`, `f1_oracle`, `aupro_30`."""
        return self.name.removeprefix(f"{self.level}_")

    @property
    def best(self) -> float:
        """The end of the range that a perfect detector reaches."""
        return self.range[1] if self.direction == "higher" else self.range[0]


_EVERY = frozenset({"permutation_invariant", "duplication_invariant", "best_at_perfect"})
_RANKING = _EVERY | {
    "rank_invariant",
    "closed_form_at_constant",
    "monotone_without_ties",
    "easy_normal_harmless",
}
_RANKING_TRAITS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "auroc": _RANKING | {"monotone", "negation_reflects", "pair_count", "prevalence_free"},
        "ap": _RANKING,
        "f1_oracle": _RANKING | {"monotone"},
    }
)
_DECISION = _EVERY | {
    "threshold_equivariant",
    "strict_threshold",
    "monotone",
    "monotone_without_ties",
}
_SPATIAL = frozenset({"flip_invariant", "upscale_invariant"})
_REGION = _RANKING | _SPATIAL | {"monotone", "prevalence_free", "regions_weigh_equal"}

_RANKING_SUMMARY: Mapping[str, str] = MappingProxyType(
    {
        "auroc": "Chance that an anomalous {unit} scores above a normal one.",
        "ap": "Precision averaged over the recall steps of the {unit} ranking.",
        "f1_oracle": "Best F1 over all thresholds, chosen on the test {unit}s: an oracle number.",
    }
)
_DECISION_SUMMARY: Mapping[str, str] = MappingProxyType(
    {
        "f1": "Harmonic mean of precision and recall at the deployed threshold.",
        "accuracy": "Share of images judged right at the deployed threshold.",
        "balanced_accuracy": "Mean of recall and specificity at the deployed threshold.",
        "precision": "Share of alarms that are right at the deployed threshold.",
        "recall": "Share of anomalous images found at the deployed threshold.",
        "fpr": "Share of normal images that raise an alarm at the deployed threshold.",
    }
)


def _ranking(level: Literal["image", "pixel"], quantity: str) -> MetricSpec:
    spatial = _SPATIAL if level == "pixel" else frozenset[str]()
    return MetricSpec(
        name=f"{level}_{quantity}",
        level=level,
        direction="higher",
        range=(0.0, 1.0),
        needs=frozenset({"scores", "masks"} if level == "pixel" else {"scores"}),
        traits=_RANKING_TRAITS[quantity] | spatial,
        summary=_RANKING_SUMMARY[quantity].format(unit=level),
    )


def _decision(quantity: str) -> MetricSpec:
    free = {"prevalence_free"} if quantity in {"recall", "fpr", "balanced_accuracy"} else set()
    return MetricSpec(
        name=f"image_{quantity}",
        level="image",
        direction="lower" if quantity == "fpr" else "higher",
        range=(0.0, 1.0),
        needs=frozenset({"scores", "threshold"}),
        traits=_DECISION | free,
        summary=_DECISION_SUMMARY[quantity],
    )


def _aupro(percent: int) -> MetricSpec:
    return MetricSpec(
        name=f"region_aupro_{percent:02d}",
        level="region",
        direction="higher",
        range=(0.0, 1.0),
        needs=frozenset({"scores", "masks"}),
        traits=_REGION,
        summary=f"Per-region overlap averaged up to a pixel false-positive rate of {percent} %.",
    )


_SPECS = (
    *(_ranking("image", quantity) for quantity in _RANKING_TRAITS),
    *(_decision(quantity) for quantity in _DECISION_SUMMARY),
    *(_ranking("pixel", quantity) for quantity in _RANKING_TRAITS),
    *(_aupro(percent) for percent in (30, 5)),
)
METRICS: Mapping[str, MetricSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})

_AUPRO_NAME = re.compile(r"region_aupro_(?P<percent>0[1-9]|[1-9]\d|100)")


def pro_limit(name: str) -> float | None:
    """Largest false-positive rate of a `region_aupro_<percent>` id; None for any other id."""
    match = _AUPRO_NAME.fullmatch(name)
    return int(match["percent"]) / 100 if match else None


def find_metric(name: str) -> MetricSpec:
    """Return the metric of this id; `region_aupro_01` to `region_aupro_100` all exist.

    Raises
    ------
    MetricError
        If there is no such id; the hint names the closest one.
    """
    if name in METRICS:
        return METRICS[name]
    match = _AUPRO_NAME.fullmatch(name)
    if match:
        return _aupro(int(match["percent"]))
    raise MetricError(f"unknown metric '{name}'", hint=_hint(name))


def _hint(name: str) -> str:
    if name.startswith("region_aupro_"):
        return "the limit is a percentage of two or three digits, 01 to 100: region_aupro_05"
    return closest(name, METRICS, otherwise="the metrics are")
