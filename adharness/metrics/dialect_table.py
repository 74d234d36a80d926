"""Dialects by name: whose code reads which metric how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from adharness.errors import MetricError
from adharness.suggest import closest

_SAME_SET = frozenset(
    {
        "permutation_invariant",
        "duplication_invariant",
        "batch_split_invariant",
        "flip_invariant",
        "upscale_invariant",
    }
)
_SAME_RATES = _SAME_SET | {"prevalence_free", "regions_weigh_equal"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How some other code reads metrics that carry the same names as ours.

    Parameters
    ----------
    name
        What stands behind the `@` of an id.
    metrics
        The metrics it reads in its own way, as `level_quantity`.
    summary
        What is different, to follow the word `As`.
    traits
        Those that survive the reading, if the exact metric has them; all others are denied.
    bins
        The number of bins of a binned dialect; 0 for others.
    """

    name: str
    metrics: tuple[str, ...]
    summary: str
    traits: frozenset[str]
    bins: int = 0

    def defines(self, metric: str) -> bool:
        """Whether it reads this metric, given as `level_quantity`."""
        return metric in self.metrics


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            Dialect(
                "ader",
                ("region_aupro", "pixel_f1_oracle", "pixel_iou_oracle"),
                "ADer prints it: 100 equal score steps and a rescaled false-positive rate for "
                "AUPRO, 21 steps for F1 and IoU.",
                _SAME_RATES,
            ),
            Dialect(
                "rd4ad",
                ("region_aupro",),
                "RD4AD and Dinomaly print it: 200 equal score steps, and the false-positive rate "
                "rescaled by the largest one below the limit.",
                _SAME_RATES,
            ),
            Dialect(
                "mvtec_3d",
                ("region_aupro",),
                "MVTec 3D-AD prints it: 100 thresholds at equal ranks of the normal pixels.",
                frozenset(
                    {
                        "permutation_invariant",
                        "batch_split_invariant",
                        "flip_invariant",
                        "rank_invariant",
                        "best_at_perfect",
                        "monotone",
                        "monotone_without_ties",
                        "regions_weigh_equal",
                    }
                ),
            ),
            Dialect(
                "study",
                ("region_aupro",),
                "the per-class against unified study prints it: anomalous images only, "
                "4-connected regions, 200 equal score steps, no interpolation at the limit.",
                _SAME_RATES | {"easy_normal_harmless"},
            ),
            Dialect(
                "trapezoid",
                ("image_ap", "pixel_ap"),
                "anomalib's AUPR prints it: straight lines between the points of the "
                "precision-recall curve.",
                _SAME_SET
                | {
                    "rank_invariant",
                    "best_at_perfect",
                    "monotone_without_ties",
                    "easy_normal_harmless",
                },
            ),
        )
    }
)
"""The dialects with a fixed name; `binned_<N>` exists for every N from 2 to 100000."""

_BINNED = Dialect(
    "binned",
    ("region_aupro", "pixel_ap"),
    "tools with {bins} equal score bins print it (adeval; ADer calls it with 50).",
    _SAME_RATES,
)
_BINNED_NAME = re.compile(r"binned_(?P<bins>[1-9]\d{0,5})")


def find_dialect(name: str) -> Dialect:
    """Return the dialect of this name.

    Raises
    ------
    MetricError
        If there is none; the hint names the closest one.
    """
    if name in DIALECTS:
        return DIALECTS[name]
    match = _BINNED_NAME.fullmatch(name)
    if match and 2 <= int(match["bins"]) <= 100_000:
        bins = int(match["bins"])
        return replace(_BINNED, name=name, summary=_BINNED.summary.format(bins=bins), bins=bins)
    hint = closest(name, [*DIALECTS, "binned_50"], otherwise="the dialects are")
    raise MetricError(f"unknown dialect '{name}'", hint=hint)
