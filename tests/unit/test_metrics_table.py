from __future__ import annotations

import re
from pathlib import Path

import pytest

from adharness.errors import MetricError
from adharness.metrics import METRICS, TRAITS, MetricSpec, find_metric, pro_limit

ROOT = Path(__file__).parents[2]
PROPERTIES = ROOT / "tests" / "properties"


@pytest.mark.parametrize("spec", METRICS.values(), ids=lambda spec: spec.name)
def test_every_metric_claims_known_traits_only(spec: MetricSpec) -> None:
    assert spec.traits
    assert spec.traits <= set(TRAITS)


@pytest.mark.parametrize("spec", METRICS.values(), ids=lambda spec: spec.name)
def test_the_oracle_suffix_tells_that_test_labels_choose_the_threshold(spec: MetricSpec) -> None:
    assert spec.name.endswith("_oracle") == ("chosen on the test" in spec.summary)


@pytest.mark.parametrize("trait", TRAITS)
def test_every_trait_is_claimed_by_some_metric(trait: str) -> None:
    assert any(trait in spec.traits for spec in METRICS.values())


@pytest.mark.parametrize("trait", TRAITS)
def test_every_trait_has_a_property_test_for_each_level_that_claims_it(trait: str) -> None:
    levels = {spec.level for spec in METRICS.values() if trait in spec.traits}
    for file, covers in (("images", {"image"}), ("pixels", {"pixel", "region"})):
        source = (PROPERTIES / f"test_metrics_traits_of_{file}.py").read_text("utf-8")
        assert (f'claiming("{trait}")' in source) == bool(levels & covers)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        METRICS["image_auroc"] = METRICS["image_ap"]  # type: ignore[index]


def test_the_ids_of_the_first_board_exist() -> None:
    ranking = {"auroc", "ap", "f1_oracle"}
    decision = {"f1", "accuracy", "balanced_accuracy", "precision", "recall", "fpr"}
    expected = {f"image_{name}" for name in ranking | decision}
    expected |= {f"pixel_{name}" for name in ranking} | {"region_aupro_30", "region_aupro_05"}
    assert set(METRICS) == expected


@pytest.mark.parametrize(("name", "limit"), [("01", 0.01), ("05", 0.05), ("30", 0.3), ("100", 1.0)])
def test_every_percentage_is_a_limit_of_the_per_region_overlap(name: str, limit: float) -> None:
    spec = find_metric(f"region_aupro_{name}")
    assert (spec.name, spec.level) == (f"region_aupro_{name}", "region")
    assert pro_limit(spec.name) == limit
    assert spec.traits == METRICS["region_aupro_30"].traits


@pytest.mark.parametrize("suffix", ["5", "00", "000", "101", "030", "-5", "30 ", "x", ""])
def test_a_limit_that_is_no_percentage_is_refused(suffix: str) -> None:
    with pytest.raises(MetricError, match="unknown metric") as caught:
        find_metric(f"region_aupro_{suffix}")
    assert caught.value.hint is not None
    assert "region_aupro_05" in caught.value.hint


def test_an_unknown_id_is_answered_with_the_closest_one() -> None:
    with pytest.raises(MetricError, match="unknown metric 'image_aurok'") as caught:
        find_metric("image_aurok")
    assert caught.value.hint == "did you mean 'image_auroc'?"


def test_only_the_false_positive_rate_is_better_when_lower() -> None:
    lower = [spec.name for spec in METRICS.values() if spec.direction == "lower"]
    assert lower == ["image_fpr"]
    assert METRICS["image_fpr"].best == 0.0
    assert METRICS["image_f1"].best == 1.0


def _sections() -> dict[str, str]:
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    parts = re.split(r"^### `([a-z0-9_]+)`$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_of_metrics_has_a_section_for_each_id_and_no_other() -> None:
    assert list(_sections()) == list(METRICS)


@pytest.mark.parametrize("spec", METRICS.values(), ids=lambda spec: spec.name)
def test_the_section_of_a_metric_states_everything(spec: MetricSpec) -> None:
    section = _sections()[spec.name]
    for part in ("Formula", "Ties", "Undefined", "Source", "Traits", "What it is not"):
        assert f"**{part}.**" in section
    line = section.split("**Traits.**")[1].split("\n- ")[0]
    assert set(re.findall(r"`(\w+)`", line)) == spec.traits


def test_the_page_of_metrics_explains_each_trait_in_the_words_of_the_table() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    for trait, meaning in TRAITS.items():
        assert f"| `{trait}` | {meaning} |" in text
