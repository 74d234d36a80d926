"""`run.json` is there from the beginning: a run that is killed has its provenance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adharness.cli import main
from adharness.engine.events import Event, StageStarted
from adharness.store.folder import RunFolder
from adharness.store.run_record import GivenRecord, RunRecord

SMALL: dict[str, Any] = {"protocols": ["per-class"], "thresholders": [{"use": "f1"}]}


class Killed(BaseException):
    """No Exception: nothing turns it into a failed row."""


def seen_at(bench: Any, stage: str) -> dict[str, Any]:
    """Give `run.json` as it lies when a stage begins."""
    found: dict[str, Any] = {}

    def look(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == stage and not found:
            found.update(json.loads((bench.out / "run.json").read_text()))

    bench.run(wrap=look, **SMALL)
    return found


def test_before_the_first_image_is_extracted_the_record_tells_all_but_results(bench):
    begun = seen_at(bench, "extract")
    assert begun["finished"] is None
    assert begun["cells"] == []
    ended = RunFolder(bench.out).run()
    assert ended.finished
    told = RunRecord.model_validate(begun)
    for name in ("suite_text", "command", "started", "datasets", "methods", "seeds", "split"):
        assert getattr(told, name) == getattr(ended, name)
    assert told.provenance["versions"] == ended.provenance["versions"]
    assert told.provenance["git"] == ended.provenance["git"]


def test_the_cells_of_the_same_question_stay_on_the_board_while_it_is_asked_again(bench):
    first, _ = bench.run(**SMALL)
    assert seen_at(bench, "extract")["cells"] == first.cells
    again: dict[str, Any] = {}

    def look(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "extract":
            again.update(json.loads((bench.out / "run.json").read_text()))

    bench.run(wrap=look, **{**SMALL, "seeds": [1]})
    assert again["cells"] == []


def test_the_record_keeps_what_the_command_line_said_but_no_path(bench, tmp_path):
    only = ["--only", "method=knn", "--only", "normalizer=raw"]
    assert bench.cli("-q", *only, "--data-root", str(tmp_path / "private"), **SMALL) == 0
    record = RunFolder(bench.out).run()
    assert record.given == GivenRecord(data_root=True, only=["method=knn", "normalizer=raw"])
    assert "private" not in record.given.model_dump_json()
    assert list(record.weights) == ["px"]
    assert record.weights["px"]


def test_a_record_of_before_these_fields_still_loads(bench):
    bench.run(**SMALL)
    old = json.loads((bench.out / "run.json").read_text())
    del old["given"], old["weights"]
    assert RunRecord.model_validate(old).given == GivenRecord()


def test_every_command_says_that_a_run_is_not_finished_and_what_to_do(bench, capsys):
    assert bench.cli("-q", **SMALL) == 0
    store = RunFolder(bench.out)
    store.put_run(store.run().model_copy(update={"finished": None, "cells": []}))
    capsys.readouterr()
    assert main.run(["report", str(bench.out)]) == 0
    said = capsys.readouterr().err
    assert "not finished: the board shows 0 cells" in said
    assert "the same command goes on from what is stored" in said
    assert "The run is not finished" in (bench.out / "leaderboard.html").read_text()
    assert main.run(["compare", str(bench.out), str(bench.out)]) == 2
    said = capsys.readouterr().err
    assert "holds no result: its run is not finished" in said
    assert "run the suite again" in said
    assert main.run(["bundle", str(bench.out), "--out", str(bench.folder / "b")]) == 2
    said = capsys.readouterr().err
    assert "is not finished: it was stopped or killed before its end" in said
    assert "give the command that began it again" in said


@pytest.mark.parametrize("stage", ["extract", "judge"])
def test_a_run_that_is_stopped_later_still_has_its_record(bench, stage):
    def stop(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == stage:
            raise Killed

    with pytest.raises(Killed):
        bench.run(wrap=stop, **SMALL)
    record = RunFolder(bench.out).run()
    assert record.finished is None
    assert record.provenance["threads"]
