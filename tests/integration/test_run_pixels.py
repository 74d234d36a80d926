"""Pixel thresholds, numbers of single images and declared regions, from the suite to the board."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from adharness import DatasetSpec, DeclaredRegions, Sample
from adharness.data.textures import TexturesDataset, TexturesParams
from adharness.report import write_report
from adharness.store.folder import RunFolder

pytestmark = pytest.mark.slow
TINY = TexturesParams(size=64, train=10, good=5, per_defect=1)


class Declaring(TexturesDataset):
    """The demo set that declares each defect as one region, of which half will do."""

    def __init__(self) -> None:
        super().__init__(TINY)

    def fingerprint(self, sample: Sample) -> Any:
        return TexturesDataset(TINY).fingerprint(sample)

    def mask(self, sample: Sample) -> Any:
        plain = super().mask(sample)
        if plain is None:
            return None
        return DeclaredRegions([plain], [max(1, int(plain.sum()) // 2)])


DECLARING = DatasetSpec(
    name="declaring", params=TexturesParams, make=lambda _: Declaring(), summary=""
)
SETTING: dict[str, Any] = {
    "protocols": ["per-class", "absolute-unified"],
    "normalizers": [{"use": "raw"}],
    "metrics": [
        *("image_auroc", "pixel_f1", "region_recall", "pixel_aupimo", "region_spro_05"),
        *("region_aupro_30", {"metric": "region_aupro_30", "dialect": "ader"}),
    ],
}


def value_of(cell: Any, row: str, metric: str) -> Any:
    return next(r for r in cell.rows if r.class_name == row).metrics[metric]


def test_declared_regions_give_a_saturated_overlap_and_plain_masks_a_reason_on_the_board(bench):
    _, declared = bench.run(extra=[DECLARING], data=[{"use": "declaring"}], out="loco", **SETTING)
    _, plain = bench.run(out="plain", **SETTING)
    ours, theirs = declared[0], plain[0]
    assert 0 < value_of(ours, "macro", "region_spro_05").value < 1
    for metric in ("region_aupro_30", "pixel_f1", "pixel_aupimo"):
        assert value_of(ours, "pooled", metric) == value_of(theirs, "pooled", metric)
    reason = "15 anomalous image(s) declare no regions"
    assert value_of(theirs, "pooled", "region_spro_05").value is None
    assert value_of(theirs, "pooled", "region_spro_05").reason == reason
    page = write_report(bench.folder / "plain").html.read_text("utf-8")
    assert "declare no regions" in page
    assert {g.mask is not None for g in RunFolder(bench.folder / "loco").run().gallery} == {
        True, False,
    }  # fmt: skip


def test_pixel_thresholds_and_numbers_of_images_are_stored_with_the_cell(bench):
    _, cells = bench.run(**SETTING)
    by_name = {(c.protocol, c.method, c.thresholder): c for c in cells}
    classes = [t.class_name for t in by_name["per-class", "knn", "f1"].pixel_thresholds]
    assert classes == ["brick", "grass", "gravel"]
    (one,) = by_name["absolute-unified", "knn", "f1"].pixel_thresholds
    assert (one.class_name, one.normals, one.anomalies) == (None, 6, 0)
    assert by_name["absolute-unified", "knn", "quantile"].pixel_thresholds == [one]
    assert by_name["per-class", "whole", "f1"].pixel_thresholds == []

    cell = by_name["per-class", "knn", "f1"]
    arrays = RunFolder(bench.out).cell_arrays(cell.id, "scores.npz")
    own = arrays["pixel_aupimo"]
    assert len(own) == len(arrays["pixel_aupimo_pooled"]) == len(arrays["samples"])
    np.testing.assert_array_equal(np.isnan(own), arrays["labels"] == 0)
    for name in classes:
        stored = value_of(cell, name, "pixel_aupimo")
        mine = own[(arrays["classes"] == name) & (arrays["labels"] == 1)]
        assert stored.value == pytest.approx(mine.mean())
        assert (stored.spread.min, stored.spread.max) == (mine.min(), mine.max())


def test_the_exported_rows_carry_the_ids_as_they_are(bench):
    bench.run(**SETTING)
    paths = write_report(bench.out)
    row = next(
        r for r in json.loads(paths.json.read_text())["rows"]
        if r["class"] == "pooled" and r["method"] == "knn"
    )  # fmt: skip
    assert row["metrics"]["region_aupro_30@ader"]["value"] is not None
    assert row["metrics"]["pixel_aupimo"]["spread"]["median"] is not None
    assert "region_aupro_30@ader" in paths.csv.read_text().splitlines()[0].split(",")
