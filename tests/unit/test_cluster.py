"""What a run on a cluster does that needs no cluster to be seen."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adharness.cli.executor import Means, resources_of
from adharness.engine.events import StepDone, StepProgress, StepStarted
from adharness.engine.work import cluster_link
from adharness.engine.work.cluster import Cluster, ClusterSettings
from adharness.engine.work.cluster_link import LostError
from adharness.engine.work.cluster_offers import Offer
from adharness.engine.work.cluster_pool import Kept
from adharness.engine.work.cluster_terms import Terms, agreed, new_mark, put_mark, python_version
from adharness.engine.work.late_files import await_files
from adharness.engine.work.request import RunRequest
from adharness.engine.work.units import Judge
from adharness.errors import PluginError, StoreError, SuiteError
from adharness.store.provenance import installed_versions
from adharness.suite.limits import LimitSettings

WORKER = "tcp://there:1"


def request_in(folder: Path) -> RunRequest:
    return RunRequest(
        suite_path=folder / "x.yaml",
        suite_text="",
        data_root=None,
        environment_root=None,
        device=None,
        cells=None,
        out=folder / "out",
        cache=folder / "cache",
        limit=None,
        fresh=False,
        keep_stale=False,
        folder=folder,
    )


def terms_in(folder: Path, **changes: Any) -> str:
    """Terms that this machine can keep, but for the changes."""
    request, mark = request_in(folder), new_mark()
    put_mark(mark, request.out, request.cache)
    versions = installed_versions(["numpy"]) | python_version()
    kept = Terms(request=request, limits=LimitSettings(), threads=1, mark=mark, versions=versions)
    return kept.model_copy(update=changes).model_dump_json()


def test_a_worker_that_sees_and_has_the_same_agrees_and_leaves_nothing(tmp_path: Path) -> None:
    agreed(terms_in(tmp_path), WORKER)
    assert len(list((tmp_path / "out").iterdir())) == 1, "the mark, and nothing beside it"


@pytest.mark.parametrize("folder", ["out", "cache"])
def test_a_worker_that_does_not_see_a_folder_is_refused_with_both_names(
    tmp_path: Path, folder: str
) -> None:
    told = terms_in(tmp_path)
    next((tmp_path / folder).iterdir()).unlink()
    with pytest.raises(StoreError) as error:
        agreed(told, WORKER)
    assert f"worker {WORKER} does not see {tmp_path / folder}" in error.value.message


def test_a_worker_that_cannot_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = terms_in(tmp_path)

    def refuse(path: Path, text: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(StoreError, match=f"worker {WORKER} cannot write .*: Permission denied"):
        agreed(told, WORKER)


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        ({"numpy": "0.1"}, r"has numpy \d.*; the run was asked for with numpy 0.1"),
        ({"not-installed": "1.0"}, "has no not-installed; .* with not-installed 1.0"),
        ({"Python": "2.7"}, r"has Python 3\.\d+; .* with Python 2.7"),
    ],
)
def test_another_version_is_refused_with_both(
    tmp_path: Path, versions: dict[str, str], says: str
) -> None:
    with pytest.raises(StoreError, match=says):
        agreed(terms_in(tmp_path, versions=versions), WORKER)


def test_versions_are_compared_before_the_rest_is_read() -> None:
    with pytest.raises(StoreError, match="numpy"):
        agreed('{"versions": {"numpy": "0.1"}, "what": "a later version tells"}', WORKER)


def test_steps_that_are_done_travel_as_one_and_progress_stays() -> None:
    kept = Kept()
    for event in (
        StepStarted("extract", "a"),
        StepDone("extract", 2),
        StepProgress("extract", 1, 2, "batches"),
        StepDone("extract", 3),
        StepDone("extract", 1, reused=True),
    ):
        kept(event)
    told = [(name, facts.get("count"), facts.get("reused")) for name, facts in kept.told()]
    assert told == [("step_started", None, None), ("step_done", 5, False), ("step_done", 1, True)]


@pytest.mark.parametrize(
    ("needs", "slots"),
    [({}, 4), ({"GPU": 1}, 2), ({"GPU": 2}, 1), ({"GPU": 3}, 0), ({"FPGA": 1}, 0)],
)
def test_a_worker_takes_as_many_units_as_its_slots_and_resources_allow(
    needs: dict[str, float], slots: int
) -> None:
    assert Offer(WORKER, 4, {"GPU": 2.0}).slots_for(needs) == slots


def test_resources_are_read_by_stage() -> None:
    typed = ("extract:GPU=1", "fit:memory=8e9", "extract:memory=1e9")
    read = {"extract": {"GPU": 1.0, "memory": 1e9}, "fit": {"memory": 8e9}}
    assert resources_of(typed) == read


@pytest.mark.parametrize(
    "typed", ["GPU=1", "train:GPU=1", "fit:=1", "fit:GPU", "fit:GPU=x", "fit:GPU=0", "fit:GPU=nan"]
)
def test_a_resource_that_cannot_be_read_says_its_form(typed: str) -> None:
    with pytest.raises(SuiteError, match="is not STAGE:NAME=N"):
        resources_of((typed,))


@pytest.mark.parametrize(
    ("means", "says"),
    [
        (Means(jobs=2, scheduler="tcp://a:1"), "exclude each other"),
        (Means(resource=("fit:GPU=1",)), "--resource does nothing without --scheduler"),
        (Means(scheduler_timeout=1.0), "--scheduler-timeout does nothing"),
    ],
)
def test_options_that_contradict_are_refused(means: Means, says: str) -> None:
    with pytest.raises(SuiteError, match=says):
        means.check()


def test_workers_that_die_of_a_unit_are_its_failure() -> None:
    from distributed import KilledWorker

    last: Any = SimpleNamespace(address=WORKER)
    failure = cluster_link._unanswered(KilledWorker("key", last, 3))
    assert failure.type == "Killed"
    assert failure.message == f"4 Dask workers died while they had it, the last {WORKER}"


def test_what_a_worker_cannot_load_ends_the_run() -> None:
    with pytest.raises(StoreError, match="ModuleNotFoundError: No module named 'x'"):
        cluster_link._unanswered(ModuleNotFoundError("No module named 'x'"))


def test_without_dask_the_option_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    settings = ClusterSettings("tcp://nobody:1")
    cluster = Cluster(request_in(tmp_path), LimitSettings(), settings, {})
    with pytest.raises(PluginError) as error:
        cluster.open()
    assert "pip install 'adharness[dask]'" in (error.value.hint or "")
    cluster.close()
    assert not list((tmp_path / "out").iterdir())


def test_a_scheduler_that_stays_away_is_given_up_after_the_time_that_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def nobody(scheduler: str, station: str, told: str) -> None:
        tried.append(time.monotonic())
        raise LostError("nobody")

    monkeypatch.setattr("adharness.engine.work.cluster.Link.opened", nobody)
    monkeypatch.setattr("adharness.engine.work.cluster.PAUSES_S", (0.01,))
    settings = ClusterSettings("tcp://nobody:1", patience_s=0.2)
    cluster = Cluster(request_in(tmp_path), LimitSettings(), settings, {})
    told: list[Any] = []
    unit = Judge(label="", group=0, cells=(0,), outcomes=())
    with pytest.raises(StoreError, match=r"no scheduler answers .*; waited"):
        list(cluster.bring(None, [unit], told.append))
    assert len(tried) > 3
    assert [type(event).__name__ for event in told] == ["Waiting"], "said once, not at each try"


def test_a_cell_that_shows_late_is_waited_for(tmp_path: Path) -> None:
    request = request_in(tmp_path)
    path = request.out / "cells" / "late" / "result.json"

    def write() -> None:
        path.parent.mkdir(parents=True)
        path.write_text("{}")

    unit = Judge(label="", group=0, cells=(0,), outcomes=())
    timer = threading.Timer(0.3, write)
    timer.start()
    await_files(request, unit, ["late"])
    assert path.exists()
    timer.join()


def test_a_cell_that_never_shows_is_left_to_who_reads_it(tmp_path: Path) -> None:
    unit = Judge(label="", group=0, cells=(0,), outcomes=())
    await_files(request_in(tmp_path), unit, ["never"], late_s=0.1)


def test_the_command_line_does_not_load_dask() -> None:
    loaded = "import adharness.cli.run, sys; print({'dask', 'distributed'} & set(sys.modules))"
    said = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "set()"
