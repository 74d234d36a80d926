"""Cells in processes of their own: the same numbers, and whatever dies fails alone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import hostile_plugin
from adharness.engine.journal import read_journal
from adharness.engine.work import worker
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Failure
from brick_suite import SMALL

BANK = {"use": "random", "ratio": 0.5}
pytestmark = pytest.mark.timeout(120)  # each run starts processes that import everything anew


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = hostile_plugin.install(tmp_path / "plugin")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    )
    return folder


def methods(does: str, **told: Any) -> list[dict[str, Any]]:
    """A bad method between two good ones: what follows must run too."""
    bad = {"use": "hostile", "does": does, **told}
    whole = {"bank": {"use": "images"}, "scorer": {"use": "mahalanobis"}}
    return [
        {"name": "before", "extractor": "px", "bank": BANK, "scorer": {"use": "knn-faiss"}},
        {"name": "bad", "extractor": "px", "bank": BANK, "scorer": bad},
        {"name": "whole", "extractor": "px", **whole},
    ]


def cells_of(bench: Any) -> dict[str, CellRecord]:
    folder = RunFolder(bench.out)
    found = [folder.cell(name) for name in folder.run().cells]
    return {cell.method: cell for cell in found if cell}


def failure_of(cell: CellRecord) -> Failure:
    assert cell.status == "failed"
    failure = cell.rows[0].failure
    assert failure is not None
    return failure


def arrays_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.npz"))}


def test_processes_give_what_one_process_gives_to_the_byte(bench: Any) -> None:
    many = bench.folder / "many"
    assert bench.cli() == 0
    assert bench.cli("--jobs", "2", "--out", str(many), "--cache-dir", str(many / "cache")) == 0
    assert arrays_of(many)
    for folder in ("cells", "scorings"):
        assert arrays_of(many / folder) == arrays_of(bench.out / folder)
    assert (many / "leaderboard.csv").read_bytes() == (bench.out / "leaderboard.csv").read_bytes()


def test_the_libraries_of_the_processes_are_in_the_provenance(bench: Any) -> None:
    assert bench.cli("--jobs", "2", "-q", **SMALL) == 0
    told = RunFolder(bench.out).run().provenance
    assert told["threads"]["environment"]["OMP_NUM_THREADS"] == "1" or os.cpu_count() != 2
    assert "threads" in told["faiss"]


def test_a_run_in_processes_is_found_done_by_the_next_in_this_one(bench: Any) -> None:
    assert bench.cli("--jobs", "2", **SMALL) == 0
    assert bench.cli("--json", **SMALL) == 0
    steps = [line for line in read_journal(bench.out) if line["event"] == "step_done"]
    assert {line["stage"] for line in steps if line["reused"]} == {
        "extract",
        "fit and score",
        "judge",
    }
    assert not [line for line in steps if line["stage"] != "survey" and not line["reused"]]


@pytest.mark.parametrize(
    ("does", "kind", "says"),
    [
        ("segfault", "Crash", "SIGSEGV"),
        ("abort", "Crash", "SIGABRT"),
        ("killed", "Killed", "was killed"),
        ("leave", "Exit", "status 3"),
        ("quit", "Exit", "status 1"),
        ("raise_", "RuntimeError", "cannot fit"),
    ],
)
def test_what_kills_its_process_is_a_failed_row_and_the_others_go_on(
    bench: Any, hostile: Path, does: str, kind: str, says: str
) -> None:
    assert bench.cli("--jobs", "1", "-q", methods=methods(does), **SMALL) == 1
    cells = cells_of(bench)
    failure = failure_of(cells["bad"])
    assert (failure.type, failure.stage) == (kind, "fit and score")
    assert says in failure.message
    assert cells["before"].status == cells["whole"].status == "ok"


def test_a_crash_in_native_code_shows_where_python_was(bench: Any, hostile: Path) -> None:
    bench.cli("--jobs", "1", "-q", methods=methods("segfault"), **SMALL)
    traceback = failure_of(cells_of(bench)["bad"]).traceback
    assert "Segmentation fault" in traceback
    assert "in segfault" in traceback


def test_a_crash_fails_its_class_and_no_other_method(bench: Any, hostile: Path) -> None:
    data = [{**SMALL["data"][0], "classes": ["brick", "gravel"]}]
    told = {**SMALL, "data": data}
    told |= {"protocols": ["per-class"], "methods": methods("segfault")}
    assert bench.cli("--jobs", "2", "-q", **told) == 1
    assert failure_of(cells_of(bench)["bad"]).type == "Crash"
    assert cells_of(bench)["whole"].status == "ok"


def test_what_takes_too_long_is_ended_and_says_so(bench: Any, hostile: Path) -> None:
    limits = {"time_s": 15}  # a good method needs one, and the machine may be busy
    assert bench.cli("-q", methods=methods("sleep"), limits=limits, **SMALL) == 1
    failure = failure_of(cells_of(bench)["bad"])
    assert failure.type == "TimeLimit"
    assert failure.message.endswith("time_s is 15")
    assert "limits:" in (failure.hint or "")


def test_what_takes_too_much_memory_is_ended_and_says_so(bench: Any, hostile: Path) -> None:
    limits = {"memory_mb": 900}
    assert bench.cli("-q", methods=methods("grow"), limits=limits, **SMALL) == 1
    failure = failure_of(cells_of(bench)["bad"])
    assert failure.type == "MemoryLimit"
    held = re.search(r"held (\d+) MB; memory_mb is 900", failure.message)
    assert held
    assert 900 <= int(held[1]) < 3000


def test_a_crash_is_tried_again_as_often_as_the_suite_says(bench: Any, hostile: Path) -> None:
    flaky = methods("flaky", mark=str(bench.folder / "mark"))
    assert bench.cli("-q", methods=flaky, limits={"retries": 1}, **SMALL) == 0
    told = [line for line in read_journal(bench.out) if line["event"] == "retried"]
    assert [(line["what"], line["attempt"]) for line in told] == [("bad on all classes", 1)]


def test_what_a_plugin_prints_is_kept_in_the_journal(bench: Any, hostile: Path) -> None:
    assert bench.cli("--jobs", "1", "-q", methods=methods("chatter"), **SMALL) == 0
    told = [line["text"] for line in read_journal(bench.out) if line["event"] == "printed"]
    assert any("one line of print" in text and "one line of warning" in text for text in told)


def test_what_a_plugin_leaves_running_is_ended_with_it(bench: Any, hostile: Path) -> None:
    mark = bench.folder / "mark"
    assert bench.cli("--jobs", "1", "-q", methods=methods("fork", mark=str(mark)), **SMALL) == 0
    pid = int(mark.read_text())
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    pytest.fail("it runs still")


def test_the_processes_end_with_the_run(bench: Any) -> None:
    assert bench.cli("--jobs", "2", "-q", **SMALL) == 0
    ours = [" ".join(one.cmdline()) for one in psutil.Process().children(recursive=True)]
    assert not [line for line in ours if "adharness.engine.work.process" in line]


def test_a_process_works_from_the_first_look_at_the_data_to_the_last_cell(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that took ten seconds to import is not thrown away with who imported it."""
    begun: list[Any] = []

    class Counted(subprocess.Popen[bytes]):
        def __init__(self, arguments: Any, **how: Any) -> None:
            super().__init__(arguments, **how)
            begun.append(arguments)

    monkeypatch.setattr(worker.subprocess, "Popen", Counted)
    assert bench.cli("--jobs", "1", "-q", **SMALL) == 0
    assert len([one for one in begun if "adharness.engine.work.process" in one]) == 1


def test_a_suite_that_a_worker_cannot_bind_ends_the_run_with_that(
    bench: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The plugin is here, and not where the workers look."""
    monkeypatch.syspath_prepend(hostile_plugin.install(tmp_path / "plugin"))
    assert bench.cli("--jobs", "1", "-q", methods=methods("segfault"), **SMALL) == 2
    assert "unknown scorer 'hostile'" in capsys.readouterr().err
