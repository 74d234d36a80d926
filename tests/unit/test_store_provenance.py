"""What a run was made with, and what is said where that cannot be known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from adharness.store import provenance
from adharness.store.machine import libraries
from adharness.store.provenance import Installed, environment, git_state, gpu_names, memory_gb


def test_versions_are_of_the_distribution_and_of_what_it_requires():
    found = Installed().versions(["adharness"])
    assert found["adharness"] == metadata.version("adharness")
    assert found["numpy"] == metadata.version("numpy")
    assert list(found) == sorted(found)


def test_a_distribution_that_is_not_installed_has_no_version():
    assert Installed().versions(["no-such-distribution"]) == {}


def test_each_distribution_is_read_once(monkeypatch):
    installed = Installed()
    first = installed.versions(["adharness"])
    monkeypatch.setattr(metadata, "version", lambda name: pytest.fail("read again"))
    assert installed.versions(["adharness"]) == first


@pytest.mark.parametrize(
    ("requirement", "found"),
    [
        ("numpy>=1", True),
        ("numpy<3,>=1; extra == 'numpy'", True),  # the heavy library of a plugin's components
        ('numpy; extra == "NumPy"', True),
        ("numpy; extra == 'dev'", False),
        ("numpy; python_version > '3' and extra == 'parquet'", False),
    ],
)
def test_what_an_extra_brings_counts_where_it_is_called_as_it(monkeypatch, requirement, found):
    monkeypatch.setattr(metadata, "requires", lambda name: [requirement])
    assert ("numpy" in Installed().versions(["adharness"])) is found


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "a")
    state = git_state(tmp_path)
    assert len(state["commit"]) == 40
    assert state["dirty"] is False
    (tmp_path / "untracked").write_text("of no matter")
    assert git_state(tmp_path)["dirty"] is False
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path) == {"commit": state["commit"], "dirty": True}


def test_outside_of_a_checkout_nothing_is_claimed(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) == {"commit": None, "dirty": None}


def test_without_git_or_a_driver_nothing_is_claimed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(Path.cwd()) == {"commit": None, "dirty": None}
    assert gpu_names() == []


def test_a_driver_that_hangs_is_no_device(monkeypatch):
    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 10)

    monkeypatch.setattr(subprocess, "run", hang)
    assert gpu_names() == []


def test_the_devices_are_listed_line_by_line(tmp_path, monkeypatch):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho One\necho Two\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert gpu_names() == ["One", "Two"]


def test_memory_is_none_where_the_system_does_not_say(monkeypatch):
    def unknown(name: str) -> int:
        raise ValueError(name)

    assert memory_gb()
    monkeypatch.setattr(os, "sysconf", unknown)
    assert memory_gb() is None


def test_the_record_can_be_written_as_json(tmp_path):
    from adharness.store.files import read_json, write_json

    record = provenance.provenance({"adharness": "1"})
    write_json(tmp_path / "p.json", record)
    assert read_json(tmp_path / "p.json") == record
    assert record["cpu"]
    assert record["cores"] >= 1


def test_threads_and_blas_are_told_without_any_path(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("HOME", str(tmp_path))
    record = provenance.provenance({})
    assert record["threads"]["environment"]["OMP_NUM_THREADS"] == "2"
    assert record["blas"]["name"]
    assert record["cores_logical"] >= record["cores"]
    assert "/" not in json.dumps({k: v for k, v in record.items() if k != "cpu"})


def test_torch_and_faiss_are_told_only_where_they_are_loaded(monkeypatch):
    for name in ("torch", "faiss"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert not {"torch", "faiss"} & set(libraries())
    assert not {"torch", "faiss"} & set(sys.modules)
    library = SimpleNamespace(
        __version__="9", get_compile_options=lambda: "AVX9 ", omp_get_max_threads=lambda: 3
    )
    monkeypatch.setitem(sys.modules, "faiss", library)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(__version__="9"))
    told = libraries()
    assert told["faiss"] == {"version": "9", "compiled_for": "AVX9", "threads": 3}
    assert "backends" in told["torch"]["unknown"]  # an odd torch ends no run


@pytest.mark.timeout(120)  # loading torch takes long on a busy machine
def test_real_torch_tells_its_flags():
    torch = pytest.importorskip("torch")
    told = libraries()["torch"]
    assert told["threads"] == torch.get_num_threads()
    assert told["deterministic"] is False
    assert told["matmul_precision"] == "highest"


def test_every_installed_distribution_is_told_with_its_version():
    found = environment()
    assert found["numpy"] == np.__version__
    assert found["adharness"] == metadata.version("adharness")
    assert len(found) > 20
    assert list(found) == sorted(found)
