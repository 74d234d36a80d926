"""Runs on a Dask cluster of real processes: the same board, whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hostile_plugin
from adharness.engine.journal import read_journal
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from dask_here import DaskHere, is_joined, is_running, until

pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # a dozen processes import everything
BANK = {"use": "random", "ratio": 0.5}
TEXTURES = {"use": "textures", "size": 64, "train": 10, "good": 5, "per_defect": 1}
ONE_MODEL: dict[str, Any] = {
    "data": [{**TEXTURES, "classes": ["brick"]}],
    "protocols": ["model-unified"],
    "statistics": {"bootstrap": 0},
}
ON_SLOTS = ["--resource", "extract:SLOT=1", "--resource", "fit:SLOT=1"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The plugin, for this process and those that it starts."""
    folder = hostile_plugin.install(tmp_path_factory.mktemp("plugin"))
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", path)
        yield folder


@pytest.fixture(scope="module")
def dask(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskHere]:
    allowed = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    made = DaskHere(tmp_path_factory.mktemp("dask"), allowed)
    try:
        made.start_scheduler()
        made.start_workers(2)
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def mark(shared_bench: Any) -> Path:
    """Where the lingering scorer writes its number down, once for each time that it is begun."""
    made: Path = shared_bench.folder / "mark"
    made.with_suffix(".go").touch()
    return made


@pytest.fixture(scope="module")
def told(mark: Path) -> dict[str, Any]:
    """Two classes, two protocols, three methods of which one lingers until it is let go on."""
    whole = {"bank": {"use": "images"}, "scorer": {"use": "mahalanobis"}}
    linger = {"use": "hostile", "does": "linger", "mark": str(mark), "images": 16}
    return {
        "data": [{**TEXTURES, "classes": ["brick", "gravel"]}],
        "protocols": ["per-class", "absolute-unified"],
        "methods": [
            {"name": "knn", "extractor": "px", "bank": BANK, "scorer": {"use": "knn-faiss"}},
            {"name": "linger", "extractor": "px", "bank": BANK, "scorer": linger},
            {"name": "whole", "extractor": "px", **whole},
        ],
        "thresholders": [{"use": "f1"}],
        "metrics": ["image_auroc", "pixel_auroc"],
    }


@pytest.fixture(scope="module")
def local(shared_bench: Any, hostile: Path, told: dict[str, Any]) -> Path:
    """The run that all others must equal: in this process."""
    assert shared_bench.cli("-q", **told) == 0
    out: Path = shared_bench.out
    return out


@pytest.fixture
def on_cluster(bench: Any, dask: DaskHere) -> Callable[..., int]:
    def run(*options: str, **changes: Any) -> int:
        code: int = bench.cli("-q", "--scheduler", dask.address, *options, **changes)
        return code

    return run


def arrays_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.npz"))}


def results_of(folder: Path) -> dict[str, Any]:
    """Every result but for what it cost."""

    def untimed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {k: v for k, v in pairs if k != "costs" and not k.endswith("_ms")}

    return {
        str(path.relative_to(folder)): json.loads(path.read_text(), object_pairs_hook=untimed)
        for path in sorted(folder.glob("*/*/result.json"))
    }


def assert_same_board(out: Path, local: Path) -> None:
    assert arrays_of(local)
    assert arrays_of(out) == arrays_of(local)
    assert results_of(out) == results_of(local)
    assert (out / "leaderboard.csv").read_bytes() == (local / "leaderboard.csv").read_bytes()


def lines_of(mark: Path) -> list[int]:
    """Numbers of the processes in which the scorer was begun; a line may be half written."""
    text = mark.read_text() if mark.exists() else ""
    return [int(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def meanwhile(mark: Path, acts: Callable[[int], None]) -> threading.Thread:
    """Once the scorer is at work, act, which kills it, then let the next one go on.

    Its process hears of the death a moment later; let go before, it could end its work.
    """
    go = mark.with_suffix(".go")
    mark.unlink(missing_ok=True)
    go.unlink(missing_ok=True)

    def watch() -> None:
        try:
            until(lambda: bool(lines_of(mark)), "the scorer")
            pid = lines_of(mark)[0]
            acts(pid)
            until(lambda: not is_running(pid), "the scorer's end")
        finally:
            go.touch()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_a_cluster_gives_what_one_process_gives_to_the_byte(
    bench: Any, on_cluster: Callable[..., int], local: Path, told: dict[str, Any]
) -> None:
    assert on_cluster(*ON_SLOTS, **told) == 0
    assert_same_board(bench.out, local)
    left = [*bench.out.glob(".cluster.*"), *bench.cache.glob(".cluster.*")]
    assert left == []


def test_a_crash_is_a_failed_row_and_the_dask_workers_live_on(
    bench: Any, on_cluster: Callable[..., int], dask: DaskHere
) -> None:
    bad = {"use": "hostile", "does": "segfault"}
    methods = [
        {"name": "bad", "extractor": "px", "bank": BANK, "scorer": bad},
        {"name": "knn", "extractor": "px", "bank": BANK, "scorer": {"use": "knn-faiss"}},
    ]
    assert on_cluster(methods=methods, **ONE_MODEL) == 1
    cells = cells_of(bench.out)
    failure = cells["bad"].rows[0].failure
    assert failure is not None
    assert (failure.type, failure.stage) == ("Crash", "fit and score")
    assert "SIGSEGV" in failure.message
    assert cells["knn"].status == "ok"
    assert [one.poll() for one in dask.workers] == [None, None]
    logs = [path.read_text() for path in sorted(dask.folder.glob("*.log"))[1:]]
    assert not any("died" in log or "Restarting" in log for log in logs)


def test_a_resource_that_nobody_offers_is_told_and_waited_for(
    bench: Any, on_cluster: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--resource", "extract:GPU=1", "--scheduler-timeout", "1"]
    assert on_cluster(*asked) == 2
    said = "none of 2 workers offers GPU=1 for extract; they offer SLOT=1"
    assert said in capsys.readouterr().err
    waited = [line for line in read_journal(bench.out) if line["event"] == "waiting"]
    assert [line["message"] for line in waited] == [said]


def test_a_worker_with_another_version_is_refused_by_name(
    bench: Any,
    on_cluster: Callable[..., int],
    dask: DaskHere,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = hostile_plugin.install(tmp_path / "other", version="2.0")
    log = dask.start_worker(PYTHONPATH=str(other))
    try:
        until(lambda: is_joined(log), "the worker")
        bad = {"use": "hostile", "does": "chatter"}
        method = {"name": "bad", "extractor": "px", "bank": BANK, "scorer": bad}
        assert on_cluster(methods=[method]) == 2
    finally:
        dask.kill_last_worker()
    told = capsys.readouterr().err
    assert "hostile-plugin 2.0; the run was asked for with hostile-plugin 1.0" in told
    assert "worker tcp://127.0.0.1:" in told


def test_nobody_at_the_address_is_said_before_anything_is_computed(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.cli("--scheduler", "tcp://127.0.0.1:1") == 2
    told = capsys.readouterr().err
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in told
    assert "docs/cluster.md" in told
    assert not (bench.cache / "features").exists()


def test_a_worker_killed_in_mid_run_changes_nothing(
    bench: Any,
    on_cluster: Callable[..., int],
    dask: DaskHere,
    local: Path,
    told: dict[str, Any],
    mark: Path,
) -> None:
    killed: list[int] = []
    thread = meanwhile(mark, lambda pid: killed.append(dask.kill_worker_of(pid)))
    code = on_cluster(**told)
    thread.join()
    assert code == 0
    assert len(killed) == 1
    assert len(lines_of(mark)) == 2, "the scorer was not begun again elsewhere"
    lost = [line for line in read_journal(bench.out) if line["event"] == "worker_lost"]
    assert len(lost) == 1
    assert_same_board(bench.out, local)


def test_a_unit_that_kills_every_worker_it_is_given_to_is_a_failed_row(
    bench: Any, on_cluster: Callable[..., int], dask: DaskHere
) -> None:
    """The nanny starts the worker anew each time."""
    bad = {"use": "hostile", "does": "slay"}
    methods = [{"name": "bad", "extractor": "px", "bank": BANK, "scorer": bad}]
    assert on_cluster(methods=methods, **ONE_MODEL) == 1
    failure = cells_of(bench.out)["bad"].rows[0].failure
    assert failure is not None
    assert (failure.type, failure.stage) == ("Killed", "fit and score")
    assert failure.message.startswith("2 Dask workers died while they had it, the last tcp://")
    assert all(one.poll() is None for one in dask.workers), "a nanny ended"


def test_a_scheduler_killed_and_started_anew_in_mid_run_changes_nothing(
    bench: Any,
    on_cluster: Callable[..., int],
    dask: DaskHere,
    local: Path,
    told: dict[str, Any],
    mark: Path,
) -> None:
    def restart(_: int) -> None:
        dask.kill_scheduler()
        dask.kill_workers()
        dask.start_scheduler()
        dask.start_worker()

    thread = meanwhile(mark, restart)
    code = on_cluster(**told)
    thread.join()
    assert code == 0
    waited = [line for line in read_journal(bench.out) if line["event"] == "waiting"]
    assert any("was lost" in line["message"] for line in waited)
    assert len(lines_of(mark)) == 2, "the scorer was not begun again"
    assert_same_board(bench.out, local)


def cells_of(out: Path) -> dict[str, CellRecord]:
    folder = RunFolder(out)
    found = [folder.cell(name) for name in folder.run().cells]
    return {cell.method: cell for cell in found if cell}
