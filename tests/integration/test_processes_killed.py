"""A run in processes that is killed leaves nothing running, and ends with the same board."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from adharness.engine.journal import read_journal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
WORKER = "adharness.engine.work.process"
FEWER = {"protocols": ["per-class"], "thresholders": [{"use": "f1"}]}


def board(out: Path) -> dict[str, bytes]:
    files = [*out.glob("cells/*/*.npz"), *out.glob("scorings/*/*.npz"), out / "leaderboard.csv"]
    assert len(files) > 3
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


def begun(bench: Any) -> subprocess.Popen[bytes]:
    where = ["--out", str(bench.out), "--cache-dir", str(bench.cache)]
    line = [sys.executable, "-c", "from adharness.cli.main import main; main()", "run"]
    line += [str(bench.suite(**FEWER)), *where, "--jobs", "2", "-q"]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL)


def wait_for(true: Callable[[], object], what: str, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def models_begun(bench: Any, count: int) -> bool:
    told = [line for line in read_journal(bench.out) if line["event"] == "step_started"]
    return sum(line["stage"] == "fit and score" for line in told) >= count


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    return [one for one in process.children() if WORKER in " ".join(one.cmdline())]


@pytest.fixture
def whole(bench: Any) -> dict[str, bytes]:
    assert bench.cli("-q", "--out", str(bench.folder / "whole"), **FEWER) == 0
    return board(bench.folder / "whole")


def test_a_killed_run_takes_its_processes_along_and_is_resumed(bench: Any, whole: Any) -> None:
    with begun(bench) as run:
        wait_for(lambda: models_begun(bench, 2) or run.poll() is not None, "models")
        ours = psutil.Process(run.pid).children(recursive=True)
        os.kill(run.pid, signal.SIGKILL)
    wait_for(lambda: not [one for one in ours if one.is_running()], "its processes to end")
    assert bench.cli("-q", **FEWER) == 0
    assert board(bench.out) == whole


def test_a_working_process_that_is_killed_is_replaced(bench: Any, whole: Any) -> None:
    """Its unit is lost, and the board says so; the next run makes it."""
    with begun(bench) as run:
        wait_for(lambda: models_begun(bench, 1) or run.poll() is not None, "models")
        for one in workers_of(psutil.Process(run.pid)):
            one.kill()
    assert run.returncode in (0, 1)
    assert bench.cli("-q", **FEWER) == 0
    assert board(bench.out) == whole
