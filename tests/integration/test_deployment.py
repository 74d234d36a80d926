"""Every thresholder in one run, and what the board says of them."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness.cli import main
from adharness.metrics import MistakeCosts, evaluate_images
from adharness.store.records import CellRecord

pytestmark = pytest.mark.slow
THRESHOLDERS: list[dict[str, Any]] = [
    *({"use": name} for name in ("f1", "youden", "max-normal", "mean-std", "median-mad", "pot")),
    {"use": "quantile", "q": 0.8},
    {"use": "conformal-bh", "alpha": 0.4},
    {"use": "fixed", "value": 0.05},
]
COSTS = {"miss_cost": 30.0, "false_alarm_cost": 2.0, "defect_rate": 0.05}
CHANGES: dict[str, Any] = {
    "data": [{"use": "textures", "size": 64, "train": 12, "good": 5, "per_defect": 1}],
    "split": {"calibration": {"normal": 0.5, "anomalous": 0.4}},
    "methods": [{"name": "knn", "extractor": "px", "bank": {"use": "all"},
                 "scorer": {"use": "knn-faiss"}}],
    "normalizers": [{"use": "raw"}],
    "protocols": ["per-class", "absolute-unified"],
    "thresholders": THRESHOLDERS,
    "deployment": COSTS,
    "metrics": ["image_auroc", "pixel_f1"],
}  # fmt: skip


class Text(HTMLParser):
    """The words of a page, and of one section of it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.section, self.words = "", {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self.section = dict(attrs).get("id") or ""

    def handle_data(self, data: str) -> None:
        self.words.setdefault(self.section, []).append(data)

    def of(self, section: str) -> str:
        return " ".join(" ".join(self.words[section]).split())


def arrays(out: Path, cell: CellRecord) -> dict[str, Any]:
    with np.load(out / "cells" / cell.id / "scores.npz") as stored:
        return {name: stored[name] for name in stored.files}


def rows_of(out: Path) -> list[dict[str, Any]]:
    return json.loads((out / "leaderboard.json").read_text())["rows"]


@pytest.fixture(scope="module")
def ran(shared_bench) -> Path:
    """The folder of one run with every thresholder of images."""
    assert shared_bench.cli(**CHANGES) == 0
    return shared_bench.out


def test_every_thresholder_decides_and_the_numbers_are_those_of_the_stored_scores(ran):
    rows = rows_of(ran)
    costs = MistakeCosts(30.0, 2.0, 0.05)
    for row in (r for r in rows if r["class"] == "pooled"):
        with np.load(ran / "cells" / row["cell"] / "scores.npz") as stored:
            labels, scores, cuts = (stored[k] for k in ("labels", "scores", "threshold"))
        names = ["image_cost", "image_cost_oracle", "image_fpr", "image_f1", "image_f1_oracle"]
        found = evaluate_images(labels, scores, names, threshold=cuts, costs=costs)
        assert row["metrics"]["image_cost"]["value"] == pytest.approx(found["image_cost"])
        told = row["deployment"]
        assert told["false_alarms_per_1000"] == pytest.approx(1000 * found["image_fpr"])
        assert told["cost_per_1000"] == pytest.approx(1000 * found["image_cost"])
        above = 1000 * (found["image_cost"] - found["image_cost_oracle"])
        assert told["cost_per_1000_above_oracle"] == pytest.approx(above)
        below = found["image_f1_oracle"] - found["image_f1"]
        assert told["f1_below_oracle"] == pytest.approx(below)
        mine = [r for r in rows if r["cell"] == row["cell"]]
        of_classes = {r["class"]: r["deployment"]["cost_per_1000"] for r in mine
                      if r["class"] not in {"macro", "pooled"}}  # fmt: skip
        assert of_classes[told["worst_class"]] == max(of_classes.values())


def test_each_row_tells_what_fitted_its_threshold(ran):
    for row in rows_of(ran):
        known = row["protocol"] == "absolute-unified" or row["class"] not in {"macro", "pooled"}
        assert ("threshold" in row) == known
        if not known:
            continue
        told, name = row["threshold"], row["thresholder"]
        assert (told["anomalies"] > 0) == (name in {"f1", "youden"})
        assert (told["batch"] > 0) == (name == "conformal-bh")
        assert (told["normals"] == 0) == (name == "fixed")
    lines = list(csv.DictReader(io.StringIO((ran / "leaderboard.csv").read_text())))
    assert {line["threshold_normals"] for line in lines if line["thresholder"] == "fixed"} == {
        "0",
        "",
    }
    assert all(line["cost_per_1000"] for line in lines)


def test_the_page_prints_the_costs_with_the_numbers_and_every_threshold(ran):
    page = Text((ran / "leaderboard.html").read_text())
    deployment, thresholds = page.of("deployment"), page.of("thresholds")
    assert "A missed defect costs 30, a false alarm 2, and 5 % of parts are defective" in deployment
    assert "to flag nothing costs 1500, to flag everything 1900" in deployment
    assert "Worst class by cost" in deployment
    assert "From the oracle" in deployment
    assert "decided over a batch of" in thresholds
    caution = "decisions depend on the batch of test images"
    assert page.of("boards").count(caution) == deployment.count(caution) == 2  # a protocol each
    assert "declared in the suite: no image fitted it" in thresholds
    assert "mean + 3 standard deviations of all pixels" in thresholds


def test_a_run_that_counts_no_costs_shows_none(bench):
    plain = {name: value for name, value in CHANGES.items() if name != "deployment"}
    assert bench.cli(**{**plain, "thresholders": [{"use": "f1"}]}) == 0
    page = Text((bench.out / "leaderboard.html").read_text())
    assert "deployment" not in page.words
    assert "thresholds" in page.words
    assert not any("deployment" in row for row in rows_of(bench.out))


def test_other_costs_judge_again_and_a_new_pixel_rule_is_another_cell(bench):
    few = {**CHANGES, "thresholders": [{"use": "f1"}]}
    before, cells = bench.run(**few)
    other, judged = bench.run(**{**few, "deployment": {**COSTS, "miss_cost": 1.0}})
    assert other.cells == before.cells
    assert other.deployment == {**COSTS, "miss_cost": 1.0}
    values = [c.rows[-1].metrics["image_cost"].value for c in (cells[0], judged[0])]
    assert values[0] != values[1]
    area = {"use": "region-area", "min_area_px": 20}
    ruled, told = bench.run(**few, pixel_threshold=area)
    assert not set(ruled.cells) & set(before.cells)
    assert "no region of 20 px" in (told[0].pixel_thresholds[0].note or "")
    pixel_f1 = [c.rows[-1].metrics["pixel_f1"].value for c in (cells[0], told[0])]
    assert pixel_f1[0] != pixel_f1[1]


@pytest.mark.parametrize(
    "rule",
    [
        {"use": "quantile", "q": 0.99},
        {"use": "max-normal"},
        {"use": "median-mad", "k": 4},
        {"use": "fixed", "value": 0.03},
    ],
    ids=lambda rule: rule["use"],
)
def test_each_thresholder_of_pixels_decides_them(bench, rule):
    _, cells = bench.run(**{**CHANGES, "thresholders": [{"use": "f1"}]}, pixel_threshold=rule)
    for cell in cells:
        assert cell.status == "ok"
        assert all(np.isfinite(t.value) and not t.anomalies for t in cell.pixel_thresholds)


def test_mean_std_of_pixels_is_the_rule_that_stands_where_none_is_named(bench):
    few = {**CHANGES, "thresholders": [{"use": "f1"}]}
    _, default = bench.run(**few)
    _, named = bench.run(**few, pixel_threshold={"use": "mean-std", "k": 3})
    for one, other in zip(default, named, strict=True):
        values = [[t.value for t in cell.pixel_thresholds] for cell in (one, other)]
        assert values[0] == values[1]


def test_an_area_beyond_the_image_fails_the_rows_with_the_reason(bench):
    few = {**CHANGES, "thresholders": [{"use": "f1"}]}
    area = {"use": "region-area", "min_area_px": 10**6}
    _, cells = bench.run(**few, pixel_threshold=area)
    failure = cells[0].rows[0].failure
    assert failure is not None
    assert "64 x 64 pixels has no region of 1000000" in failure.message


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        (
            {"thresholders": [{"use": "region-area", "min_area_px": 5}]},
            "thresholders[0].use: thresholder 'region-area' decides no images",
            "it belongs under `pixel_threshold:`",
        ),
        (
            {"pixel_threshold": {"use": "pot"}},
            "pixel_threshold.use: thresholder 'pot' decides no pixels",
            "here may stand: ",
        ),
        (
            {"pixel_threshold": {"use": "conformal-bh"}},
            "thresholder 'conformal-bh' decides no pixels",
            "region-area",
        ),
        ({"pixel_threshold": {"use": "region-area"}}, "min_area_px", ""),
    ],
)
def test_a_thresholder_at_the_wrong_level_is_refused_before_anything_runs(
    bench, capsys, change, message, hint
):
    assert bench.cli(**{**CHANGES, **change}) == 2
    said = capsys.readouterr().err
    assert message in said
    assert hint in said
    assert not bench.out.exists()


def test_a_batch_decision_cannot_be_saved_for_new_images(bench, capsys):
    assert bench.cli(**{**CHANGES, "thresholders": THRESHOLDERS[-2:-1]}) == 0
    target = bench.folder / "saved"
    chosen = ["--only", "protocol=per-class", "--out", str(target)]
    assert main.run(["save", str(bench.out), *chosen]) == 2
    said = capsys.readouterr().err
    assert "'conformal-bh' decides over a batch" in said
    assert "such as quantile" in said
    assert not target.exists()
