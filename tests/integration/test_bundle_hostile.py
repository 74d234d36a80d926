"""Bundles that were made to hurt: each is refused by its own message, in bounded memory."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import forgery
from adharness.bundle import pack_run, verify_bundle
from adharness.cli import main
from adharness.errors import StoreError
from forgery import Members, forged
from hostile import HOSTILE, beside

pytestmark = pytest.mark.slow

MEMORY = 100 * 2**20
SECONDS = 10.0


@pytest.fixture(scope="module")
def genuine(shared_bench: Any) -> Members:
    """Members of the bundle of a run with one method, whose scores are random."""
    shared_bench.run(
        data=[{"use": "textures", "size": 48, "train": 8, "good": 5, "per_defect": 1}],
        protocols=["per-class", "absolute-unified"],
        methods=[
            {"name": "floor", "extractor": "px", "bank": {"use": "all"},
             "scorer": {"use": "random-scores"}},
        ],
        normalizers=[{"use": "raw"}],
        thresholders=[{"use": "quantile", "q": 0.8}],
    )  # fmt: skip
    path = shared_bench.folder / "genuine.adbundle"
    pack_run(shared_bench.out, path)
    return forgery.members_of(path)


@dataclass(frozen=True)
class Spent:
    seconds: float
    bytes: int


def refused(path: Path) -> tuple[StoreError, Spent]:
    tracemalloc.start()
    began = time.perf_counter()
    try:
        with pytest.raises(StoreError) as caught:
            verify_bundle(path)
        return caught.value, Spent(time.perf_counter() - began, tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_bundle_is_refused_by_its_own_message(
    name: str, genuine: Members, tmp_path: Path
) -> None:
    forge, message = HOSTILE[name]
    path = tmp_path / "bundle"
    path.write_bytes(forge(genuine))
    error, spent = refused(path)
    assert message in error.message
    assert error.where == str(path)
    assert spent.bytes < MEMORY
    assert spent.seconds < SECONDS


def test_the_bundle_that_the_hostile_ones_are_made_from_is_verified(
    genuine: Members, tmp_path: Path
) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(forged(genuine))
    assert verify_bundle(path).disagreements == []


def test_a_bundle_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)  # a hole: it takes no room on disk
    error, spent = refused(path)
    assert "at most" in error.message
    assert spent.bytes < 2**20


def test_a_folder_or_nothing_at_all_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(StoreError, match="cannot open the bundle"):
            verify_bundle(path)


def test_the_command_refuses_in_three_lines_and_exit_code_2(
    genuine: Members, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(beside(genuine, "gallery/x.webp"))
    assert main.run(["verify", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "where", "hint"]


def test_nothing_of_a_hostile_bundle_is_written_anywhere(genuine: Members, tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(beside(genuine, "cells/../../x"))
    refused(path)
    assert [one.name for one in tmp_path.iterdir()] == ["bundle"]
