"""The deployed pixel threshold, and what is measured there."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from adharness.contracts import DeclaredRegions, ImageContext, Sample
from adharness.data.splits import Split
from adharness.engine.family import Family, Part
from adharness.engine.gather import Gathered
from adharness.engine.judge import POOLED, Referee
from adharness.engine.pixel_threshold import pixel_threshold
from adharness.engine.protocols import Normalized
from adharness.engine.rank import Rankings
from adharness.engine.survey import Survey
from adharness.engine.truth import PackedMask, PackedRegions, Truth, _pack_regions, union_of
from adharness.errors import DataError
from adharness.metrics import evaluate_pixels
from adharness.statistics import judge_pixels
from adharness.store.records import CellRecord, Value
from adharness.suite.schema import StatisticsSettings

RNG = np.random.default_rng(7)
SIDE = 6


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_it_is_the_mean_and_three_deviations_of_all_pixels_together(offset):
    maps = [RNG.normal(offset, 1.0, size).astype(np.float32) for size in [(3, 4), (7, 5), (1, 1)]]
    pixels = np.concatenate([one.ravel() for one in maps]).astype(np.float64)
    found = pixel_threshold(iter(maps))
    assert found is not None
    assert found.value == pytest.approx(pixels.mean() + 3 * pixels.std(), rel=1e-12)
    assert (found.normals, found.anomalies) == (3, 0)


def test_equal_pixels_give_their_own_value_and_no_map_gives_no_threshold():
    found = pixel_threshold([np.full((2, 2), 0.5, np.float32)] * 3)
    assert found is not None
    assert found.value == 0.5
    assert pixel_threshold([]) is None


# --- in a family ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Stretch:
    """Not affine: the mean and the deviation do not travel with the order."""

    by: float = 2.0

    def apply(self, values: np.ndarray, context: ImageContext) -> np.ndarray:
        return np.exp(self.by * values)


class Maps:
    """Raw maps by row, counting those that are read."""

    def __init__(self, drawn: list[np.ndarray]) -> None:
        self.drawn, self.asked = drawn, set()

    def read(self, row: int) -> np.ndarray:
        self.asked.add(row)
        return self.drawn[row]


def world(test: list[int], *, masks: bool = True, maps: bool = True) -> tuple[Survey, Family, Any]:
    """Rows 0-2 are held-out normals, 3 a held-out anomaly, 4 on are test: odd rows anomalous."""
    drawn = [np.random.default_rng(i).random((SIDE, SIDE)).astype(np.float32) for i in range(8)]
    label = [0, 0, 0, 1, 0, 1, 0, 1]
    samples = [
        Sample(f"a/{i}", "a", "test", one, has_mask=bool(one)) for i, one in enumerate(label)
    ]
    split = Split((), (0, 1, 2, 3), tuple(test))
    bound: Any = SimpleNamespace(name="toys")
    dataset: Any = None
    made = Survey(bound, dataset, tuple(samples), (), split, ("a",))
    raw = np.array([float(one.max()) for one in drawn])
    reader: Any = Maps(drawn) if maps else None
    gathered = Gathered(np.arange(8), raw, None, reader, {}, None)
    rows, context = np.array(test), ImageContext()
    normalized = Normalized(raw[:4], np.array(label[:4]), np.exp(2 * raw[rows]), Stretch())
    part = Part(None, rows, np.arange(4), normalized, context, context)
    group: Any = SimpleNamespace(survey=made)
    return made, Family(group, gathered, [part], {}), reader


def table(test: list[int], metrics: list[str], *, masks: bool = True, maps: bool = True) -> Any:
    made, family, _ = world(test, maps=maps)
    marked = np.zeros((SIDE, SIDE), bool)
    marked[1:3, 1:4] = True
    packed = {i: PackedMask.of(marked) for i in test if i % 2} if masks else {}
    judge = Referee(made, Truth(packed, {}, {}), metrics, StatisticsSettings(bootstrap=0))
    return Rankings(judge, family.gathered).table(family, keeps_class_order=True)


def test_it_is_fitted_on_the_normalizers_scale_to_held_out_normals_alone():
    _, family, maps = world([4, 5, 6, 7])
    ((part, found),) = family.pixel_thresholds
    pixels = np.exp(2 * np.stack(maps.drawn[:3]).astype(np.float64)).astype(np.float32)
    wide = pixels.astype(np.float64)
    assert part.class_name is None
    assert found.value == pytest.approx(wide.mean() + 3 * wide.std(), rel=1e-12)
    assert maps.asked == {0, 1, 2}


@pytest.mark.parametrize("test", [[7, 6, 5, 4], [4, 7]])
def test_permuted_or_dropped_test_images_leave_it_byte_identical(test):
    values = [world(each)[1].pixel_thresholds[0][1].value for each in ([4, 5, 6, 7], test)]
    assert np.float64(values[0]).tobytes() == np.float64(values[1]).tobytes()


def test_pixels_are_decided_on_the_normalized_maps_even_where_raw_ones_rank():
    found = table([4, 5, 6, 7], ["pixel_iou", "pixel_auroc"])
    _, family, maps = world([4, 5, 6, 7])
    threshold = family.pixel_thresholds[0][1].value
    flagged = np.stack([np.exp(2 * maps.drawn[i].astype(float)) for i in (4, 5, 6, 7)]) > threshold
    marked = np.zeros_like(flagged)
    marked[[1, 3], 1:3, 1:4] = True
    expected = (flagged & marked).sum() / (flagged | marked).sum()
    for row in ("a", POOLED):
        assert found[row]["pixel_iou"].value.value == expected
        assert 0 < found[row]["pixel_auroc"].value.value < 1


@pytest.mark.parametrize(
    ("world_", "reason"),
    [
        ({"maps": False}, "the scorer gives image scores only, no map"),
        ({"masks": False}, "the data set has no masks"),
    ],
)
def test_without_maps_or_masks_there_is_a_reason(world_, reason):
    value = table([4, 5, 6, 7], ["pixel_f1"], **world_)["a"]["pixel_f1"].value
    assert np.isnan(value.value)
    assert value.reason == reason


def test_without_a_held_out_normal_there_is_a_reason():
    made, family, _ = world([4, 5])
    marked = {5: PackedMask.of(np.eye(SIDE, dtype=bool))}
    judge = Referee(made, Truth(marked, {}, {}), ["pixel_f1"], StatisticsSettings(bootstrap=0))
    family.parts[0].normalized.calibration_labels[:] = 1
    value = Rankings(judge, family.gathered).table(family, keeps_class_order=False)["a"]["pixel_f1"]
    assert value.value.reason == "no held-out normal image fits the pixel threshold"


# --- numbers of single images ---------------------------------------------------------------


def test_the_number_stays_the_mean_and_the_quartiles_are_of_the_defined_images():
    measured = table([4, 5, 6, 7], ["pixel_aupimo"])["a"]["pixel_aupimo"]
    own = [one for one in measured.value.per_image if one is not None]
    stored = measured.record(0.95)
    assert len(own) == 2
    assert stored.value == pytest.approx(np.mean(own))
    assert list(stored.spread.model_dump().values()) == pytest.approx(
        np.quantile(own, [0, 0.25, 0.5, 0.75, 1]).tolist()
    )


def test_a_record_from_before_there_were_quartiles_still_loads():
    assert (
        TypeAdapter(Value).validate_python({"value": 0.5, "low": 0.4, "high": 0.6}).spread is None
    )
    assert not CellRecord.model_fields["pixel_thresholds"].is_required()


# --- declared regions -----------------------------------------------------------------------


def regions(*saturations: Any) -> DeclaredRegions:
    first, second = np.zeros((2, 3, 4), bool)
    first[0, :3], second[:, 2] = True, True
    return DeclaredRegions([first, second], saturations)


def test_declared_regions_survive_packing_and_their_union_is_the_mask():
    back = PackedRegions.of(regions(2, 3)).unpack()
    for one, other in zip(back.masks, regions(2, 3).masks, strict=True):
        np.testing.assert_array_equal(one, other)
    assert tuple(back.saturations_px) == (2, 3)
    assert union_of(back, "x").sum() == 5


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (regions(0, 3), r"\[0, 3\]"),
        (regions(2, 4), r"\[2, 4\]"),
        (regions(2), r"\[2\]"),
        (regions(2, 1.5), r"\[2, 1.5\]"),
    ],
)
def test_a_saturation_outside_of_its_region_names_the_image(broken, told):
    with pytest.raises(
        DataError, match=rf"a/1.png declares regions of \[3, 3\] px that saturate at {told} px"
    ):
        _pack_regions(broken, "a/1.png")


@pytest.mark.parametrize(
    ("masks", "told"),
    [([], "but names none"), ([np.ones((2, 2), bool), np.ones((2, 3), bool)], "of 2 sizes")],
)
def test_regions_without_one_size_name_the_image(masks, told):
    with pytest.raises(DataError, match=f"a/1.png declares regions {told}"):
        union_of(DeclaredRegions(masks, [1] * len(masks)), "a/1.png")


def test_masks_are_unpacked_one_at_a_time_as_they_are_read():
    made = Truth({3: PackedMask.of(np.eye(2, dtype=bool))}, {}, {}).of(np.array([2, 3]))
    assert len(made) == 2
    assert made[0] is None
    np.testing.assert_array_equal(made[1], np.eye(2, dtype=bool))
    assert made[1] is not made[1]


def test_pixels_beyond_the_memory_are_sorted_where_the_run_says(monkeypatch, tmp_path):
    asked = []

    def watched(*given: Any, **settings: Any) -> Any:
        asked.append(settings["spill_to"])
        return judge_pixels(*given, **settings)

    monkeypatch.setattr("adharness.engine.judge.judge_pixels", watched)
    made, family, _ = world([4, 5, 6, 7])
    packed = {5: PackedMask.of(np.eye(SIDE, dtype=bool)), 7: PackedMask.of(np.eye(SIDE) > 0)}
    settings = StatisticsSettings(bootstrap=0)
    judge = Referee(made, Truth(packed, {}, {}), ["pixel_ap", "pixel_f1"], settings, tmp_path)
    Rankings(judge, family.gathered).table(family, keeps_class_order=False)
    assert asked == [tmp_path] * 4  # the ranking and the decisions, of the class and pooled


# --- dialects -------------------------------------------------------------------------------


def test_a_dialect_reads_the_normalized_scale_also_where_the_order_is_kept():
    names = ["region_aupro_30", "region_aupro_30@ader"]
    found = table([4, 5, 6, 7], names)["a"]
    drawn = [np.random.default_rng(i).random((SIDE, SIDE)).astype(np.float32) for i in range(8)]
    marked = np.zeros((SIDE, SIDE), bool)
    marked[1:3, 1:4] = True
    masks = [None, marked, None, marked]
    raw = evaluate_pixels(masks, drawn[4:], names)
    stretched = [np.exp(2 * one.astype(np.float64)).astype(np.float32) for one in drawn[4:]]
    normalized = evaluate_pixels(masks, stretched, names)
    assert raw[names[1]] != normalized[names[1]]
    assert found[names[0]].value.value == raw[names[0]].value
    assert found[names[1]].value.value == normalized[names[1]].value
