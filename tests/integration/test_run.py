"""From a suite to a board, and again from what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness import ContractError, FittedScorer, Params, ScorerSpec, Scores
from adharness.cli import main
from adharness.contracts import FeatureGrid, Memory
from adharness.engine.events import Event, Failed, StepDone
from adharness.store.folder import RunFolder

pytestmark = pytest.mark.slow


class NoParams(Params):
    """Nothing to set."""


def faulty(name: str, score: Callable[[FeatureGrid], Scores]) -> ScorerSpec:
    """A scorer that fits on anything and scores as the test says."""

    class Faulty:
        def fit(self, memory: Memory, rng: np.random.Generator) -> FittedScorer:
            return self

        def score(self, features: FeatureGrid) -> Scores:
            return score(features)

    return ScorerSpec(
        name=name, params=NoParams, make=lambda _: Faulty(), needs="bag", summary="faulty"
    )


def one_method(scorer: str) -> dict[str, Any]:
    return {
        "name": scorer, "extractor": "px", "bank": {"use": "all"}, "scorer": {"use": scorer}
    }  # fmt: skip


def models_fitted(events: list[Event]) -> int:
    return sum(e.count for e in events if _is(e, "fit and score") and not e.reused)


def cells_judged(events: list[Event]) -> int:
    return sum(e.count for e in events if _is(e, "judge") and not e.reused)


def _is(event: Event, stage: str) -> bool:
    return isinstance(event, StepDone) and event.stage == stage


def rows_of(out: Path) -> list[dict[str, Any]]:
    return json.loads((out / "leaderboard.json").read_text())["rows"]


def test_a_suite_becomes_a_board(bench, capsys):
    assert bench.cli() == 0
    printed = capsys.readouterr()
    assert str(bench.out / "leaderboard.html") in printed.out
    rows = rows_of(bench.out)
    cells = 2 * 3 * 2 * 2  # methods, protocols, normalizers, thresholders
    assert len(rows) == cells * (3 + 2)  # three classes, macro and pooled
    assert {r["status"] for r in rows} == {"ok"}
    auroc = next(r for r in rows if r["class"] == "macro")["metrics"]["image_auroc"]
    assert 0 <= auroc["low"] <= auroc["value"] <= auroc["high"] <= 1
    for name in ("leaderboard.html", "leaderboard.csv", "run.json"):
        assert (bench.out / name).stat().st_size > 0


def test_each_model_is_fitted_once_and_a_second_run_fits_none(bench):
    bench.run()
    assert models_fitted(bench.events) == 2 * (3 + 1)  # a method: three classes and merged
    first = {p: p.stat().st_mtime_ns for p in bench.out.rglob("*.npz")}
    bench.run()
    assert models_fitted(bench.events) == 0
    assert cells_judged(bench.events) == 0
    assert {p: p.stat().st_mtime_ns for p in bench.out.rglob("*.npz")} == first


def test_a_new_thresholder_or_metric_fits_nothing(bench):
    bench.run()
    added = [{"use": "f1"}, {"use": "quantile", "q": 0.8}, {"use": "youden"}]
    _, cells = bench.run(thresholders=added)
    assert models_fitted(bench.events) == 0
    assert cells_judged(bench.events) == 12
    assert len(cells) == 36
    bench.run(thresholders=added, metrics=["image_ap"])
    assert models_fitted(bench.events) == 0
    assert cells_judged(bench.events) == 36


def test_fresh_fits_again_and_gives_the_same_numbers(bench):
    _, first = bench.run()
    _, again = bench.run(out="other")
    assert models_fitted(bench.events) == 8
    assert [c.rows for c in first] == [c.rows for c in again]
    assert [c.id for c in first] == [c.id for c in again]


def test_results_of_other_versions_are_made_again_unless_kept(bench):
    from adharness.engine.score import Reuse

    bench.run()
    for path in (bench.out / "scorings").glob("*/result.json"):
        path.write_text(path.read_text().replace('"adharness": "0.1.0"', '"adharness": "0.0.9"'))
    bench.run(reuse=Reuse(keep_stale=True))
    assert models_fitted(bench.events) == 0
    bench.run()
    assert models_fitted(bench.events) == 8


@pytest.mark.parametrize("stop_after", [3, 9, 14, 20])
def test_an_interrupted_run_goes_on_and_ends_the_same(bench, stop_after):
    _, whole = bench.run(out="whole")
    steps = 0

    def stop(event: Event) -> None:
        nonlocal steps
        steps += isinstance(event, StepDone)
        if steps == stop_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.run(wrap=stop)
    assert RunFolder(bench.out).run().finished is None
    _, resumed = bench.run()
    assert [c.rows for c in resumed] == [c.rows for c in whole]
    assert RunFolder(bench.out).run().finished is not None


def test_a_damaged_result_is_found_and_made_again(bench):
    _, cells = bench.run()
    damaged = bench.out / "cells" / cells[0].id / "scores.npz"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    _, again = bench.run()
    assert cells_judged(bench.events) == 1
    assert again[0].rows == cells[0].rows


@pytest.mark.parametrize("name", ["patches.npy", "entry.json"])
def test_a_damaged_cache_entry_is_extracted_again(bench, name):
    bench.run()
    entry = next((bench.cache / "features").glob(f"*/{name}"))
    entry.write_bytes(entry.read_bytes()[: entry.stat().st_size // 2])
    bench.run(out="other")
    extracted = [e for e in bench.events if _is(e, "extract")]
    assert sum(e.count for e in extracted if not e.reused) == 22


def test_a_method_that_fails_is_a_failed_row_and_the_others_stand(bench):
    def explode(features: FeatureGrid) -> Scores:
        raise ContractError("the wheel came off")

    _, cells = bench.run(
        extra=[faulty("explodes", explode)],
        methods=[one_method("explodes"), one_method("knn-faiss")],
    )
    by_method = {c.method: c.status for c in cells}
    assert by_method == {"explodes": "failed", "knn-faiss": "ok"}
    row = next(c for c in cells if c.method == "explodes").rows[0]
    assert row.failure
    assert row.failure.message == "the wheel came off"
    assert "Traceback" in row.failure.traceback
    assert sum(isinstance(e, Failed) for e in bench.events) == 4  # once a model, not once a cell


def test_a_failed_cell_is_tried_again_the_next_time(bench):
    def explode(features: FeatureGrid) -> Scores:
        raise ContractError("the wheel came off")

    def work(features: FeatureGrid) -> Scores:
        return Scores(patches=features.patches.mean(axis=-1))

    methods = {"methods": [one_method("moody")]}
    bench.run(extra=[faulty("moody", explode)], **methods)
    _, cells = bench.run(extra=[faulty("moody", work)], **methods)
    assert {c.status for c in cells} == {"ok"}


@pytest.mark.parametrize(
    ("name", "score", "says"),
    [
        ("nan", lambda f: Scores(patches=np.full(f.patches.shape[:3], np.nan, np.float32)),
         "not finite"),
        ("flat", lambda f: Scores(patches=np.zeros((1, 4), np.float32)), "has shape (1, 4)"),
        ("silent", lambda f: Scores(), "neither patch scores nor image scores"),
        ("broken", lambda f: 1 / 0, "division by zero"),
    ],
)  # fmt: skip
def test_scores_that_break_the_contract_fail_their_cell(bench, name, score, says):
    _, cells = bench.run(extra=[faulty(name, score)], methods=[one_method(name)])
    assert {c.status for c in cells} == {"failed"}
    failure = cells[0].rows[0].failure
    assert failure
    assert says in failure.message


def test_a_failure_in_one_class_leaves_the_other_classes_standing(bench):
    calls = 0

    def sometimes(features: FeatureGrid) -> Scores:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ContractError("the first image of the first class")
        return Scores(patches=features.patches.mean(axis=-1))

    _, cells = bench.run(
        extra=[faulty("sometimes", sometimes)],
        methods=[one_method("sometimes")],
        protocols=["per-class"],
    )
    cell = cells[0]
    assert cell.status == "partial"
    assert [r.status for r in cell.rows] == ["failed", "ok", "ok", "failed", "failed"]
    assert cell.rows[-1].failure
    assert cell.rows[-1].failure.message == "1 of 3 classes failed: brick"


def test_the_exit_code_is_1_where_a_cell_failed(bench, capsys):
    too_many = {
        "name": "greedy", "extractor": "px", "bank": {"use": "coreset", "ratio": 0.01},
        "scorer": {"use": "patchcore", "neighbours": 500},
    }  # fmt: skip
    assert bench.cli(methods=[too_many]) == 1
    printed = capsys.readouterr()
    assert "500" in printed.err
    assert 1 <= printed.err.count("error:") <= 4  # one a mistake, not one a cell
    assert {r["status"] for r in rows_of(bench.out)} == {"failed"}


def test_only_runs_the_chosen_cells_and_names_what_there_is(bench, capsys):
    assert bench.cli("--only", "method=knn", "--only", "protocol=per-class") == 0
    assert {(r["method"], r["protocol"]) for r in rows_of(bench.out)} == {("knn", "per-class")}
    assert bench.cli("--only", "method=kn") == 2
    assert "did you mean 'knn'?" in capsys.readouterr().err
    assert bench.cli("--only", "colour=red") == 2
    assert "unknown key 'colour'" in capsys.readouterr().err


def test_a_limited_run_uses_fewer_images(bench):
    assert bench.cli("--limit", "8") == 0
    record = RunFolder(bench.out).run()
    counts = record.datasets[0].counts["brick"]
    assert counts["train"] + counts["calibration_normal"] == 8
    assert counts["test_normal"] == 5


def test_image_scores_alone_leave_pixel_metrics_undefined_with_a_reason(bench):
    _, cells = bench.run()
    whole = next(c for c in cells if c.method == "whole")
    value = whole.rows[0].metrics["pixel_auroc"]
    assert value.value is None
    assert value.reason == "the scorer gives image scores only, no map"


def test_the_class_is_an_upper_bound_only_where_the_protocol_hides_it(bench):
    _, cells = bench.run()
    oracle = {(c.protocol, c.normalizer) for c in cells if c.class_oracle}
    assert oracle == {("absolute-unified", "zscore")}


def test_the_board_can_be_written_again_from_what_is_stored(bench, capsys):
    from adharness.cli import main

    bench.cli()
    before = (bench.out / "leaderboard.json").read_bytes()
    (bench.out / "leaderboard.json").unlink()
    assert main.run(["report", str(bench.out)]) == 0
    assert (bench.out / "leaderboard.json").read_bytes() == before
    assert main.run(["report", str(bench.cache)]) == 2
    assert "run.json" in capsys.readouterr().err


def test_status_and_the_journal_tell_of_a_run_and_of_one_that_resumes(bench, capsys):
    small: dict[str, Any] = {"protocols": ["per-class"], "thresholders": [{"use": "f1"}]}
    assert bench.cli("--json", **small) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["event"] == "run_started"
    assert lines[-1]["event"] == "run_finished"
    assert main.run(["status", str(bench.out)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("finished: 4 cells")
    assert bench.cli("-q", **small) == 0
    capsys.readouterr()
    assert main.run(["status", str(bench.out), "--json"]) == 0
    stages = {s["stage"]: s for s in json.loads(capsys.readouterr().out)["stages"]}
    assert stages["judge"]["reused"] == stages["judge"]["done"] == stages["judge"]["total"]
    assert main.run(["status", str(bench.folder / "nothing")]) == 2
    assert "has no journal of a run" in capsys.readouterr().err
