"""Views of the feature space: made in the run, on the board, and in no cell."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from adharness.baselines.pixel_patches import PixelPatches, PixelPatchesParams
from adharness.contracts import ExtractorSpec, FeatureGrid
from adharness.engine import views
from adharness.errors import SuiteError
from adharness.report import write_report
from adharness.store.folder import RunFolder
from adharness.suite.load import load_suite

pytestmark = pytest.mark.slow
SMALL: dict[str, Any] = {
    "protocols": ["model-unified", "absolute-unified"],
    "methods": [{"name": "knn", "extractor": "px", "bank": {"use": "random", "ratio": 0.5},
                 "scorer": {"use": "knn-faiss"}}],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "metrics": ["image_auroc"],
}  # fmt: skip


VIEWS = {"projections": ["pca", "tsne"], "images": 20}


@pytest.mark.timeout(90)  # it imports scikit-learn
def test_a_suite_that_asks_for_views_has_them_on_its_board_and_the_same_cells(
    bench, on_tree, monkeypatch
):
    plain, before = bench.run(**SMALL, **on_tree)
    record, after = bench.run(**SMALL, **on_tree, views=VIEWS)
    assert [(c.id, c.rows) for c in after] == [(c.id, c.rows) for c in before]
    assert plain.views == []
    stored = [RunFolder(bench.out).view(view_id) for view_id in record.views]
    assert [view.projection for view in stored if view] == ["pca", "tsne"]
    for view in stored:
        assert view is not None
        assert len(view.x) == len(view.y) == len(view.samples) == 20
        assert view.of == sum(sum(of.values()) for of in plain.datasets[0].counts.values())
        assert {0, 1} == set(view.labels)
    page = write_report(bench.out).html.read_text()
    assert "t-SNE of px" in page
    assert 'id="across"' in page

    def never(*_: Any) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(views, "project", never)
    again, _ = bench.run(**SMALL, **on_tree, views=VIEWS)
    assert again.views == record.views


def test_what_the_board_reads_of_nearest_rows_is_what_the_engine_counted(bench):
    bench.run(**SMALL)
    page = write_report(bench.out)
    assert "Nearest rows across classes" in page.html.read_text()
    rows = list(csv.DictReader(page.cross_csv.read_text().splitlines()))
    assert len(rows) == 3 * 3 + 3  # a threshold a class, then one for all
    assert {row["protocol"] for row in rows} == {"model-unified", "absolute-unified"}
    assert page.gap_csv.read_text().count("\n") == 1  # no per-class cell, no gap


def test_an_extractor_without_embeddings_has_no_view_and_the_board_says_so(bench):
    class Patches(PixelPatches):
        def extract(self, images: Any) -> FeatureGrid:
            return FeatureGrid(super().extract(images).patches)

    spec = ExtractorSpec(name="patches-only", params=PixelPatchesParams, make=Patches, summary="")
    px = {"px": {"use": "patches-only", "resize": 64, "patch_px": 8}}
    record, cells = bench.run(extra=[spec], **SMALL, extractors=px, views=["pca"])
    (view_id,) = record.views
    view = RunFolder(bench.out).view(view_id)
    assert view is not None
    assert view.reason == "the extractor gives no image embedding"
    assert {cell.status for cell in cells} == {"ok"}
    assert "Not drawn" in write_report(bench.out).html.read_text()


def test_a_view_that_breaks_costs_a_picture_and_not_the_run(bench, monkeypatch):
    def broken(*_: Any) -> None:
        raise RuntimeError("no plane")

    monkeypatch.setattr(views, "project", broken)
    record, cells = bench.run(**SMALL, views=["pca"])
    view = RunFolder(bench.out).view(record.views[0])
    assert view is not None
    assert view.reason is not None
    assert "no plane" in view.reason
    assert {cell.status for cell in cells} == {"ok"}
    monkeypatch.undo()
    again, _ = bench.run(**SMALL, views=["pca"])
    view = RunFolder(bench.out).view(again.views[0])
    assert view is not None
    assert view.reason is None


@pytest.mark.parametrize("wrong", [["lda"], {"images": 10**6}, {"seeds": 1}, "yes"])
def test_an_unknown_projection_or_key_is_refused_with_its_place(bench, wrong):
    with pytest.raises(SuiteError, match=r"views|seeds|projections|images"):
        load_suite(bench.suite(**SMALL, views=wrong))
