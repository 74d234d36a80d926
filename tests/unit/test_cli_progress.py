"""Progress where nobody watches, and the command line around a run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from adharness.cli import main, progress
from adharness.engine.events import (
    Event,
    Failed,
    ImageSkipped,
    StageStarted,
    StepDone,
    StepStarted,
)  # fmt: skip
from adharness.store.records import Failure

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    """Time that passes only when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def broken(message: str, what: str = "knn on nut") -> Failed:
    return Failed(what, Failure(stage="judge", type="E", message=message, hint="look there"))


def told(capsys: pytest.CaptureFixture[str], *events: Event, quiet: bool = False) -> list[str]:
    with progress.shown(quiet=quiet) as listener:
        for event in events:
            listener(event)
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.splitlines()


def test_a_stage_ends_with_one_plain_line(clock, capsys):
    steps = [StepDone("extract", 16), StepDone("extract", 4, reused=True)]
    assert told(capsys, StageStarted("extract", 20, "images"), *steps) == [
        "extract: 20/20 images, 4 from before, 0.0 s"
    ]


def test_a_long_stage_tells_the_time_left_now_and_then(clock, capsys):
    with progress.shown() as listener:
        listener(StageStarted("judge", 10, "cells"))
        for _ in range(6):
            clock.now += 2
            listener(StepStarted("judge", "knn"))
            listener(StepDone("judge"))
    assert capsys.readouterr().err.splitlines() == [
        "judge: 3/10 cells, about 14 s left: knn",
        "judge: 6/10 cells, about 8 s left: knn",
    ]


def test_each_stage_counts_from_zero(clock, capsys):
    stage = [StageStarted("judge", 1, "cells"), StepDone("judge", reused=True)]
    again = [StageStarted("judge", 1, "cells"), StepDone("judge")]
    assert told(capsys, *stage, *again)[1] == "judge: 1/1 cells, 0.0 s"


def test_each_mistake_is_told_once_with_its_hint(capsys):
    lines = told(capsys, broken("too few"), broken("too few", "padim on nut"), broken("other"))
    assert [line for line in lines if line.startswith("error:")] == [
        "error: too few", "error: other",
    ]  # fmt: skip
    assert lines[1] == "where: knn on nut (judge)"
    assert lines[2] == "hint:  look there"


def test_quiet_keeps_failures_and_skipped_images_only(capsys):
    steps = [StageStarted("judge", 1, "cells"), StepDone("judge")]
    lines = told(capsys, *steps, broken("x"), ImageSkipped("a.png", "torn"), quiet=True)
    assert lines[0] == "error: x"
    assert lines[-1] == "skipped a.png: torn"
    assert not any("judge:" in line for line in lines)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["check", "-h"]])
def test_help_is_printed_and_is_no_error(capsys, arguments):
    assert main.run(arguments) == 0
    assert "Usage: adharness" in capsys.readouterr().out


def test_every_option_of_run_is_explained(capsys):
    main.run(["run", "--help"])
    text = capsys.readouterr().out
    for option in ("--out", "--data-root", "--cache-dir", "--device", "--only", "--limit",
                   "--fresh", "--keep-stale", "--quiet"):  # fmt: skip
        assert option in text


@pytest.mark.parametrize("arguments", [
    ["rum"], ["run"], ["run", "x.yaml", "--colour"], ["run", "x.yaml", "--limit", "1"],
    ["run", "no-such-suite.yaml"], ["report", "no-such-folder"],
])  # fmt: skip
def test_a_mistake_on_the_command_line_is_one_error_and_exit_code_2(capsys, arguments):
    assert main.run(arguments) == 2
    assert capsys.readouterr().err.count("error:") == 1


def test_the_cache_follows_the_environment(monkeypatch, tmp_path):
    from adharness.cli.run import cache_folder

    monkeypatch.delenv("ADHARNESS_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "adharness"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "adharness"
    monkeypatch.setenv("ADHARNESS_CACHE", "")
    assert cache_folder() == tmp_path / "xdg" / "adharness"
    monkeypatch.setenv("ADHARNESS_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


@pytest.mark.slow
def test_every_suite_of_the_repository_is_checked_without_importing_torch():
    code = """
import sys
from pathlib import Path
from adharness.cli import main
suites = sorted(Path("suites").glob("*.yaml"))
codes = {s.name: main.run(["check", str(s), "--no-estimate"]) for s in suites}
heavy = {"torch", "timm", "faiss", "sklearn"} & set(sys.modules)
print(codes, heavy)
sys.exit(bool(heavy) or not codes or any(codes.values()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]


def test_a_reader_that_leaves_early_is_no_failure():
    """`adharness check ... | head -1`: exit code 1 would say that cells failed."""
    command = [sys.executable, "-c", "from adharness.cli.main import main; main()"]
    with subprocess.Popen(
        [*command, "check", "suites/quickstart.yaml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.wait(30) == 0
