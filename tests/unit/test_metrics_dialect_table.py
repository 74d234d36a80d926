"""Dialects are found by name, read only what they define, and say where they have no value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adharness.errors import MetricError
from adharness.metrics import DIALECTS, evaluate_pixels, find_dialect, find_metric, table
from adharness.metrics.pixel_values import QuantityReading, _limit
from adharness.metrics.quantities import QUANTITIES

MASK = np.array([[True, False, False]])
AUPRO = ["ader", "rd4ad", "mvtec_3d", "study", "binned_50"]


@pytest.mark.parametrize("name", [*DIALECTS, "binned_2", "binned_50", "binned_100000"])
def test_a_dialect_is_found_by_its_name(name: str) -> None:
    found = find_dialect(name)
    assert found.name == name
    assert (found.bins > 0) == name.startswith("binned")
    assert "{" not in found.summary


@pytest.mark.parametrize("name", ["binned_1", "binned_0", "binned_100001", "binned_050", "adder"])
def test_another_name_is_an_error_with_the_closest_one(name: str) -> None:
    with pytest.raises(MetricError, match=f"unknown dialect '{name}'") as caught:
        find_metric(f"region_aupro_30@{name}")
    assert caught.value.hint is not None
    assert ("ader" if name == "adder" else "binned_50") in caught.value.hint


def test_a_dialect_refuses_what_it_does_not_define() -> None:
    with pytest.raises(MetricError, match="the dialect 'rd4ad' has no pixel_ap") as caught:
        find_metric("pixel_ap@rd4ad")
    assert caught.value.hint == "it reads region_aupro"


def test_a_dialect_claims_no_trait_that_the_exact_metric_denies() -> None:
    for dialect in [*DIALECTS.values(), find_dialect("binned_50")]:
        for name in dialect.metrics:
            spec = find_metric(f"{name.replace('aupro', 'aupro_30')}@{dialect.name}")
            assert spec.traits <= find_metric(spec.name.split("@")[0]).traits
            assert dialect.name == spec.dialect
            assert dialect.summary in spec.summary


@pytest.mark.parametrize("dialect", AUPRO)
def test_without_a_region_or_a_normal_pixel_a_dialect_has_no_value(dialect: str) -> None:
    name = f"region_aupro_30@{dialect}"
    scores = np.array([[3.0, 1.0, 2.0]])
    for mask, reason in ((None, "no anomalous pixel"), (MASK | True, "no normal pixel")):
        found = evaluate_pixels([mask], [scores], [name])[name]
        assert math.isnan(found.value)
        assert found.reason == reason


@pytest.mark.parametrize("dialect", ["ader", "rd4ad", "study", "binned_50"])
def test_equal_scores_leave_a_grid_no_step_and_the_dialect_says_so(dialect: str) -> None:
    name = f"region_aupro_30@{dialect}"
    found = evaluate_pixels([MASK], [np.ones((1, 3))], [name])[name]
    assert found.reason == "the scores leave the dialect no step below the limit"


def test_no_score_below_the_limit_leaves_a_rescaled_axis_no_point() -> None:
    scores = np.array([[0.0, 1.0, 1.0]])  # every step flags both normal pixels
    found = evaluate_pixels([MASK], [scores], ["region_aupro_30@ader"])
    assert found["region_aupro_30@ader"].reason is not None


def test_a_negated_area_is_the_rest_to_one_at_the_limit_of_100_percent_only() -> None:
    limited = {p: find_metric(f"region_aupro_{p}").traits for p in ("30", "99", "100")}
    assert [p for p, traits in limited.items() if "negation_reflects" in traits] == ["100"]
    assert "negation_reflects" not in find_metric("region_spro_100").traits
    assert "negation_reflects" not in table.METRICS["region_aupro_30"].traits


def test_a_reading_without_brackets_has_no_value_and_a_limit_must_be_there() -> None:
    assert math.isnan(QuantityReading(QUANTITIES["auroc"], anomalous_images=False).value())
    with pytest.raises(ValueError, match="no bracket"):
        QUANTITIES["auroc"].of([])
    with pytest.raises(ValueError, match="pixel_ap has no limit"):
        _limit(find_metric("pixel_ap"))
