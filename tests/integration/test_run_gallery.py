"""Thumbnails of a run: typical images, and those that methods got worst."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adharness import DatasetSpec, Licence, Params, ThresholderSpec
from adharness.data.textures import TexturesDataset, TexturesParams
from adharness.engine import exhibits, gallery
from adharness.metrics.mistakes import outcomes
from adharness.report import write_report
from adharness.report.reading import read_defects, read_run, read_scores
from adharness.store.run_record import GalleryImage, RunRecord

TEXTURES = {"use": "textures", "size": 48, "train": 8, "good": 6, "per_defect": 2}
SMALL: dict[str, Any] = {
    "data": [TEXTURES],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "metrics": ["image_auroc", "pixel_f1"],
    "statistics": {"bootstrap": 0},
}


class NoParams(Params):
    """No parameters."""


def worst_by_hand(folder: Path) -> set[str]:
    """Of each cell and class the image furthest on the wrong side, either way."""
    found: set[str] = set()
    for cell in read_run(folder)[1]:
        scores = read_scores(folder, cell)
        assert scores is not None
        parts = (scores.scores, scores.threshold, scores.labels, scores.classes)
        judged = outcomes(*parts)
        for kind in ("false alarm", "miss"):
            for at in judged.worst(kind, 1).values():
                found.add(str(scores.samples[at[0]]))
    return found


def paths(record: RunRecord, *, worst: bool) -> list[str]:
    return [image.path for image in record.gallery if image.worst == worst]


@pytest.mark.slow
def test_the_worst_of_every_method_has_a_picture_also_when_its_cells_are_reused(bench):
    first, _ = bench.run(**SMALL)
    expected = worst_by_hand(bench.out)
    assert expected
    assert expected <= {image.path for image in first.gallery}
    assert paths(first, worst=True)
    assert not set(paths(first, worst=True)) & set(paths(first, worst=False))
    again, _ = bench.run(**SMALL)
    assert again.gallery == first.gallery
    for image in again.gallery:
        assert (bench.out / image.image).is_file()
        assert image.mask is None or (bench.out / image.mask).is_file()


def test_a_page_without_pixels_still_knows_scores_and_defects(bench):
    class Shut(TexturesDataset):
        licence = Licence("all rights reserved", show_pixels=False)

    spec = DatasetSpec(name="shut", params=TexturesParams, make=Shut, summary="")
    shut = {**TEXTURES, "use": "shut"}
    record, _ = bench.run(extra=[spec], **{**SMALL, "data": [shut, TEXTURES]})
    assert {image.dataset for image in record.gallery} == {"textures"}
    assert not (bench.out / "gallery" / "shut").exists()
    assert {"good", "foreign"} < set(read_defects(bench.out, "shut").values())
    page = write_report(bench.out).html.read_text("utf-8")
    shown = page[page.index('class="gallery" data-dataset="shut"') :]
    shown = shown[: shown.index('class="gallery" data-dataset="textures"')]
    assert "No pixels of shut are on this page" in shown
    assert "data:image" not in shown
    assert 'class="photo' not in shown
    assert "brick/test/" in shown
    assert ".g0-" not in page  # no picture of the first data set in the style sheet


def test_classes_take_turns_where_not_all_fit(bench, monkeypatch):
    monkeypatch.setattr(gallery, "worst", partial(exhibits.worst, limit=3))
    record, _ = bench.run(**SMALL)
    chosen = [image for image in record.gallery if image.worst]
    assert 0 < len(chosen) <= 3
    assert len({image.class_name for image in chosen}) == len(chosen)


def test_an_older_record_without_the_mark_is_read(bench):
    values = GalleryImage(
        dataset="a", class_name="b", path="c", label=0, defect="", image="d", mask=None,
        width=1, height=1,
    ).model_dump()  # fmt: skip
    del values["worst"]
    assert not GalleryImage.model_validate(values).worst


def test_a_run_whose_every_cell_fails_keeps_the_typical_images(bench):
    class Broken:
        def threshold(self, calibration: Any) -> Any:
            return None

    spec = ThresholderSpec(name="broken", params=NoParams, make=lambda _: Broken(), summary="")
    record, cells = bench.run(extra=[spec], **{**SMALL, "thresholders": [{"use": "broken"}]})
    assert {cell.status for cell in cells} == {"failed"}
    assert paths(record, worst=False)
    assert not paths(record, worst=True)
    assert "No cell of this data set has scores" in write_report(bench.out).html.read_text("utf-8")
