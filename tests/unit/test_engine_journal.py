"""The journal of a run: one run a folder, every event kept, torn ends forgiven."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from adharness.engine.events import (
    CacheMended,
    Failed,
    ImageSkipped,
    StageStarted,
    StepDone,
    StepProgress,
    StepStarted,
)
from adharness.engine.journal import JOURNAL, is_held, journaled, read_journal
from adharness.engine.run_state import run_state
from adharness.errors import StoreError
from adharness.store.records import Failure

FAILURE = Failure(stage="fit", type="E", message="no \u2028 good", traceback="x\ny")
EVENTS = [
    StageStarted("extract", 20, "images"),
    StepStarted("extract", "brick"),
    StepDone("extract", 16),
    StepDone("extract", 4, reused=True),
    StageStarted("judge", 10, "cells"),
    StepStarted("judge", "knn"),
    StepProgress("judge", 1, 2, "maps"),
    StepDone("judge", 3),
    Failed("padim on brick", FAILURE),
    ImageSkipped("a.png", "torn"),
    CacheMended("patches.npy"),
]


def write(out: Path, count: int = len(EVENTS)) -> None:
    with journaled(out, "adharness run x", 10) as listener:
        for event in EVENTS[:count]:
            listener(event)


def test_every_event_is_one_line_in_order(tmp_path):
    write(tmp_path)
    text = (tmp_path / JOURNAL).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines] == [
        "run_started", "stage_started", "step_started", "step_done", "step_done", "stage_started",
        "step_started", "step_progress", "step_done", "failed", "image_skipped", "cache_mended",
        "run_finished",
    ]  # fmt: skip
    assert lines[0]["pid"] == os.getpid()
    assert lines[9]["failure"]["message"] == FAILURE.message
    assert read_journal(tmp_path) == lines


def test_an_event_is_there_before_the_next_one_is_told(tmp_path):
    with journaled(tmp_path, "x", 1) as listener:
        listener(EVENTS[0])
        assert [line["event"] for line in read_journal(tmp_path)] == [
            "run_started",
            "stage_started",
        ]


def test_only_the_last_run_counts(tmp_path):
    write(tmp_path)
    write(tmp_path, 1)
    assert [line["event"] for line in read_journal(tmp_path)] == [
        "run_started", "stage_started", "run_finished",
    ]  # fmt: skip
    assert len((tmp_path / JOURNAL).read_text().splitlines()) == len(EVENTS) + 2 + 3


@pytest.mark.parametrize(
    "end", ['{"event": "step_d', "\x00\x00", '{"event": 3}', "[1]", "[" * 9999]
)
def test_a_torn_last_line_is_left_out(tmp_path, end):
    write(tmp_path)
    whole = read_journal(tmp_path)
    with (tmp_path / JOURNAL).open("a") as file:
        file.write(end)
    assert read_journal(tmp_path) == whole


def test_two_runs_cannot_write_to_one_folder(tmp_path):
    with journaled(tmp_path, "x", 1):
        assert is_held(tmp_path)
        with pytest.raises(StoreError, match="another run writes to") as caught:
            write(tmp_path)
        assert "adharness status" in (caught.value.hint or "")
        assert [line["event"] for line in read_journal(tmp_path)] == ["run_started"]
    assert not is_held(tmp_path)
    write(tmp_path)


def test_what_a_killed_run_left_half_written_is_swept(tmp_path):
    cell = tmp_path / "cells" / "ab"
    cell.mkdir(parents=True)
    for name in (".scores.npz.k3_9fa0x", "scores.npz", ".hidden", ".keep.txt"):
        (cell / name).write_text("x")
    write(tmp_path)
    assert sorted(path.name for path in cell.iterdir()) == [".hidden", ".keep.txt", "scores.npz"]


def test_a_folder_that_cannot_be_written_is_told_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(StoreError, match="cannot write"),
        journaled(tmp_path / "file" / "o", "x", 1),
    ):
        pytest.fail("the block must not run")


def test_the_state_tells_stages_failures_and_what_was_reused(tmp_path):
    write(tmp_path)
    state = run_state(tmp_path)
    assert state.state == "finished"
    assert [(s.stage, s.done, s.total, s.reused) for s in state.stages] == [
        ("extract", 20, 20, 4),
        ("judge", 3, 10, 0),
    ]
    assert state.stages[0].left_s is None
    assert state.stages[1].left_s == pytest.approx(state.stages[1].seconds / 3 * 7)
    assert (state.failed, state.skipped, state.what) == (["padim on brick"], 1, "knn")


def test_a_run_that_ended_without_a_word_was_killed(tmp_path):
    write(tmp_path)
    lines = (tmp_path / JOURNAL).read_text().splitlines(keepends=True)
    (tmp_path / JOURNAL).write_text("".join(lines[:-1]))
    assert run_state(tmp_path).state == "killed"


def test_a_run_that_an_error_ended_was_stopped(tmp_path):
    def interrupted() -> None:
        with journaled(tmp_path, "x", 1):
            assert run_state(tmp_path).state == "running"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert run_state(tmp_path).state == "stopped"


def test_a_folder_without_a_journal_has_no_state(tmp_path):
    with pytest.raises(StoreError, match="no journal"):
        run_state(tmp_path / "none")
