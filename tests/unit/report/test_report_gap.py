from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness.report.formats import DASH
from adharness.report.gap import unification_gaps
from adharness.report.gap_view import gap_charts
from adharness.report.leaderboard import find_value, headline_class, leaderboard
from adharness.report.paired import HEADLINE, Resampler, Resampling
from adharness.report.reading import ImageScores, PixelReplicates, read_run, read_scores
from adharness.statistics import Drawn

METRICS = ["image_auroc", "image_f1"]


def test_a_gap_is_the_per_class_number_minus_the_unified_one(run_folder: Path) -> None:
    board = leaderboard(*read_run(run_folder))
    cells = {(s.group, s.method): s.cells[0] for s in board.standings}
    gaps = [gap for gap in unification_gaps(board) if gap.score.value is not None]
    assert {gap.versus for gap in gaps} == {"model-unified", "absolute-unified"}
    for gap in gaps:
        sides = []
        for (group, method), cell in cells.items():
            same = (group.dataset, method, group.normalizer, group.thresholder)
            if same != (gap.dataset, gap.method, gap.normalizer, gap.thresholder):
                continue
            if group.protocol in ("per-class", gap.versus):
                row = headline_class(group.protocol) if gap.scope == HEADLINE else gap.scope
                sides.append((group.protocol != "per-class", find_value(cell, row, gap.metric)))
        first, second = (value.value for _, value in sorted(sides, key=lambda side: side[0]))
        assert first is not None
        assert second is not None
        assert gap.score.value == pytest.approx(first - second)


def test_means_over_different_classes_are_not_compared(run_folder: Path) -> None:
    board = leaderboard(*read_run(run_folder))
    partial = [
        gap
        for gap in unification_gaps(board)
        if (gap.method, gap.normalizer, gap.thresholder) == ("mahalanobis", "raw", "f1")
        and gap.dataset == "textures"
    ]
    together = [gap for gap in partial if gap.scope in (HEADLINE, "macro", "pooled")]
    assert together
    assert {gap.score.reason for gap in together} == {"per-class: failed for some classes"}
    assert any(gap.score.value is not None for gap in partial if gap.scope == "carpet")


def test_every_interval_of_image_auroc_holds_its_gap(fake_run: Any, tmp_path: Path) -> None:
    folder = fake_run(faults=False, thresholders=["f1"]).write(tmp_path)
    board = leaderboard(*read_run(folder))
    resample = Resampler(
        lambda cell: read_scores(folder, cell), METRICS, Resampling(200, 0.95, 0)
    ).intervals
    gaps = [g for g in unification_gaps(board, resample) if g.metric in METRICS]
    scopes = {HEADLINE, "macro", "pooled", "carpet", "grid", "leather"}
    assert scopes <= {g.scope for g in gaps}
    for gap in gaps:
        assert gap.score.low is not None
        assert gap.score.high is not None
        assert gap.score.value is not None
        assert gap.score.low <= gap.score.value <= gap.score.high


def test_the_same_scores_on_both_sides_leave_no_gap_and_no_width(run_folder: Path) -> None:
    _, cells = read_run(run_folder)
    cell = next(c for c in cells if c.protocol == "model-unified" and c.status == "ok")
    resample = Resampler(
        lambda name: read_scores(run_folder, name), METRICS, Resampling(50, 0.9, 1)
    ).intervals
    intervals = resample(cell, cell)
    scopes = {"carpet", "grid", "leather", "macro", "pooled", HEADLINE}
    assert set(intervals) == {(metric, scope) for metric in METRICS for scope in scopes}
    assert set(intervals.values()) == {(0.0, 0.0)}


def test_cells_that_saw_other_images_have_no_paired_interval(run_folder: Path) -> None:
    _, cells = read_run(run_folder)
    cell = next(c for c in cells if c.status == "ok")
    whole = read_scores(run_folder, cell)
    assert whole is not None
    fewer = ImageScores(*(getattr(whole, name)[1:] for name in ImageScores.__slots__))
    answers = iter([whole, fewer])
    resample = Resampler(lambda _: next(answers), METRICS, Resampling(10, 0.9, 1)).intervals
    assert not resample(cell, cell.model_copy(update={"id": "another"}))


def test_stored_replicates_are_paired_if_they_were_drawn_alike(run_folder: Path) -> None:
    _, cells = read_run(run_folder)
    first, second, third = [c for c in cells if c.status == "ok"][:3]
    keys = [("pixel_ap", scope) for scope in ("carpet", "grid", "pooled")]
    none = np.zeros(0), np.zeros(0, np.int64)
    one, two = (
        {key: Drawn(float("nan"), values, *none) for key, values in zip(keys, drawn, strict=True)}
        for drawn in np.arange(300.0).reshape(2, 3, 50)
    )
    answers = {
        first.id: PixelReplicates("alike", one),
        second.id: PixelReplicates("alike", two),
        third.id: PixelReplicates("otherwise", two),
    }
    resample = Resampler(
        lambda _: None, [], Resampling(50, 0.9, 0), stored=lambda cell: answers.get(cell.id)
    ).intervals
    scopes = ("carpet", "grid", "macro", "pooled")
    expected = {("pixel_ap", scope): (-150.0, -150.0) for scope in scopes}
    found = resample(first, second)
    headline = found.pop(("pixel_ap", HEADLINE))
    shift = 0.0 if headline_class(second.protocol) == "macro" else -75.0
    assert headline == pytest.approx((-150.0 + shift, -150.0 + shift))
    assert found == expected
    assert resample(first, third) == {}


def test_maps_have_bars_of_their_own_where_there_are_masks(run_folder: Path) -> None:
    board = leaderboard(*read_run(run_folder))
    charts = gap_charts(board, unification_gaps(board))
    of_maps = [chart for chart in charts if "region AUPRO 30 %" in chart.title]
    assert {chart.title.partition(":")[0] for chart in of_maps} == {"textures"}
    assert len(of_maps) == 2 * 2  # protocols, normalizers; no thresholder has a say
    assert all(bar.text != DASH for chart in of_maps for bar in chart.bars)


def test_several_seeds_give_a_spread_instead_of_an_interval(fake_run: Any, tmp_path: Path) -> None:
    folder = fake_run(seeds=[0, 1, 2], faults=False, thresholders=["f1"]).write(tmp_path)
    board = leaderboard(*read_run(folder))
    resample = Resampler(
        lambda cell: read_scores(folder, cell), METRICS, Resampling(20, 0.95, 0)
    ).intervals
    for gap in unification_gaps(board, resample):
        assert (gap.score.low, gap.score.high) == (None, None)
        assert gap.score.value is None or gap.score.spread is not None
