"""A crop, from the extractor's word to the metrics, the stored maps and the page."""

from __future__ import annotations

import numpy as np
import pytest

from adharness import ExtractorSpec, FeatureGrid, Params, Preprocess
from adharness.cli.score import judge_images
from adharness.maps import draw_map
from adharness.report import plates, write_report
from adharness.report.reading import read_maps, read_run

pytestmark = pytest.mark.slow


class Crop(Params):
    """Parameters of `squares`."""

    crop: tuple[int, int] | None = None


class Squares:
    """Squares of 3 x 3 pixels, as they are; the images of the tree have 48 x 48."""

    def __init__(self, params: Crop) -> None:
        self.preprocess = Preprocess(48, 48, crop=params.crop)

    def fingerprint(self) -> str:
        return "squares"

    def extract(self, images):
        n, height, width, _ = images.shape
        assert (height, width) == self.preprocess.input_size
        cut = images.reshape(n, height // 3, 3, width // 3, 3, 3).swapaxes(2, 3)
        return FeatureGrid(cut.reshape(n, height // 3, width // 3, 27).astype(np.float32))


SQUARES = ExtractorSpec(name="squares", params=Crop, make=Squares, summary="")


def run(bench, on_tree, out, **params):
    knn = {"name": "knn", "extractor": "px", "bank": {"use": "all"}, "scorer": {"use": "knn-faiss"}}
    changes = {
        "extractors": {"px": {"use": "squares", **params}},
        "methods": [knn],
        "protocols": ["model-unified"],
        "normalizers": [{"use": "raw"}],
        "thresholders": [{"use": "quantile"}],
        "split": {"calibration": {"normal": 0.3, "anomalous": 0.0}},
        "maps": {"smooth_px": 0.0},
    }
    _, (cell,) = bench.run(extra=[SQUARES], out=out, **changes, **on_tree)
    pooled = next(row for row in cell.rows if row.class_name == "pooled")
    return pooled.metrics["pixel_auroc"].value


def test_defects_inside_the_crop_are_found_where_they_are(bench, on_tree):
    # 0.983 where the map of the crop is stretched over the image
    assert run(bench, on_tree, "cropped", crop=[36, 30]) > 0.999
    folder = bench.folder / "cropped"
    maps = read_maps(folder, read_run(folder)[1][0])
    assert maps.input_size == (36, 30)
    assert maps.margins == (6, 6, 9, 9)


def test_defects_outside_the_crop_count_as_missed(bench, on_tree):
    assert run(bench, on_tree, "far", crop=[12, 12]) < 0.7  # rows and columns 18 to 29


def test_the_page_lays_the_map_of_a_crop_over_the_whole_picture(bench, monkeypatch):
    textures = {"use": "textures", "size": 48, "train": 10, "good": 5, "per_defect": 1}
    run(bench, {"data": [textures]}, "page", crop=[36, 30])
    drawn = []

    def spy(*args, **how):
        drawn.append(how["margins"])
        return draw_map(*args, **how)

    monkeypatch.setattr(plates, "draw_map", spy)
    write_report(bench.folder / "page")
    assert set(drawn) == {(6, 6, 9, 9)}


def test_new_images_are_judged_with_the_crop(tree):
    class Judge:
        def verdict(self, features, **sizes):
            return features.patches.shape, sizes

    image = tree.image("nut/new.png")
    (judged,) = judge_images(Judge(), Squares(Crop(crop=(42, 36))), [image])
    shape, sizes = judged.verdict
    assert shape == (1, 14, 12, 27)
    seen = {"input_size": (42, 36), "margins": (3, 3, 6, 6), "pad": False}
    assert sizes == {"native_size": (48, 48), **seen}
