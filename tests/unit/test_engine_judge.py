"""The survey, the judge, and when a ranking may be shared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from adharness.contracts import ContentHash, ImageContext, Sample
from adharness.data.splits import Split
from adharness.engine.draws import draw_test_images
from adharness.engine.family import Family, Part
from adharness.engine.gather import Gathered
from adharness.engine.judge import MACRO, POOLED, Kind, Referee, Table
from adharness.engine.measured import Measured, replicate_arrays
from adharness.engine.protocols import Normalized
from adharness.engine.rank import Rankings, _shared
from adharness.engine.scored_maps import ScoredMaps
from adharness.engine.survey import Survey
from adharness.engine.truth import PackedMask, Truth
from adharness.metrics import MetricValue
from adharness.statistics import Drawn
from adharness.store.records import Failure
from adharness.suite.schema import StatisticsSettings


def survey(labels: dict[str, list[int]], mask: str | None = "m") -> Survey:
    """Every image is a test image; the position is also its hash."""
    samples = [
        Sample(f"{name}/{i}", name, "test", label)
        for name, of_class in labels.items()
        for i, label in enumerate(of_class)
    ]
    hashes = tuple(ContentHash(s.path, mask if s.label else None) for s in samples)
    split = Split((), (), tuple(range(len(samples))))
    bound: Any = SimpleNamespace(name="toys")
    dataset: Any = None
    return Survey(bound, dataset, tuple(samples), hashes, split, tuple(labels))


def referee(made: Survey, bootstrap: int = 0) -> Referee:
    settings = StatisticsSettings(bootstrap=bootstrap)
    metrics = ["image_auroc", "image_recall", "pixel_auroc"]
    return Referee(made, Truth({}, {}, {}), metrics, settings)


ORDER: frozenset[Kind] = frozenset({"order"})


def ranked(judge: Referee, made: Survey, scores: np.ndarray) -> Table:
    positions = np.arange(len(made.samples))
    return {
        row: judge.ranking(row, positions[chosen], scores[chosen], None, ORDER)
        for row, chosen in judge.rows_of(positions).items()
    }


TWO = {"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]}
GOOD = np.array([0.0, 1.0, 2.0, 3.0, 10.0, 12.0, 13.0, 14.0])


def rows(labels: dict[str, list[int]], scores: np.ndarray, **failed: Failure) -> dict[str, Any]:
    made = survey(labels)
    judge = referee(made)
    return {r.class_name: r for r in judge.rows(ranked(judge, made, scores), failed)}


def test_macro_is_the_mean_of_the_classes_and_pooled_ranks_all_images():
    found = {name: row.metrics["image_auroc"].value for name, row in rows(TWO, GOOD).items()}
    assert found == {"a": 1.0, "b": 0.75, MACRO: 0.875, POOLED: pytest.approx(11 / 16)}


def test_a_class_without_anomalies_makes_macro_undefined_and_is_named():
    found = rows({"a": [0, 0, 1, 1], "b": [0, 0, 0, 0]}, GOOD)
    assert found[MACRO].metrics["image_auroc"].value is None
    assert found[MACRO].metrics["image_auroc"].reason == "undefined in b: no anomalous image"
    assert found[POOLED].metrics["image_auroc"].value is not None


def test_a_failed_class_fails_macro_and_pooled():
    failure = Failure(stage="judge", type="E", message="the wheel came off")
    found = rows(TWO, GOOD, b=failure)
    assert {n: r.status for n, r in found.items()} == {
        "a": "ok", "b": "failed", MACRO: "failed", POOLED: "failed",
    }  # fmt: skip
    assert found[MACRO].failure.message == "1 of 2 classes failed: b"
    assert found[MACRO].metrics == {}


def test_a_class_whose_test_images_are_all_gone_fails_macro_and_pooled():
    made = survey(TWO).without([4, 5, 6, 7])
    judge = referee(made, bootstrap=5)
    positions = made.portion("test")
    table = {"a": judge.ranking("a", positions, GOOD[:4], None, ORDER)}
    found = {r.class_name: r for r in judge.rows(table, {})}
    assert found["b"].failure.message == "the class has no test image left"
    assert found[POOLED].status == "failed"


def test_without_bootstrap_there_is_no_interval_and_with_it_the_draws_are_paired():
    made = survey(TWO)
    bare = ranked(referee(made), made, GOOD)["a"]["image_auroc"]
    assert bare.drawn is None
    assert bare.record(StatisticsSettings()).low is None
    judge = referee(made, bootstrap=50)
    first, again = (ranked(judge, made, scores) for scores in (GOOD, np.exp(GOOD / 9)))
    other = ranked(referee(made, bootstrap=50), made, GOOD)
    for row, metrics in first.items():
        drawn = metrics["image_auroc"].drawn.replicates
        np.testing.assert_array_equal(drawn, again[row]["image_auroc"].drawn.replicates)
        np.testing.assert_array_equal(drawn, other[row]["image_auroc"].drawn.replicates)


def test_pixels_are_drawn_as_their_images_are():
    """Images of one pixel: image AUROC and pixel AUROC are the same number in every draw."""
    made = survey(TWO)
    masks = {i: PackedMask.of(np.ones((1, 1), bool)) for i in (2, 3, 5, 7)}
    settings = StatisticsSettings(bootstrap=40)
    judge = Referee(made, Truth(masks, {}, {}), ["image_auroc", "pixel_auroc"], settings)
    raw: Any = SimpleNamespace(read=lambda i: GOOD[i].reshape(1, 1).astype(np.float32))
    for row, chosen in judge.rows_of(np.arange(8)).items():
        found = judge.ranking(row, chosen, GOOD[chosen], ScoredMaps(raw, chosen), ORDER)
        drawn = [found[metric].drawn.replicates for metric in ("image_auroc", "pixel_auroc")]
        np.testing.assert_allclose(*drawn, atol=1e-12)
    assert len(np.unique(drawn[0])) > 3


def test_replicates_are_stored_by_row_and_metric_with_gaps_where_there_are_none():
    value = MetricValue(0.5)
    table = {
        "a": {"pixel_ap": Measured(value, drawn([0.1, 0.2], [0.3])), "image_ap": Measured(value)},
        "b": {"region_aupro_30": Measured(value, drawn([0.3, np.nan], [0.5, -0.5]))},
    }
    arrays = replicate_arrays(table)
    assert arrays["scopes"].tolist() == ["a", "b"]
    assert arrays["metrics"].tolist() == ["pixel_ap", "region_aupro_30"]
    assert arrays["values"].dtype == np.float32
    assert np.isnan(arrays["values"]).tolist() == [[[0, 0], [1, 1]], [[1, 1], [0, 1]]]
    assert arrays["influences"].tolist() == [
        [[pytest.approx(0.3), 0], [0, 0]],
        [[0, 0], [0.5, -0.5]],
    ]
    assert arrays["strata"].tolist() == [[7, 0], [7, 7]]
    assert replicate_arrays({"a": {"image_ap": Measured(value, drawn([1, 1], []))}}) == {}


def drawn(replicates: list[float], influence: list[float]) -> Drawn:
    return Drawn(0.5, np.array(replicates), np.array(influence), np.full(len(influence), 7))


def test_views_of_one_object_are_drawn_together_within_their_class():
    made = survey(TWO)
    views = tuple(replace(s, group="same") if s.path in {"a/0", "a/2", "b/0"} else s
                  for s in made.samples)  # fmt: skip
    grouped = replace(made, samples=views)
    drawn = draw_test_images(grouped, 40)
    assert set(drawn) == {"a", "b", POOLED}
    weights = drawn["a"].weights
    assert (weights[:, 0] == weights[:, 2]).all()
    assert not (weights[:, 0] == weights[:, 1]).all()
    pooled = drawn[POOLED].weights
    assert (pooled[:40, :4] == weights[:40]).all()
    assert (pooled[:, 0] == pooled[:, 2]).all()
    assert not (pooled[:, 0] == pooled[:, 4]).all()  # one name in two classes is two objects
    assert referee(grouped, 40).draws != referee(made, 40).draws
    assert len(drawn["a"].left_strata) == 3


def test_a_suite_may_draw_classes_too_and_cut_equal_tails():
    made = survey({name: [0, 1] * 12 for name in "abc"})
    scores = np.random.default_rng(0).normal(size=72) + np.resize([0.0, 1.0], 72)
    fixed, drawn, plain = (
        StatisticsSettings(bootstrap=200, **told)
        for told in ({}, {"macro": "hierarchical"}, {"interval": "percentile"})
    )
    ends = []
    for how in (fixed, drawn, plain):
        judge = Referee(made, Truth({}, {}, {}), ["image_auroc"], how)
        found = {r.class_name: r for r in judge.rows(ranked(judge, made, scores), {})}
        ends.append({row: (v.low, v.high) for row, r in found.items()
                     for v in r.metrics.values()})  # fmt: skip
    assert ends[0]["b"] == ends[1]["b"] != ends[2]["b"]
    assert ends[0][MACRO] != ends[1][MACRO]
    assert ends[0][POOLED] == ends[1][POOLED]


def test_other_images_labels_or_draws_are_other_draws():
    def draws_of(labels: dict[str, list[int]], bootstrap: int = 5) -> str:
        return referee(survey(labels), bootstrap).draws

    others = [draws_of({"a": TWO["a"]}), draws_of({**TWO, "b": [1, 0, 0, 1]}), draws_of(TWO, 6)]
    assert draws_of(TWO) == draws_of(TWO)
    assert draws_of(TWO) not in others
    assert referee(survey(TWO).without([1]), 5).draws != draws_of(TWO)


def test_decisions_are_taken_at_each_images_own_threshold():
    made = survey(TWO)
    thresholds = np.array([1.5] * 4 + [13.5] * 4)
    table = referee(made).decisions(np.arange(8), GOOD, thresholds)
    assert {r: m["image_recall"].value.value for r, m in table.items()} == {
        "a": 1.0, "b": 0.5, POOLED: 0.75,
    }  # fmt: skip


def test_a_scorer_without_maps_and_a_set_without_masks_have_no_pixel_metric():
    reason = rows(TWO, GOOD)["a"].metrics["pixel_auroc"].reason
    assert reason == "the scorer gives image scores only, no map"


# --- sharing --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shift:
    by: float

    def apply(self, values: np.ndarray, context: ImageContext) -> np.ndarray:
        return values + self.by


@dataclass(frozen=True)
class Tabled(Shift):
    table: dict[str, float] = field(default_factory=dict)


def test_transforms_are_shared_only_if_all_are_equal_and_hashable():
    assert _shared([Shift(1), Shift(1)]) == _shared([Shift(1)])
    assert _shared([Shift(1), Shift(2)]) != _shared([Shift(1), Shift(2)])
    assert _shared([Tabled(1)]) != _shared([Tabled(1)])


def family(made: Survey, raw: np.ndarray, fitted: Any, classes: list[str] | None = None) -> Family:
    test = np.arange(len(raw))
    context = ImageContext(classes)
    values = np.array([fitted.apply(raw[i : i + 1], context)[0] for i in range(len(raw))])
    part = Part(
        None, test, test[:0], Normalized(raw[:0], test[:0], values, fitted), context, context
    )
    group: Any = SimpleNamespace(survey=made)
    return Family(group, gathered(raw), [part], {})


def gathered(raw: np.ndarray) -> Gathered:
    return Gathered(np.arange(len(raw)), raw, None, None, {}, None)


class Counting(Referee):
    calls = 0

    def ranking(self, *given: Any) -> Any:
        self.calls += 1
        return super().ranking(*given)


def counting(made: Survey) -> Counting:
    return Counting(made, Truth({}, {}, {}), ["image_auroc"], StatisticsSettings(bootstrap=0))


@pytest.mark.parametrize(("second", "calls"), [
    (Shift(1.0), 3), (Shift(2.0), 6), (Tabled(1.0), 6),
])  # fmt: skip
def test_a_ranking_is_measured_again_unless_the_transform_is_equal(second, calls):
    made = survey(TWO)
    judge = counting(made)
    rankings = Rankings(judge, gathered(GOOD))
    for fitted in (Shift(1.0), second):
        rankings.table(family(made, GOOD, fitted), keeps_class_order=False)
    assert judge.calls == calls


def test_a_transform_that_is_shown_the_class_shares_nothing_with_one_that_is_not():
    made = survey(TWO)
    judge = counting(made)
    rankings = Rankings(judge, gathered(GOOD))
    for classes in (None, ["a"] * 4 + ["b"] * 4):
        rankings.table(family(made, GOOD, Shift(1.0), classes), keeps_class_order=False)
    assert judge.calls == 6


def test_order_kept_within_classes_gives_the_same_values_from_raw_scores():
    made = survey(TWO)
    tables = [
        Rankings(referee(made), gathered(GOOD)).table(
            family(made, GOOD, Shift(5.0)), keeps_class_order=kept
        )
        for kept in (True, False)
    ]
    values = [{r: m["image_auroc"].value for r, m in table.items()} for table in tables]
    assert values[0] == values[1]


# --- the survey -----------------------------------------------------------------------------


def changed(made: Survey, i: int, **changes: Any) -> Survey:
    samples = list(made.samples)
    samples[i] = replace(samples[i], **changes)
    return replace(made, samples=tuple(samples))


def hashed(made: Survey, i: int, content: ContentHash) -> Survey:
    hashes = list(made.hashes)
    hashes[i] = content
    return replace(made, hashes=tuple(hashes))


EVERY = np.arange(8)


@pytest.mark.parametrize("tamper", [
    lambda s: changed(s, 2, label=0),
    lambda s: changed(s, 2, class_name="b"),
    lambda s: hashed(s, 2, ContentHash("a/2", "another mask")),
])  # fmt: skip
def test_labels_classes_and_masks_change_the_truth_but_not_the_pixels(tamper):
    made = survey(TWO)
    assert tamper(made).pixels(EVERY) == made.pixels(EVERY)
    assert tamper(made).truth(EVERY) != made.truth(EVERY)


def test_an_image_or_its_name_changes_both_digests():
    made = survey(TWO)
    for other in (hashed(made, 2, ContentHash("x", "m")), changed(made, 2, path="x")):
        assert other.pixels(EVERY) != made.pixels(EVERY)
        assert other.truth(EVERY) != made.truth(EVERY)
    assert made.pixels(EVERY[::-1]) != made.pixels(EVERY)


def test_images_taken_out_keep_the_positions_of_the_others():
    made = survey(TWO).without([1, 6])
    assert made.portion("test").tolist() == [0, 2, 3, 4, 5, 7]
    assert made.portion("test", "b").tolist() == [4, 5, 7]
    assert len(made.samples) == 8
