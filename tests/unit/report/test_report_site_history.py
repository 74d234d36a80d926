from __future__ import annotations

from typing import Any

import pytest

from adharness.report.formats import DASH
from adharness.report.site_history import drawn, histories
from adharness.report.site_records import SiteCondition, SiteRow, SiteRun
from adharness.report.site_view import method_page, site_index, winners_of

ALIKE = {"split": "a", "metric version": "1"}


def row(value: float | None, **changes: Any) -> SiteRow:
    plain: dict[str, Any] = {
        "dataset": "d", "protocol": "per-class", "method": "knn", "normalizer": "raw",
        "thresholder": "f1", "class_name": "macro", "metric": "image_auroc", "value": value,
        "low": None if value is None else value - 0.1, "high": value, "seeds": 1,
        "rank": None if value is None else 1, "of": 3, "caution": "", "apart": "",
        "judged": "j", "settings": "s", "versions": {"adharness": "0.1.0"},
    }  # fmt: skip
    return SiteRow(**{**plain, **changes})


def run(day: str, *rows: SiteRow, judged: dict[str, str | None] | None = None) -> SiteRun:
    under = {
        name: SiteCondition(key=key, told=key or "not recorded")
        for name, key in (judged or ALIKE).items()
    }
    data = {"name": "d", "use": "u", "classes": 2, "licence": "", "fingerprint": "f"}
    return SiteRun.model_validate(
        {
            "id": f"{day}-x", "suite": "s", "started": f"{day}T00:00:00+00:00", "version": "0.1.0",
            "commit": None, "cells": 1, "failed": 0, "protocols": ["per-class"],
            "datasets": [data], "rows": [one.model_dump() for one in rows],
            "judged": {"j": {name: one.model_dump() for name, one in under.items()}}, "files": {},
        }
    )  # fmt: skip


def test_a_line_joins_only_runs_that_were_judged_alike() -> None:
    other = {**ALIKE, "split": "b"}
    runs = [
        run("2026-01-01", row(0.8)),
        run("2026-02-01", row(0.9)),
        run("2026-03-01", row(0.7), judged=other),
        run("2026-04-01", row(0.75), judged=other),
    ]
    history = histories(runs, "knn")[0]
    assert [point.breaks for point in history.points] == [(), (), ("split: a | b",), ()]
    chart = drawn(history)
    assert chart is not None
    assert [path.count("L") for path in chart.paths] == [1, 1]
    assert len(chart.cuts) == 1
    assert len(chart.dots) == 4
    assert chart.dots[1].y < chart.dots[0].y  # better is higher


@pytest.mark.parametrize("second", [{"split": None, "metric version": "1"}, {"split": "a"}])
def test_what_is_not_recorded_is_never_joined(second: dict[str, str | None]) -> None:
    runs = [run("2026-01-01", row(0.8)), run("2026-02-01", row(0.9), judged=second)]
    assert histories(runs, "knn")[0].points[1].breaks
    runs.reverse()
    assert histories(runs, "knn")[0].points[1].breaks


def test_an_undefined_number_is_a_gap_and_the_next_is_compared_with_the_last_defined() -> None:
    other = {**ALIKE, "split": "b"}
    runs = [
        run("2026-01-01", row(0.8)),
        run("2026-02-01", row(None), judged=other),
        run("2026-03-01", row(0.9)),
    ]
    history = histories(runs, "knn")[0]
    assert history.points[1].number == DASH
    assert not history.points[2].breaks
    chart = drawn(history)
    assert chart is not None
    assert len(chart.dots) == 2
    assert drawn(histories(runs[:2], "knn")[0]) is None


def test_runs_of_one_day_do_not_lie_on_each_other() -> None:
    runs = [run("2026-01-01", row(0.8)), run("2026-01-01", row(0.9)), run("2026-01-02", row(0.9))]
    chart = drawn(histories(runs, "knn")[0])
    assert chart is not None
    xs = [dot.x for dot in chart.dots]
    assert xs == sorted(set(xs))
    assert len(xs) == 3


def test_other_settings_of_the_method_are_told_but_break_nothing() -> None:
    runs = [run("2026-01-01", row(0.8)), run("2026-02-01", row(0.9, settings="t"))]
    point = histories(runs, "knn")[0].points[1]
    assert point.changed
    assert not point.breaks


def test_suites_data_sets_protocols_and_normalizers_are_series_of_their_own() -> None:
    rows = [row(0.8), row(0.7, protocol="routed"), row(0.6, dataset="e"), row(0.5, normalizer="z")]
    other = run("2026-02-01", *rows).model_copy(update={"suite": "t"})
    found = histories([run("2026-01-01", *rows), other], "knn")
    assert len(found) == 8
    assert all(len(history.points) == 1 for history in found)
    assert [suite for suite, _ in method_page("T", "knn", [other]).suites] == ["t"]


def test_of_several_thresholders_the_first_ranked_one_is_shown() -> None:
    rows = [row(0.8, rank=None, caution="failed"), row(0.8, thresholder="q")]
    points = histories([run("2026-01-01", *rows)], "knn")[0].points
    assert [point.standing for point in points] == ["1 of 3"]


def test_methods_that_share_the_first_rank_lead_together() -> None:
    rows = [
        row(0.90),
        row(0.91, method="padim"),
        row(0.80, method="spade", rank=3),
        row(0.85, method="gmm", normalizer="z"),
        row(0.99, method="cut", apart="crop"),
        row(0.99, method="bound", rank=None, caution="upper bound"),
    ]
    names = [one.method for one in winners_of(run("2026-01-01", *rows), "d", "per-class")]
    assert names == ["padim", "knn"]
    latest = site_index("T", [run("2026-01-01", *rows)]).suites[0].latest
    first = latest.winners[0][1][0]
    assert first is not None
    assert [link.text for link in first.methods] == ["padim", "knn"]


def test_nobody_leads_where_no_line_is_ranked() -> None:
    index = site_index("T", [run("2026-01-01", row(None))])
    assert index.suites[0].latest.winners == (("d", (None,)),)


def test_the_suite_of_the_newest_run_comes_first_with_its_newest_run() -> None:
    old = run("2026-01-01", row(0.8)).model_copy(update={"suite": "old"})
    index = site_index("T", [old, run("2026-02-01", row(0.8)), run("2026-03-01", row(0.9))])
    assert [(suite.name, suite.latest.date) for suite in index.suites] == [
        ("s", "2026-03-01"), ("old", "2026-01-01"),
    ]  # fmt: skip
    assert [earlier.date for earlier in index.suites[0].earlier] == ["2026-02-01"]
    assert index.subtitle == "2 suites, 3 runs, 1 method"
