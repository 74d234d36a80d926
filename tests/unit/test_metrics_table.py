from __future__ import annotations

import pytest

from adharness.errors import MetricError
from adharness.metrics import (
    DIALECTS,
    METRICS,
    TRAITS,
    MetricSpec,
    find_dialect,
    find_metric,
)
from adharness.metrics.traits import applies

FAMILIES = ("region_aupro", "region_spro")
SPOKEN = [
    f"{metric}_30@{name}" if metric in FAMILIES else f"{metric}@{name}"
    for name in (*DIALECTS, "binned_2", "binned_50", "binned_100000")
    for metric in find_dialect(name).metrics
]
ALL = [find_metric(name) for name in (*METRICS, *SPOKEN)]


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_what_a_metric_claims_and_denies_is_together_what_can_be_asked_of_it(
    spec: MetricSpec,
) -> None:
    asked = {name for name in TRAITS if applies(name, spec.level, threshold=spec.at_threshold)}
    assert spec.traits | spec.denied == asked
    assert not spec.traits & spec.denied
    assert spec.traits


def test_traits_of_maps_and_of_thresholds_are_asked_of_those_that_have_them_only() -> None:
    assert applies("flip_invariant", "region", threshold=True)
    assert not applies("flip_invariant", "image", threshold=True)
    assert applies("rank_invariant", "pixel", threshold=False)
    assert not applies("rank_invariant", "pixel", threshold=True)
    assert applies("strict_threshold", "image", threshold=True)
    assert not applies("strict_threshold", "image", threshold=False)
    assert applies("permutation_invariant", "image", threshold=True)


@pytest.mark.parametrize("trait", TRAITS)
def test_every_trait_is_claimed_by_some_metric_and_can_be_missed(trait: str) -> None:
    assert any(trait in spec.traits for spec in METRICS.values())
    always = {"permutation_invariant", "batch_split_invariant", "flip_invariant"}
    always |= {"strict_threshold", "threshold_equivariant"}
    assert any(trait in spec.denied for spec in ALL) == (trait not in always)


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_the_oracle_suffix_tells_that_test_labels_choose_the_threshold(spec: MetricSpec) -> None:
    assert spec.quantity.endswith("_oracle") == ("chosen on the test" in spec.summary)
    assert not (spec.quantity.endswith("_oracle") and spec.at_threshold)


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_an_id_is_level_quantity_limit_and_dialect(spec: MetricSpec) -> None:
    limit = "" if spec.limit is None else f"_{round(spec.limit * 100):02d}"
    dialect = f"@{spec.dialect}" if spec.dialect else ""
    assert spec.name == f"{spec.level}_{spec.quantity}{limit}{dialect}"
    assert find_metric(spec.name) == spec


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_what_a_metric_needs_follows_from_what_it_counts(spec: MetricSpec) -> None:
    assert "scores" in spec.needs
    assert ("masks" in spec.needs) == (spec.level != "image")
    assert ("regions" in spec.needs) == (spec.quantity == "spro")
    assert spec.at_threshold == ("deployed" in spec.summary or spec.quantity == "seg_f1")


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        METRICS["image_auroc"] = METRICS["image_ap"]  # type: ignore[index]
    with pytest.raises(TypeError):
        DIALECTS["ader"] = DIALECTS["study"]  # type: ignore[index]


IMAGE_RANKING = ["auroc", "ap", "auroc_fpr10", "fpr_at_95_tpr"]
IMAGE_RANKING += ["f1_oracle", "accuracy_oracle", "cost_oracle"]
IMAGE_DECISION = ["f1", "accuracy", "balanced_accuracy", "precision", "recall", "fpr", "cost"]
PIXEL_RANKING = ["auroc", "auroc_anomalous", "ap", "f1_oracle", "iou_oracle", "aupimo"]
PIXEL_DECISION = ["f1", "iou", "seg_f1"]
REGION = ["recall", "aupro_30", "aupro_05", "spro_05"]


def test_the_promised_ids_exist_in_the_order_of_the_docs_and_no_other() -> None:
    expected = [f"image_{name}" for name in IMAGE_RANKING + IMAGE_DECISION]
    expected += [f"pixel_{name}" for name in PIXEL_RANKING + PIXEL_DECISION]
    expected += [f"region_{name}" for name in REGION]
    assert list(METRICS) == expected


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("percent", range(1, 101))
def test_every_percentage_is_a_limit(family: str, percent: int) -> None:
    spec = find_metric(f"{family}_{percent:02d}")
    assert (spec.name, spec.level) == (f"{family}_{percent:02d}", "region")
    assert spec.limit == percent / 100
    assert f" {percent} %" in spec.summary
    full = {"negation_reflects"} if (family, percent) == ("region_aupro", 100) else set()
    assert spec.traits == METRICS[f"{family}_05"].traits | full


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("suffix", ["5", "00", "000", "101", "030", "-5", "30 ", "x", "", "0.5"])
def test_a_limit_that_is_no_percentage_is_refused(family: str, suffix: str) -> None:
    with pytest.raises(MetricError, match="unknown metric") as caught:
        find_metric(f"{family}_{suffix}")
    assert caught.value.hint is not None
    assert caught.value.hint.endswith(f"01 to 100: {family}_05")


def test_an_unknown_id_is_answered_with_the_closest_one() -> None:
    with pytest.raises(MetricError, match="unknown metric 'image_aurok'") as caught:
        find_metric("image_aurok")
    assert caught.value.hint == "did you mean 'image_auroc'?"


def test_false_positive_rates_and_costs_are_better_when_lower_and_no_other() -> None:
    lower = [spec.name for spec in METRICS.values() if spec.direction == "lower"]
    assert lower == ["image_fpr_at_95_tpr", "image_cost_oracle", "image_fpr", "image_cost"]
    assert METRICS["image_fpr"].best == 0.0
    assert METRICS["image_f1"].best == 1.0


@pytest.mark.parametrize("name", SPOKEN)
def test_a_dialect_says_who_speaks_it_and_promises_no_more_than_the_exact_metric(
    name: str,
) -> None:
    spec, exact = find_metric(name), find_metric(name.partition("@")[0])
    assert spec.dialect == name.partition("@")[2]
    assert spec.traits < exact.traits
    assert (spec.limit, spec.needs, spec.direction) == (exact.limit, exact.needs, exact.direction)
    assert spec.summary.startswith(f"{exact.summary} As ")
    assert " print" in spec.summary.removeprefix(exact.summary)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("adre", "did you mean 'ader'?"),
        ("rd4da", "did you mean 'rd4ad'?"),
        ("binned", "did you mean 'binned_50'?"),
        ("", "the dialects are: ader, rd4ad, mvtec_3d, study, trapezoid, binned_50"),
    ],
)
def test_an_unknown_dialect_is_answered_with_the_closest_one(name: str, hint: str) -> None:
    with pytest.raises(MetricError, match=f"unknown dialect '{name}'") as caught:
        find_metric(f"region_aupro_30@{name}")
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("pixel_auroc@ader", "region_aupro, pixel_f1_oracle, pixel_iou_oracle"),
        ("image_f1_oracle@ader", "region_aupro, pixel_f1_oracle, pixel_iou_oracle"),
        ("region_spro_05@rd4ad", "region_aupro"),
        ("region_aupro_30@trapezoid", "image_ap, pixel_ap"),
        ("image_ap@binned_50", "region_aupro, pixel_ap"),
    ],
)
def test_a_dialect_that_does_not_read_the_metric_says_what_it_reads(name: str, reads: str) -> None:
    with pytest.raises(MetricError, match=f"has no {name.partition('@')[0]}") as caught:
        find_metric(name)
    assert caught.value.hint == f"it reads {reads}"


def test_the_metric_of_a_dialect_must_exist_too() -> None:
    with pytest.raises(MetricError, match="unknown metric 'region_aupro_5'"):
        find_metric("region_aupro_5@ader")
    with pytest.raises(MetricError, match="unknown dialect 'ader@ader'"):
        find_metric("region_aupro_05@ader@ader")


@pytest.mark.parametrize("bins", [2, 50, 100_000])
def test_a_binned_dialect_exists_for_every_sensible_number_of_bins(bins: int) -> None:
    dialect = find_dialect(f"binned_{bins}")
    assert (dialect.name, dialect.bins) == (f"binned_{bins}", bins)
    assert f" {bins} " in dialect.summary


@pytest.mark.parametrize("bins", ["0", "1", "100001", "999999", "050", "-5", "5.0", "", "x"])
def test_a_number_of_bins_that_makes_no_sense_is_no_dialect(bins: str) -> None:
    with pytest.raises(MetricError, match="unknown dialect"):
        find_dialect(f"binned_{bins}")
