"""Intervals of pixel and region metrics, from the masks to the board and the unification gap."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from adharness.report import write_report
from adharness.report.paired import Resampler, Resampling
from adharness.report.reading import read_replicates, read_run, read_scores
from adharness.store.folder import RunFolder

pytestmark = pytest.mark.slow
PIXELS = [
    "pixel_auroc",
    "pixel_ap",
    "pixel_aupimo",
    "region_aupro_30",
    "pixel_f1",
    "pixel_f1_oracle",
]
SETTING: dict[str, Any] = {
    "protocols": ["per-class", "absolute-unified"],
    "normalizers": [{"use": "raw"}],
    "metrics": ["image_auroc", "image_f1_oracle", *PIXELS, "region_aupro_30@ader"],
}  # fmt: skip


@pytest.fixture(scope="module")
def ran(shared_bench: Any) -> Any:
    setting = {**SETTING, "metrics": [*SETTING["metrics"][:-1],
               {"metric": "region_aupro_30", "dialect": "ader"}]}  # fmt: skip
    shared_bench.run(**setting)
    return shared_bench, *read_run(shared_bench.out)


def of(cells: list[Any], protocol: str, thresholder: str = "f1", method: str = "knn") -> Any:
    return next(
        c for c in cells
        if (c.protocol, c.thresholder, c.method) == (protocol, thresholder, method)
    )  # fmt: skip


def test_every_row_has_intervals_of_pixel_metrics_and_none_of_dialects(ran):
    _, _, cells = ran
    for row in of(cells, "per-class").rows:
        for metric in PIXELS:
            value = row.metrics[metric]
            assert value.low <= value.value <= value.high, (row.class_name, metric)
        assert row.metrics["region_aupro_30@ader"].low is None
    macro = {r.class_name: r.metrics["pixel_auroc"] for r in of(cells, "per-class").rows}
    assert macro["macro"].low < macro["macro"].high


def test_the_stored_replicates_are_those_of_the_intervals_and_shared_by_thresholders(ran):
    bench, _, cells = ran
    cell = of(cells, "per-class")
    stored = read_replicates(bench.out, cell)
    assert stored is not None
    scopes = {scope for _, scope in stored.values}
    assert scopes == {"brick", "grass", "gravel", "pooled"}
    assert {metric for metric, _ in stored.values} == set(PIXELS)
    for row in cell.rows:
        if row.class_name != "macro":
            value = row.metrics["region_aupro_30"]
            ends = stored.values["region_aupro_30", row.class_name].interval()
            assert ends == pytest.approx((value.low, value.high), abs=1e-6)
    files = [bench.out / "cells" / c.id / "replicates.npz"
             for c in (cell, of(cells, "per-class", "quantile"))]  # fmt: skip
    assert files[0].stat().st_ino == files[1].stat().st_ino
    assert files[0].stat().st_size < 4 * 4 * len(PIXELS) * (20 + 40) + 5000


def test_a_method_without_maps_stores_no_replicates(ran):
    bench, _, cells = ran
    cell = of(cells, "per-class", method="whole")
    assert "replicates.npz" not in cell.files
    assert read_replicates(bench.out, cell) is None


def test_the_gap_of_every_metric_has_an_interval_on_the_page_and_in_the_files(ran):
    bench, _, _ = ran
    paths = write_report(bench.out)
    lines = list(csv.DictReader(paths.gap_csv.read_text().splitlines()))
    gaps = [g for g in lines if g["method"] == "knn" and g["value"]]
    assert {g["metric"] for g in gaps} == {"image_auroc", "image_f1_oracle", *PIXELS}
    for gap in gaps:
        assert float(gap["low"]) <= float(gap["high"]), gap
    assert {g["scope"] for g in gaps if g["metric"] == "pixel_ap"} == {
        "headline", "macro", "pooled", "brick", "grass", "gravel",
    }  # fmt: skip
    rows = json.loads(paths.json.read_text())["rows"]
    row = next(r for r in rows if r["class"] == "macro" and r["method"] == "knn")
    assert row["metrics"]["pixel_ap"]["low"] < row["metrics"]["pixel_ap"]["high"]
    assert "none for pixel and region metrics" not in paths.html.read_text("utf-8")


def test_a_gap_is_paired_so_a_cell_does_not_differ_from_itself(ran):
    bench, _, cells = ran
    resample = Resampler(
        lambda cell: read_scores(bench.out, cell), [], Resampling(20, 0.95, 0),
        stored=lambda cell: read_replicates(bench.out, cell),
    ).intervals  # fmt: skip
    cell = of(cells, "per-class")
    found = resample(cell, cell)
    assert set(found.values()) == {(0.0, 0.0)}
    assert ("region_aupro_30", "macro") in found
    differing = resample(cell, of(cells, "absolute-unified"))
    assert any(low < high for low, high in differing.values())


def test_a_run_without_replicates_still_gives_a_page_and_is_judged_again_by_the_next(bench):
    bench.run(**{**SETTING, "metrics": ["image_auroc", "pixel_auroc"]})
    _, cells = read_run(bench.out)
    folder = RunFolder(bench.out)
    for cell in cells:
        (bench.out / "cells" / cell.id / "replicates.npz").unlink(missing_ok=True)
        files = {k: v for k, v in cell.files.items() if k != "replicates.npz"}
        judged = {k: v for k, v in cell.judged.items() if k != "resampled"}
        older = cell.model_copy(update={"files": files, "judged": judged})
        (bench.out / "cells" / cell.id / "result.json").write_text(
            older.model_dump_json(by_alias=True)
        )
    gaps = list(csv.DictReader(write_report(bench.out).gap_csv.read_text().splitlines()))
    low = {g["metric"]: g["low"] for g in gaps if g["method"] == "knn" and g["scope"] == "macro"}
    assert low["image_auroc"]
    assert not low["pixel_auroc"]
    assert all(folder.cell(cell.id) for cell in cells)
    bench.run(**{**SETTING, "metrics": ["image_auroc", "pixel_auroc"]})
    _, again = read_run(bench.out)
    assert read_replicates(bench.out, of(again, "per-class")) is not None


def test_all_cells_of_a_data_set_are_drawn_alike(ran):
    bench, _, cells = ran
    found = [read_replicates(bench.out, c) for c in cells if c.method == "knn"]
    assert len(found) == 4
    assert len({one.draws for one in found if one}) == 1
    assert all(
        of_scope.replicates.shape == (20,) for one in found for of_scope in one.values.values()
    )
