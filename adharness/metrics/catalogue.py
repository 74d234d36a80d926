"""The exact metrics as data: what each is, and which traits it claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adharness.metrics.traits import Level, Unit


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table; `summary` may hold `{percent}` for a limit."""

    level: Level
    quantity: str
    summary: str
    traits: frozenset[str]
    needs: frozenset[str] = frozenset()
    lower: bool = False
    unit: Unit = "share"
    at_full: frozenset[str] = frozenset()
    """Traits it has besides where its limit is 100 %."""


_EVERY = frozenset({"permutation_invariant", "duplication_invariant", "best_at_perfect"})
_RANKING = _EVERY | {
    "rank_invariant",
    "closed_form_at_constant",
    "monotone_without_ties",
    "easy_normal_harmless",
}
_CURVE = _RANKING | {"monotone", "prevalence_free"}
_DECISION = _EVERY | {
    "threshold_equivariant",
    "strict_threshold",
    "monotone",
    "monotone_without_ties",
}
_SPATIAL = frozenset({"batch_split_invariant", "flip_invariant", "upscale_invariant"})
_THRESHOLD = frozenset({"threshold"})


def _ranking(level: Level, quantity: str, summary: str, traits: frozenset[str]) -> Entry:
    spatial = frozenset[str]() if level == "image" else _SPATIAL
    return Entry(level, quantity, summary, traits | spatial)


def _decision(level: Level, quantity: str, summary: str, *more: str, lower: bool = False) -> Entry:
    spatial = frozenset[str]() if level == "image" else _SPATIAL
    return Entry(level, quantity, summary, _DECISION | spatial | {*more}, _THRESHOLD, lower)


_AUROC = _CURVE | {"negation_reflects", "pair_count"}
_ORACLE = _RANKING | {"monotone"}

ENTRIES = (
    _ranking("image", "auroc", "Chance that an anomalous image scores above a normal one.", _AUROC),
    _ranking(
        "image", "ap", "Precision averaged over the recall steps of the image ranking.", _RANKING
    ),
    _ranking(
        "image",
        "auroc_fpr10",
        "Share of anomalous images found, averaged up to a false-positive rate of 10 %.",
        _CURVE,
    ),
    Entry(
        "image",
        "fpr_at_95_tpr",
        "Share of normal images that raise an alarm when 95 % of the anomalous ones are found.",
        _CURVE,
        lower=True,
    ),
    _ranking(
        "image",
        "f1_oracle",
        "Best F1 over all thresholds, chosen on the test images: an oracle number.",
        _ORACLE,
    ),
    _ranking(
        "image",
        "accuracy_oracle",
        "Best accuracy over all thresholds, chosen on the test images: an oracle number.",
        _ORACLE,
    ),
    Entry(
        "image",
        "cost_oracle",
        "Least expected cost over all thresholds, chosen on the test images: an oracle number.",
        _ORACLE | {"prevalence_free"},
        lower=True,
        unit="cost",
    ),
    _decision("image", "f1", "Harmonic mean of precision and recall at the deployed threshold."),
    _decision("image", "accuracy", "Share of images judged right at the deployed threshold."),
    _decision(
        "image",
        "balanced_accuracy",
        "Mean of recall and specificity at the deployed threshold.",
        "prevalence_free",
    ),
    _decision("image", "precision", "Share of alarms that are right at the deployed threshold."),
    _decision(
        "image",
        "recall",
        "Share of anomalous images found at the deployed threshold.",
        "prevalence_free",
        "easy_normal_harmless",
    ),
    _decision(
        "image",
        "fpr",
        "Share of normal images that raise an alarm at the deployed threshold.",
        "prevalence_free",
        lower=True,
    ),
    Entry(
        "image",
        "cost",
        "Expected cost of an inspected part at the deployed threshold, by the costs of the suite.",
        _DECISION | {"prevalence_free", "easy_normal_harmless"},
        _THRESHOLD,
        lower=True,
        unit="cost",
    ),
    _ranking("pixel", "auroc", "Chance that an anomalous pixel scores above a normal one.", _AUROC),
    _ranking(
        "pixel",
        "auroc_anomalous",
        "Pixel AUROC over the anomalous images alone, good images left out.",
        _AUROC,
    ),
    _ranking(
        "pixel", "ap", "Precision averaged over the recall steps of the pixel ranking.", _RANKING
    ),
    _ranking(
        "pixel",
        "f1_oracle",
        "Best F1 over all thresholds, chosen on the test pixels: an oracle number.",
        _ORACLE,
    ),
    _ranking(
        "pixel",
        "iou_oracle",
        "Best intersection over union over all thresholds, chosen on the test pixels: an oracle "
        "number.",
        _ORACLE,
    ),
    _ranking(
        "pixel",
        "aupimo",
        "Recall of each anomalous image's pixels, averaged over very low false-positive rates on "
        "good images; mean over images.",
        _RANKING | {"monotone", "prevalence_free"},
    ),
    _decision("pixel", "f1", "F1 of all pixels together at the deployed pixel threshold."),
    _decision(
        "pixel", "iou", "Intersection over union of all pixels at the deployed pixel threshold."
    ),
    _decision(
        "pixel",
        "seg_f1",
        "F1 of all pixels at one binary map an image, as the MVTec AD 2 server counts.",
    ),
    _decision(
        "region",
        "recall",
        "Share of regions of which at least one pixel is above the deployed pixel threshold.",
        "prevalence_free",
        "easy_normal_harmless",
        "regions_weigh_equal",
    ),
)

LIMITED: Mapping[str, Entry] = MappingProxyType(
    {
        "aupro": Entry(
            "region",
            "aupro",
            "Per-region overlap averaged up to a pixel false-positive rate of {percent} %.",
            _CURVE | _SPATIAL | {"regions_weigh_equal"},
            at_full=frozenset({"negation_reflects"}),  # then it is a mean of AUROCs, one a region
        ),
        "spro": Entry(
            "region",
            "spro",
            "Saturated per-region overlap of declared regions averaged up to a pixel "
            "false-positive rate of {percent} %.",
            (_CURVE | _SPATIAL | {"regions_weigh_equal"}) - {"upscale_invariant"},
            frozenset({"regions"}),
        ),
    }
)
"""Metrics whose id ends in a limit, a percentage."""
