"""Maps and scores made elsewhere are judged as they are, and say what they lack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from adharness import FeatureGrid, ImageName, ScorerSpec, Scores
from adharness.cli import main
from adharness.exchange.imported import ImportedParams
from adharness.maps import draw_map
from adharness.store.records import CellRecord

pytestmark = pytest.mark.slow
QUICK = {
    "protocols": ["per-class"],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "metrics": ["image_auroc", "image_f1", "pixel_auroc", "region_aupro_30", "pixel_f1"],
    "statistics": {"bootstrap": 20},
}
KNN = {"name": "knn", "extractor": "px", "bank": {"use": "all"}, "scorer": {"use": "knn-faiss"}}


def imported(**params: Any) -> dict[str, Any]:
    return {"name": "theirs", "scorer": {"use": "imported", **params}}


def theirs(bench: Any, on_tree: Any, out: str = "theirs", **params: Any) -> Any:
    changes = on_tree | QUICK | {"methods": [imported(**params)], "extractors": {"px": PX}}
    return bench.run(out=out, **changes)[1]


PX = {"use": "pixel-patches", "resize": 48, "patch_px": 8}


@pytest.fixture
def made(bench, on_tree, tmp_path) -> tuple[Any, Path]:
    """A run of a real method, and its maps and scores written as others would write them."""
    changes = on_tree | QUICK | {"methods": [KNN], "extractors": {"px": PX}}
    _, cells = bench.run(out="ours", **changes)
    folder = tmp_path / "maps"
    lines = ["path,score"]
    for scoring in cells[0].scorings:
        with np.load(bench.folder / "ours" / "scorings" / scoring / "scores.npz") as stored:
            pairs = list(zip(stored["samples"].tolist(), stored["patches"], strict=True))
        for path, patches in pairs:
            drawn = draw_map(patches, input_size=(48, 48), native_size=(48, 48), smooth_px=4.0)
            file = (folder / path).with_suffix(".tiff")
            file.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(file, drawn)
            lines.append(f"{path},{float(patches.max())!r}")
    (folder / "scores.csv").write_text("\n".join(lines) + "\n")
    return cells, folder


def metrics(cells: Any, row: str = "macro") -> dict[str, Any]:
    assert len(cells) == 1
    rows = {r.class_name: r for r in cells[0].rows}
    assert rows[row].failure is None, rows[row].failure
    return rows[row].metrics


def test_the_outputs_of_a_method_get_the_numbers_that_the_method_gets(bench, on_tree, made):
    ours, folder = made
    cells = theirs(bench, on_tree, root=str(folder), scores=str(folder / "scores.csv"))
    for row in ("nut", "bolt", "macro", "pooled"):
        assert metrics(cells, row) == metrics(ours, row)
    assert cells[0].thresholds == ours[0].thresholds
    assert cells[0].pixel_thresholds == ours[0].pixel_thresholds
    assert cells[0].imported == ["scores"]
    assert cells[0].costs is None


def test_the_board_marks_the_row(bench, on_tree, made):
    _, folder = made
    changes = on_tree | QUICK | {"methods": [KNN, imported(root=str(folder))]}
    assert bench.cli(**changes, extractors={"px": PX}) == 0
    page = (bench.out / "leaderboard.html").read_text()
    assert page.count("imported: scores made elsewhere") == 1
    rows = json.loads((bench.out / "leaderboard.json").read_text())["rows"]
    marked = {row["method"] for row in rows if row.get("imported") == ["scores"]}
    assert marked == {"theirs"}


def test_without_maps_of_held_out_images_rankings_stand_and_thresholds_are_undefined(
    bench, on_tree, made
):
    _, folder = made
    for file in folder.glob("*/train/good/*.tiff"):
        file.unlink()
    changes = on_tree | QUICK | {"methods": [KNN, imported(root=str(folder))]}
    changes |= {"split": {"calibration": {"normal": 0.3, "anomalous": 0.0}}}
    assert bench.cli(**changes, extractors={"px": PX}) == 0
    rows = json.loads((bench.out / "leaderboard.json").read_text())["rows"]
    mine, reference = (
        next(r["metrics"] for r in rows if r["method"] == m and r["class"] == "nut")
        for m in ("theirs", "knn")
    )
    assert mine["pixel_auroc"] == reference["pixel_auroc"]
    assert mine["region_aupro_30"] == reference["region_aupro_30"]
    assert mine["image_auroc"]["value"] is not None
    assert mine["image_f1"]["value"] is None
    assert "2 of 2 held-out images have no imported output: nut/train" in mine["image_f1"]["reason"]
    assert mine["pixel_f1"]["value"] is None


def test_a_threshold_is_not_fitted_on_a_part_of_the_held_out_images(bench, on_tree, made):
    _, folder = made
    next(folder.glob("nut/train/good/*.tiff")).unlink()
    cells = theirs(bench, on_tree, root=str(folder))
    assert metrics(cells, "nut")["image_f1"].value is None
    assert metrics(cells, "bolt")["image_f1"].value is not None
    assert metrics(cells)["image_f1"].reason.startswith("undefined in nut: 1 of 3 held-out")
    assert [t.class_name for t in cells[0].thresholds] == ["bolt"]


def test_a_normalizer_that_needs_held_out_images_says_which_are_missing(bench, on_tree, made):
    _, folder = made
    for file in folder.glob("*/train/good/*.tiff"):
        file.unlink()
    changes = on_tree | QUICK | {"methods": [imported(root=str(folder))]}
    _, cells = bench.run(**changes | {"normalizers": [{"use": "zscore"}]})
    assert "held-out images have no imported output" in cells[0].rows[0].failure.message


def test_missing_test_images_are_named_and_counted(bench, on_tree, made):
    _, folder = made
    for file in sorted(folder.glob("nut/test/*/*.tiff"))[:5]:
        file.unlink()
    cells = theirs(bench, on_tree, root=str(folder))
    rows = {row.class_name: row for row in cells[0].rows}
    said = rows["nut"].failure.message
    assert "test images have no imported output: nut/test/" in said
    assert said.endswith("more")
    assert rows["bolt"].failure is None


def test_a_csv_alone_gives_image_metrics_and_no_pixel_metrics(bench, on_tree, made):
    ours, folder = made
    cells = theirs(bench, on_tree, scores=str(folder / "scores.csv"))
    assert metrics(cells)["image_auroc"] == metrics(ours)["image_auroc"]
    assert "image scores only" in metrics(cells)["pixel_auroc"].reason


def test_maps_of_another_size_are_resized_and_none_is_smoothed(bench, on_tree, made):
    """A point stays a point: smoothing at 4 px would spread it over the image."""
    _, folder = made
    for file in folder.rglob("*.tiff"):
        small = np.zeros((24, 24), np.uint8)
        small[2, 3] = 200
        Image.fromarray(small).save(file.with_suffix(".png"))
        file.unlink()
    changes = on_tree | QUICK | {"methods": [imported(root=str(folder))]}
    _, cells = bench.run(**changes, maps={"upsample": "nearest"})
    # 4 of 2304 pixels of each image, all outside of the masks, are above the rest, which ties.
    value = metrics(cells, "nut")["pixel_auroc"].value
    assert value == pytest.approx(0.5 * (1 - 4 / 2304), abs=1e-4)


def test_changed_maps_are_scored_again_and_unchanged_ones_are_not(bench, on_tree, made):
    _, folder = made
    first = theirs(bench, on_tree, root=str(folder))
    assert theirs(bench, on_tree, root=str(folder))[0].id == first[0].id
    file = next(folder.glob("nut/test/*/*.tiff"))
    tifffile.imwrite(file, tifffile.imread(file) + 1)
    assert theirs(bench, on_tree, root=str(folder))[0].id != first[0].id


def test_scores_of_one_training_stand_under_no_other(bench, on_tree, made, capsys):
    _, folder = made
    protocols = {"protocols": ["per-class", "model-unified"]}
    changes = on_tree | QUICK | protocols
    assert bench.cli(**changes, methods=[imported(root=str(folder))]) == 2
    assert "add `models: per-class`" in capsys.readouterr().err
    declared = [imported(root=str(folder), models="merged")]
    _, cells = bench.run(**changes, methods=declared)
    assert [cell.protocol for cell in cells] == ["model-unified"]
    suite = str(bench.suite(**changes, methods=declared))
    assert main.run(["check", suite, "--no-estimate"]) == 0
    assert "- 1 that cannot stand under their protocol" in capsys.readouterr().out
    only = on_tree | QUICK | {"methods": declared}
    assert bench.cli(**only) == 2
    assert "no protocol of the suite trains" in capsys.readouterr().err


def test_what_was_made_elsewhere_cannot_be_saved(bench, on_tree, made, capsys, tmp_path):
    _, folder = made
    assert bench.cli(**on_tree | QUICK | {"methods": [imported(root=str(folder))]}) == 0
    command = ["save", str(bench.out), "--out", str(tmp_path / "saved")]
    assert main.run([*command, "--cache-dir", str(bench.cache)]) == 2
    assert "made elsewhere" in capsys.readouterr().err


def test_a_folder_that_is_not_there_fails_the_row(bench, on_tree, tmp_path):
    cells = theirs(bench, on_tree, root=str(tmp_path / "nowhere"))
    assert "there is no folder" in cells[0].rows[0].failure.message


class Peeping:
    """Can look up, and does not say so in its record: it must never be told a name."""

    def fit(self, memory: Any, rng: Any) -> Peeping:
        return self

    def score(self, features: FeatureGrid) -> Scores:
        return Scores(patches=features.patches[..., 0])

    def fingerprint(self, images: Any) -> str:
        raise AssertionError("told the names")

    def look_up(self, image: ImageName) -> Scores:
        raise AssertionError("told a name")


def test_only_a_scorer_that_declares_it_is_told_the_names_of_images(bench, on_tree):
    spec = ScorerSpec(
        name="peeping", params=ImportedParams, make=lambda _: Peeping(), summary="x", needs="bag"
    )
    method = {"name": "m", "extractor": "px", "bank": {"use": "all"},
              "scorer": {"use": "peeping", "root": "/"}}  # fmt: skip
    changes = on_tree | QUICK | {"methods": [method], "extractors": {"px": PX}}
    _, cells = bench.run(extra=[spec], **changes)
    assert cells[0].status == "ok"
    assert cells[0].imported == []


def imported_by(bench: Any, scorer: Any, **changes: Any) -> list[CellRecord]:
    """Run a scorer whose record says that it looks its scores up."""
    spec = ScorerSpec(
        name="stranger",
        params=ImportedParams,
        make=lambda _: scorer,
        summary="x",
        needs="nothing",
        imported=True,
    )
    method = {"name": "m", "scorer": {"use": "stranger", "root": "/"}}
    _, cells = bench.run(extra=[spec], **changes | QUICK | {"methods": [method]})
    return cells


def test_a_record_that_says_imported_needs_look_up(bench, on_tree):
    cells = imported_by(bench, object(), **on_tree)
    assert "it has no `look_up`" in cells[0].rows[0].failure.message


class Sometimes:
    """Gives a map of the images whose name ends in an even number."""

    def fingerprint(self, images: Any) -> str:
        return "sometimes"

    def look_up(self, image: ImageName) -> Scores:
        whole = Scores(images=np.ones(1, np.float32), patches=np.ones((1, 4, 4), np.float32))
        return whole if image.path[-5] in "02468" else Scores(images=whole.images)


def test_maps_of_some_images_only_break_the_contract(bench, on_tree):
    cells = imported_by(bench, Sometimes(), **on_tree)
    assert "maps or scores of some images only" in cells[0].rows[0].failure.message
