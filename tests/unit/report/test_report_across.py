"""What compares classes: crossed thresholds, nearest rows, strips of scores, views."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness.report.cross_class import CrossRate, cross_rates, neighbour_shares
from adharness.report.cross_class_view import EVERY, cross_csv, cross_tables, neighbour_tables
from adharness.report.gap import gap_csv, unification_gaps
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.reading import ImageScores, read_run, read_scores
from adharness.report.scatter import scatters, unseen
from adharness.report.strips import MARKS, strip_charts
from adharness.report.write import write_report
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, ThresholdRecord
from adharness.store.run_record import RunRecord
from adharness.store.views import ViewRecord

SCORES = ImageScores(
    samples=np.array(["a0", "a1", "a2", "b0", "b1", "b2"]),
    classes=np.array(["a", "a", "a", "b", "b", "b"]),
    labels=np.array([0, 0, 1, 0, 0, 1]),
    scores=np.array([1.0, 2.0, 9.0, 5.0, 6.0, 7.0]),
    threshold=np.full(6, 4.0),
    groups=np.full(6, ""),
)


def cell(protocol: str, thresholds: dict[str | None, float], **changes: Any) -> CellRecord:
    fields: dict[str, Any] = {
        **dict.fromkeys(("extractor", "bank", "scorer", "normalizer", "thresholder"), "x"),
        "id": f"{protocol}{len(thresholds)}",
        "dataset": "set",
        "protocol": protocol,
        "method": "knn",
        "seed": 0,
        "image_score": "max",
        "class_oracle": False,
        "status": "ok",
        "rows": [],
        "thresholds": [
            ThresholdRecord(class_name=name, value=value, normals=3, anomalies=0)
            for name, value in thresholds.items()
        ],
        "costs": None,
        "scorings": ["s"],
        "versions": {},
        "identity": {},
        "judged": {},
    }
    return CellRecord(**{**fields, **changes})


def board_of(run_folder: Path, *cells: CellRecord) -> Leaderboard:
    run, _ = read_run(run_folder)
    data = run.datasets[0].model_copy(update={"name": "set", "classes": ["a", "b"]})
    changes = {"cells": [c.id for c in cells], "datasets": [data], "methods": {"knn": {}}}
    asked: RunRecord = run.model_copy(update=changes)
    return leaderboard(asked, cells)


def test_the_matrix_counts_normals_of_the_column_above_the_threshold_of_the_line(run_folder):
    board = board_of(run_folder, cell("model-unified", {"a": 2.0, "b": 5.5}))
    rates = cross_rates(board, lambda _: SCORES)
    found = {(r.threshold_of, r.class_name): (r.alarms, r.normals) for r in rates}
    assert found == {("a", "a"): (0, 2), ("a", "b"): (2, 2), ("b", "a"): (0, 2), ("b", "b"): (1, 2)}
    (table,) = cross_tables(board, rates)
    first, second = table.lines
    assert [number.text for number in first.numbers] == ["0.0", "100.0", "100.0"]
    assert [number.text for number in second.numbers] == ["0.0", "50.0", "0.0"]
    assert [number.aside for number in second.numbers] == ["0 of 2", "1 of 2", ""]


def test_a_score_at_the_threshold_is_no_alarm_and_anomalous_images_do_not_count(run_folder):
    board = board_of(run_folder, cell("absolute-unified", {None: 6.0}))
    rates = cross_rates(board, lambda _: SCORES)
    assert [(r.class_name, r.alarms, r.normals) for r in rates] == [("a", 0, 2), ("b", 0, 2)]


def test_one_threshold_for_all_is_one_line_and_crosses_every_class(run_folder):
    board = board_of(run_folder, cell("routed", {None: 1.5}))
    (table,) = cross_tables(board, cross_rates(board, lambda _: SCORES))
    (line,) = table.lines
    assert line.method == EVERY
    assert [number.text for number in line.numbers] == ["50.0", "100.0", "75.0"]


def test_per_class_models_see_no_other_class_so_nothing_is_crossed(run_folder):
    board = board_of(run_folder, cell("per-class", {"a": 2.0, "b": 5.5}))
    assert cross_rates(board, lambda _: SCORES) == []


def test_several_seeds_are_averaged_and_their_images_counted_together(run_folder):
    cells = [
        cell("routed", {None: 1.5}, id="one"),
        cell("routed", {None: 5.5}, id="two", seed=1),
    ]
    board = board_of(run_folder, *cells)
    (table,) = cross_tables(board, cross_rates(board, lambda _: SCORES))
    (line,) = table.lines
    assert [(n.text, n.aside) for n in line.numbers[:2]] == [("25.0", "1 of 4"), ("75.0", "3 of 4")]


def test_a_class_without_a_normal_test_image_has_no_rate() -> None:
    rate = CrossRate(cell("routed", {None: 1.0}), None, "a", 0, 0)
    assert rate.rate is None
    rows = list(csv.DictReader(io.StringIO(cross_csv([rate]))))
    assert (rows[0]["fpr"], rows[0]["normals"], rows[0]["threshold_of"]) == ("", "0", "")


def test_the_csv_holds_every_rate_to_the_last_digit(run_folder):
    board = board_of(run_folder, cell("model-unified", {"a": 2.0, "b": 5.5}))
    rates = cross_rates(board, lambda _: SCORES)
    rows = list(csv.DictReader(io.StringIO(cross_csv(rates))))
    assert [float(row["fpr"]) for row in rows] == [rate.rate for rate in rates]
    assert {row["cell"] for row in rows} == {"model-unified2"}


def test_nearest_rows_are_shared_out_by_class_of_test_images_alone(run_folder):
    samples = ["held-out", *SCORES.samples.tolist()]
    counts = np.array([[0, 99], [4, 0], [3, 1], [0, 4], [1, 3], [0, 4], [2, 2]])
    one = cell("absolute-unified", {None: 1.0})
    shares = neighbour_shares(one, SCORES, samples, counts, ["a", "b"])
    found = {(s.class_name, s.label): s.shares for s in shares}
    assert found == {("a", 0): (7 / 8, 1 / 8), ("a", 1): (0.0, 1.0),
                     ("b", 0): (1 / 8, 7 / 8), ("b", 1): (0.5, 0.5)}  # fmt: skip
    (table,) = neighbour_tables(board_of(run_folder, one), shares)
    assert [line.numbers[-1].text for line in table.lines] == ["12.5", "100.0", "12.5", "50.0"]


def test_a_strip_has_a_mark_for_each_score_and_the_line_of_each_threshold(run_folder):
    cells = [
        cell("absolute-unified", {None: 4.0}, id="one", thresholder="f1"),
        cell("absolute-unified", {None: 6.5}, id="two", thresholder="q"),
    ]
    ((title, (chart,)),) = strip_charts(board_of(run_folder, *cells), lambda _: SCORES)
    assert title == "Absolute-unified"
    assert [cut[2] for cut in chart.cuts] == ["f1 4", "q 6.5"]
    assert [row.normal.count("M") for row in chart.rows] == [2, 2]
    assert [row.text for row in chart.rows] == ["0.0 % · 100.0 %", "100.0 % · 100.0 %"]
    assert places(chart.rows[0].normal)[1] < chart.cuts[0][0] < places(chart.rows[1].normal)[0]


def places(path: str) -> list[float]:
    return [float(x) for x in re.findall(r"M([\d.]+)", path)]


def test_where_the_class_is_known_at_decision_no_strip_is_drawn(run_folder):
    cells = [cell("model-unified", {"a": 1.0, "b": 2.0}), cell("per-class", {"a": 1.0})]
    assert strip_charts(board_of(run_folder, *cells), lambda _: SCORES) == []


def test_scores_that_are_all_the_same_still_have_an_axis(run_folder):
    flat = ImageScores(
        SCORES.samples, SCORES.classes, SCORES.labels, np.ones(6), np.ones(6), SCORES.groups
    )
    board = board_of(run_folder, cell("routed", {None: 1.0}))
    ((_, (chart,)),) = strip_charts(board, lambda _: flat)
    assert [row.normal.count("M") for row in chart.rows] == [1, 1]


def test_of_many_images_the_marks_keep_the_ends(run_folder):
    count = 5000
    many = ImageScores(
        samples=np.array([f"a{i}" for i in range(count)]),
        classes=np.full(count, "a"),
        labels=np.zeros(count, np.int64),
        scores=np.linspace(0.0, 1.0, count),
        threshold=np.full(count, 2.0),
        groups=np.full(count, ""),
    )
    board = board_of(run_folder, cell("routed", {None: 2.0}))
    ((_, (chart,)),) = strip_charts(board, lambda _: many)
    drawn = places(chart.rows[0].normal)
    assert len(drawn) <= MARKS
    assert max(drawn) - min(drawn) > 100
    assert chart.rows[1].text == "none · none"


def view(**changes: Any) -> ViewRecord:
    fields: dict[str, Any] = {
        "id": "v",
        "dataset": "set",
        "extractor": "px",
        "projection": "pca",
        "settings": {"seed": 0, "images": 9},
        "of": 40,
        "samples": ("1", "2", "3", "4"),
        "classes": ("a", "a", "b", "b"),
        "labels": (0, 1, 0, 0),
        "x": (0.0, 1.0, 2.0, 4.0),
        "y": (0.0, 0.0, 1.0, 1.0),
        "explained": (0.5, 0.25),
    }
    return ViewRecord(**{**fields, **changes})


def test_a_scatter_has_a_dot_for_a_normal_and_a_cross_for_an_anomalous_image() -> None:
    ((title, (plot,)),) = scatters([view()])
    assert title == "PCA"
    assert plot.note == "4 of 40 images, axes hold 50.0 % and 25.0 %, seed 0"
    counts = [(c.label, c.normal.count("h0"), c.anomalous.count("l")) for c in plot.clouds]
    assert counts == [("a", 1, 2), ("b", 2, 0)]  # a cross is two strokes
    assert len({cloud.colour for cloud in plot.clouds}) == 2


def test_both_axes_of_a_scatter_have_one_scale() -> None:
    ((_, (plot,)),) = scatters([view()])
    b = plot.clouds[1]
    (x1, y1), (x2, y2) = re.findall(r"M([\d.]+) ([\d.]+)h0", b.normal)
    per_unit = (float(x2) - float(x1)) / 2.0
    (x0, y0) = re.findall(r"M([\d.]+) ([\d.]+)h0", plot.clouds[0].normal)[0]
    assert float(y0) - float(y1) == pytest.approx(per_unit, abs=0.2)
    assert y1 == y2
    assert 0 <= float(x0) <= plot.width
    assert 0 <= float(y0) <= plot.height


def test_points_in_one_place_are_drawn_and_a_missing_view_says_why() -> None:
    ((_, (plot,)),) = scatters([view(x=(1.0,) * 4, y=(2.0,) * 4)])
    assert all("nan" not in cloud.normal for cloud in plot.clouds)
    none: dict[str, Any] = dict.fromkeys(("samples", "classes", "labels", "x", "y"), ())
    gone = view(projection="umap", reason="umap-learn is not installed", **none)
    assert scatters([gone]) == []
    assert unseen([gone]) == ["UMAP of set, px: umap-learn is not installed"]


def test_hostile_names_stay_text_in_the_new_sections(fake_run: Any, tmp_path: Path) -> None:
    folder = fake_run(hostile=True).write(tmp_path)
    run = RunFolder(folder).run()
    classes = tuple(run.datasets[1].classes)
    points = {"samples": ("1", "2", "3"), "labels": (0, 1, 0), "x": (0.0, 1.0, 2.0)}
    RunFolder(folder).put_view(view(classes=classes, y=(0.0, 1.0, 2.0), **points))
    RunFolder(folder).put_run(run.model_copy(update={"views": ["v"]}))
    page = write_report(folder).html.read_text()
    assert 'id="across"' in page
    assert 'id="space"' in page
    assert "<script>alert" not in page
    assert "<b>bold" not in page


def test_the_gap_csv_has_a_line_a_gap_and_says_why_one_is_undefined(run_folder: Path) -> None:
    board = leaderboard(*read_run(run_folder))
    gaps = unification_gaps(board)
    rows = list(csv.DictReader(io.StringIO(gap_csv(gaps))))
    assert len(rows) == len(gaps)
    for row, gap in zip(rows, gaps, strict=True):
        value = gap.score.value
        assert (float(row["value"]) if row["value"] else None) == value
        assert bool(row["reason"]) == (value is None)
    assert {row["versus"] for row in rows} == {"model-unified", "absolute-unified"}


def test_routed_is_compared_with_per_class_too(fake_run: Any, tmp_path: Path) -> None:
    folder = fake_run(faults=False).write(tmp_path)
    run, cells = read_run(folder)
    routed = [
        c.model_copy(update={"protocol": "routed", "id": f"r{c.id}"})
        for c in cells
        if c.protocol == "absolute-unified"
    ]
    asked = run.model_copy(
        update={"cells": [*run.cells, *(c.id for c in routed)],
                "protocols": [*run.protocols, "routed"]}
    )  # fmt: skip
    gaps = unification_gaps(leaderboard(asked, [*cells, *routed]))
    same = {(g.dataset, g.method, g.normalizer, g.thresholder, g.scope, g.metric): g.score
            for g in gaps if g.versus == "absolute-unified"}  # fmt: skip
    found = [g for g in gaps if g.versus == "routed"]
    assert len(found) == len(same)
    for g in found:
        key = (g.dataset, g.method, g.normalizer, g.thresholder, g.scope, g.metric)
        assert g.score.value == same[key].value


def test_a_run_without_scores_has_no_section_and_no_dangling_link(
    fake_run: Any, tmp_path: Path
) -> None:
    folder = fake_run().write(tmp_path)
    for arrays in folder.glob("cells/*/*.npz"):
        arrays.unlink()
    page = write_report(folder).html.read_text()
    assert "#across" not in page
    assert "#space" not in page


def test_cells_of_one_run_read_their_own_scores(run_folder: Path) -> None:
    """The rates of a cell come from its file, by hand."""
    run, cells = read_run(run_folder)
    board = leaderboard(run, cells)
    rates = cross_rates(board, lambda one: read_scores(run_folder, one))
    assert rates
    for rate in rates[:: len(rates) // 20]:
        scores = read_scores(run_folder, rate.cell)
        assert scores is not None
        chosen = (scores.classes == rate.class_name) & (scores.labels == 0)
        cut = next(t.value for t in rate.cell.thresholds if t.class_name == rate.threshold_of)
        assert rate.alarms == sum(s > cut for s in scores.scores[chosen].tolist())
