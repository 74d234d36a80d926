"""Pairs of cells of two runs, and what is said where there is nothing to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adharness.errors import StoreError, SuiteError
from adharness.report.changes import Change, changes
from adharness.report.comparison import (
    Pair,
    Side,
    compare_pair,
    pair_cells,
    read_side,
    refusals,
    row_names,
)
from adharness.report.comparison_choice import (
    choose_metrics,
    match_methods,
    nothing_shared,
    refuse,
)
from adharness.report.regression import Rule
from adharness.store.records import CellRecord


@pytest.fixture(scope="module")
def side(fake_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Side:
    """72 cells, of which one failed and one is partial."""
    made = fake_run(thresholders=["f1"], seeds=[0])
    return read_side(made.write(tmp_path_factory.mktemp("side")))


def measuring(side: Side, *metrics: str) -> Side:
    return Side(side.folder, side.run.model_copy(update={"metrics": list(metrics)}), side.cells)


def renamed(cell: CellRecord, **changed: Any) -> CellRecord:
    return cell.model_copy(update={"id": "x" + cell.id, **changed})


def test_cells_of_one_name_are_pairs_whatever_their_order(side: Side) -> None:
    found = pair_cells(side.cells, [renamed(cell) for cell in reversed(side.cells)])
    assert [pair.second.id for pair in found.pairs] == ["x" + cell.id for cell in side.cells]
    assert found.only_first == found.only_second == []


@pytest.mark.parametrize(
    "axis", ["dataset", "protocol", "method", "normalizer", "thresholder", "seed"]
)
def test_cells_that_disagree_in_an_axis_are_no_pair(side: Side, axis: str) -> None:
    cell = side.cells[0]
    other = renamed(cell, **{axis: 9 if axis == "seed" else "another"})
    found = pair_cells([cell], [other])
    assert found == ([], [cell], [other])


def test_methods_matched_by_hand_are_the_only_pairs(side: Side) -> None:
    found = pair_cells(side.cells, side.cells, {"knn": ["padim", "patchcore"]})
    assert found.pairs
    assert {(p.first.method, p.second.method) for p in found.pairs} == {
        ("knn", "padim"), ("knn", "patchcore")
    }  # fmt: skip
    assert all(p.first.protocol == p.second.protocol for p in found.pairs)


def test_names_of_a_sweep_are_matched_though_they_hold_equal_signs(side: Side) -> None:
    first = [renamed(side.cells[0], method="knn[scorer.k=1]")]
    second = [renamed(side.cells[0], method="knn[scorer.k=3]")]
    asked = ["knn[scorer.k=1]=knn[scorer.k=3]"]
    assert match_methods(first, second, asked) == {"knn[scorer.k=1]": ["knn[scorer.k=3]"]}


@pytest.mark.parametrize(
    ("asked", "fact", "hint"),
    [
        ("knn", "not of the form", "knn=padim"),
        ("knm=knn", "the first run has no method 'knm'", "knn"),
        ("knn=padm", "the second run has no method 'padm'", "padim"),
    ],
)
def test_a_method_that_is_not_there_is_named(side: Side, asked: str, fact: str, hint: str) -> None:
    with pytest.raises(StoreError, match=fact) as told:
        match_methods(side.cells, side.cells, [asked])
    assert hint in (told.value.hint or "")


def test_the_metrics_are_those_that_both_runs_rank_by(side: Side) -> None:
    first = measuring(
        side, "pixel_ap@ader", "image_f1_oracle", "image_cost", "image_f1", "image_ap"
    )
    second = measuring(
        side, "image_ap", "image_f1", "image_cost", "image_f1_oracle", "pixel_ap@ader"
    )
    assert choose_metrics(first, second, []) == ["image_f1", "image_ap"]
    assert choose_metrics(first, second, ["pixel_ap@ader"] * 2) == ["pixel_ap@ader"]


@pytest.mark.parametrize(
    ("asked", "fact"),
    [
        ([], "dialect of region_aupro_30: exact | ader"),
        (["region_aupro_30"], "dialect of region_aupro_30: exact | ader"),
        (["region_aupro_30@ader"], "dialect of region_aupro_30: exact | ader"),
        (["pixel_ap"], "only the first run measured 'pixel_ap'"),
        (["pixel_f1"], "only the second run measured 'pixel_f1'"),
        (["image_ap"], "neither run measured 'image_ap'"),
        (["image_cost"], "image_cost is a cost"),
    ],
)
def test_a_metric_that_cannot_be_compared_is_refused(
    side: Side, asked: list[str], fact: str
) -> None:
    first = measuring(side, "image_auroc", "region_aupro_30", "pixel_ap", "image_cost")
    second = measuring(side, "image_auroc", "region_aupro_30@ader", "pixel_f1", "image_cost")
    with pytest.raises(StoreError) as told:
        choose_metrics(first, second, asked)
    assert fact in told.value.message
    assert told.value.hint


def test_runs_without_a_metric_in_common_are_told_what_each_has(side: Side) -> None:
    with pytest.raises(StoreError, match=r"image_ap \| pixel_ap"):
        choose_metrics(measuring(side, "image_ap"), measuring(side, "pixel_ap"), [])


def test_runs_without_a_cell_in_common_are_told_what_differs(side: Side) -> None:
    others = tuple(renamed(cell, method="new", seed=3) for cell in side.cells)
    told = nothing_shared(side, Side(side.folder, side.run, others))
    assert "method: knn, mahalanobis, padim, patchcore | new" in told.message
    assert "seed: 0 | 3" in told.message
    assert "protocol" not in told.message
    assert "--methods 'knn=new'" in (told.hint or "")


def test_refusals_name_the_data_sets_and_what_may_be_compared_instead(side: Side) -> None:
    def judged(cell: CellRecord, test: str) -> CellRecord:
        identity = {"test": test, "calibration": "c", "maps": {"resolution": "native"}}
        return cell.model_copy(update={"identity": identity})

    pairs = [
        Pair(judged(cell, "one"), judged(cell, "two" if cell.dataset == "textures" else "one"))
        for cell in side.cells
    ]
    found = refusals(side, side, pairs)
    assert [(d.name, places) for d, places in found.items()] == [("evaluated images", ["textures"])]
    with pytest.raises(StoreError, match=r"textures: evaluated images: one .* \| two") as told:
        refuse(found, pairs)
    assert told.value.hint == "compare what can be: --only dataset=solar-cells"
    refuse({}, pairs)


def lines_of(side: Side, first: CellRecord, second: CellRecord) -> dict[tuple[str, str], Any]:
    pair = Pair(first, second)
    metrics = ["image_auroc", "pixel_auroc"]
    made = compare_pair(side, side, pair, row_names(pair), metrics, Rule())
    return {(line.class_name, line.metric.id): line for line in made}


def cell_of(side: Side, **wanted: str) -> CellRecord:
    return next(
        c for c in side.cells if all(getattr(c, key) == value for key, value in wanted.items())
    )


def test_a_cell_that_failed_has_lost_its_numbers(side: Side) -> None:
    whole = cell_of(side, dataset="textures", method="knn", protocol="model-unified")
    failed = cell_of(side, status="failed")
    found = lines_of(side, whole, failed)
    assert {line.verdict for line in found.values()} == {"lost"}
    assert all(line.bad and line.interval is None for line in found.values())
    assert {line.verdict for line in lines_of(side, failed, whole).values()} == {"undefined"}
    assert not any(line.bad for line in lines_of(side, failed, failed).values())


def test_means_of_a_partial_cell_are_lost_and_its_whole_classes_are_compared(side: Side) -> None:
    partial = cell_of(side, status="partial")
    whole = cell_of(side, dataset="textures", method="mahalanobis", normalizer="zscore")
    found = lines_of(side, whole, partial)
    assert found["macro", "image_auroc"].verdict == "lost"
    assert found["carpet", "image_auroc"].difference is not None


def test_a_metric_without_masks_is_undefined_and_no_regression(side: Side) -> None:
    cell = cell_of(side, dataset="solar-cells")
    line = lines_of(side, cell, cell)["macro", "pixel_auroc"]
    assert (line.verdict, line.difference) == ("undefined", None)


def test_changed_settings_and_versions_are_told(side: Side) -> None:
    cell = side.cells[0]
    method = {"bank": {"use": "all", "params": {"shots": None}}, "scorer": {"params": {"k": 5}}}
    other = side.run.model_copy(update={"methods": {cell.method: method}})
    newer = cell.model_copy(update={"versions": {**cell.versions, "adharness-timm": "0.2.0"}})
    assert changes((side.run, cell), (other, newer)) == [
        Change(cell.method, "bank.use", "-", "all"),
        Change(cell.method, "scorer.k", "3", "5"),
        Change(cell.method, "scorer.use", cell.method, "-"),
        Change(cell.method, "version.adharness-timm", "0.1.0", "0.2.0"),
    ]
    assert changes((side.run, cell), (side.run, cell)) == []


def test_a_folder_that_is_no_run_and_one_without_results_are_refused(
    tmp_path: Path, side: Side
) -> None:
    with pytest.raises(StoreError, match=r"no run\.json"):
        read_side(tmp_path)
    (tmp_path / "run.json").write_text(side.run.model_dump_json())
    with pytest.raises(StoreError, match="none of its 48 cells is stored whole"):
        read_side(tmp_path)


def test_only_reads_pairs_like_run_does() -> None:
    from adharness.cli.choice import matches, wanted_by

    fields = [{"method": "knn", "class": "nut"}, {"method": "padim", "class": "bolt"}]
    wanted = wanted_by(fields, ["method=knn", "method=padim", "class=nut"], has="there are")
    assert [matches(one, wanted) for one in fields] == [True, False]
    with pytest.raises(SuiteError, match="unknown key 'clas'"):
        wanted_by(fields, ["clas=nut"], has="there are")
    with pytest.raises(SuiteError, match="no method 'nut'"):
        wanted_by(fields, ["method=nut"], has="there are")
