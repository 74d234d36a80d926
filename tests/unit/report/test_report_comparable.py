"""What keeps two cells out of one ranking: each reason on its own, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.report.comparable import Condition, conditions, differences, readings
from adharness.report.reading import read_run
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord

Judged = tuple[RunRecord, CellRecord]
Change = Callable[[RunRecord, CellRecord], Judged]

IDENTITY = {
    "calibration": "c" * 16,
    "test": "e" * 16,
    "maps": {"resolution": "native", "smooth_px": 4.0, "upsample": "bilinear"},
}


@pytest.fixture
def judged(run_folder: Path) -> Judged:
    run, cells = read_run(run_folder)
    extractor = {"name": "lite0", "use": "timm", "params": {"resize": [256, 256], "crop": None}}
    methods = {name: {**run.methods[name], "extractor": extractor} for name in run.methods}
    cell = next(cell for cell in cells if cell.status == "ok")
    return (
        run.model_copy(update={"methods": methods}),
        cell.model_copy(update={"identity": IDENTITY}),
    )


def identity(**changed: Any) -> Change:
    return lambda run, cell: (run, cell.model_copy(update={"identity": IDENTITY | changed}))


def field(**changed: Any) -> Change:
    return lambda run, cell: (run, cell.model_copy(update=changed))


def data(**changed: Any) -> Change:
    def change(run: RunRecord, cell: CellRecord) -> Judged:
        sets = [one.model_copy(update=changed) for one in run.datasets]
        return run.model_copy(update={"datasets": sets}), cell

    return change


def params(**changed: Any) -> Change:
    def change(run: RunRecord, cell: CellRecord) -> Judged:
        extractor = run.methods[cell.method]["extractor"]
        other = {**extractor, "params": extractor["params"] | changed}
        methods = run.methods | {cell.method: {**run.methods[cell.method], "extractor": other}}
        return run.model_copy(update={"methods": methods}), cell

    return change


REASONS: list[tuple[str, Change, str, str]] = [
    ("data fingerprint", data(fingerprint="ab" * 32), "9f9f9f9f9f9f", "abababababab"),
    ("split", identity(calibration="d" * 16), "cccccccccccc", "dddddddddddd"),
    ("split", data(counts={"carpet": {"train": 39, "test_normal": 72}}), "120 train", "39 train"),
    ("evaluated images", identity(test="f" * 16), "eeeeeeeeeeee", "ffffffffffff"),
    ("evaluation resolution", identity(maps={"resolution": "256"}), "native", "256"),
    ("crop", params(crop=[224, 224]), "whole image", "crop 224 x 224 of 256 x 256"),
    ("class told", field(told_class=["bank"]), "nothing", "bank"),
    ("protocol", field(protocol="routed"), "", "routed"),
    ("metric version", field(versions={"adharness": "0.2.0"}), "adharness 0.1.0", "0.2.0"),
]


@pytest.mark.parametrize(("name", "change", "first", "second"), REASONS)
def test_each_reason_alone_is_told_with_both_values(
    judged: Judged, name: str, change: Change, first: str, second: str
) -> None:
    (found,) = differences(conditions(*judged), conditions(*change(*judged)))
    assert found.name == name
    assert first in found.first
    assert second in found.second
    assert str(found) == f"{name}: {found.first} | {found.second}"


def test_every_condition_has_a_reason_that_only_it_sees(judged: Judged) -> None:
    here = conditions(*judged)
    assert {name for name, *_ in REASONS} == set(here)
    for name, change, *_ in REASONS:  # a guard that forgets one lets exactly its case through
        there = conditions(*change(*judged))
        forgetful = {key: value for key, value in here.items() if key != name}
        assert differences(forgetful, there) == []


def test_a_cell_is_comparable_with_itself(judged: Judged) -> None:
    assert differences(conditions(*judged), conditions(*judged)) == []


@pytest.mark.parametrize(
    "change",
    [
        identity(maps={"resolution": "native", "smooth_px": 0.0, "upsample": "nearest"}),
        identity(scorings=["another model"], normalizer={"use": "zscore"}),
        field(seed=5, method="another", thresholder="fixed", status="partial", rows=[]),
        field(versions={"adharness": "0.1.0", "adharness-knn-faiss": "9"}),
        params(resize=[512, 512]),
        params(crop=[256, 256]),
        lambda run, cell: (run.model_copy(update={"statistics": {"bootstrap": 0}}), cell),
    ],
)
def test_what_belongs_to_the_method_keeps_nothing_apart(judged: Judged, change: Change) -> None:
    assert differences(conditions(*judged), conditions(*change(*judged))) == []


def test_a_split_file_that_holds_the_split_of_another_rule_is_that_split(judged: Judged) -> None:
    run, cell = judged
    other = run.model_copy(update={"split": {"policy": "file", "path": "splits"}})
    assert differences(conditions(run, cell), conditions(other, cell)) == []


def test_crops_that_see_the_same_share_of_the_image_are_one(judged: Judged) -> None:
    small = params(crop=[224, 224])(*judged)
    large = params(resize=[512, 512], crop=[448, 448])(*judged)
    assert differences(conditions(*small), conditions(*large)) == []


@pytest.mark.parametrize("crop", ["middle", [1, 2, 3], [0, 4], {"height": 3}, True])
def test_a_crop_that_is_no_size_is_not_read(judged: Judged, crop: object) -> None:
    assert "crop" in conditions(*params(crop=crop)(*judged))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("data fingerprint", lambda run, cell: (run.model_copy(update={"datasets": []}), cell)),
        ("split", identity(calibration=None)),
        ("evaluated images", identity(test=None)),
        ("evaluation resolution", identity(maps=None)),
        ("metric version", field(versions={})),
    ],
)
def test_what_no_record_holds_is_never_equal(judged: Judged, name: str, change: Change) -> None:
    silent = conditions(*change(*judged))
    found = [one for one in differences(silent, silent) if one.name == name]
    assert [(one.first, one.second) for one in found] == [("not recorded", "not recorded")]


def test_a_quick_look_says_so(judged: Judged) -> None:
    run, cell = judged
    short = conditions(run.model_copy(update={"limit": 20}), cell)
    assert short["evaluated images"].told == "eeeeeeeeeeee (72 images, --limit 20)"


def test_a_metric_read_in_two_dialects_is_told_once() -> None:
    first = ["image_auroc", "region_aupro_30", "pixel_ap@ader"]
    second = ["image_auroc", "region_aupro_30@ader", "region_aupro_30@study", "pixel_ap@ader"]
    (found,) = readings(first, second)
    assert found == ("dialect of region_aupro_30", "exact", "ader, study")
    assert readings(first, [*second, "region_aupro_30"]) == []
    assert readings(first, ["pixel_auroc"]) == []


names = st.sampled_from(["split", "crop", "data"])
made = st.dictionaries(
    names, st.builds(Condition, st.none() | st.text(max_size=2), st.text(max_size=3)),
    min_size=3, max_size=3,
)  # fmt: skip


@given(made, made)
def test_the_guard_does_not_care_which_run_comes_first(
    first: dict[str, Condition], second: dict[str, Condition]
) -> None:
    forth, back = differences(first, second), differences(second, first)
    assert {(d.name, d.first, d.second) for d in forth} == {
        (d.name, d.second, d.first) for d in back
    }
    unequal = {n for n in first if first[n].key is None or first[n].key != second[n].key}
    assert {d.name for d in forth} == unequal
