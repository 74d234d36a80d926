"""The commands `adharness data list | doctor | fetch`, as typed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import broken_set
from adharness import Download
from adharness.cli.main import run
from adharness.data import FOLDER
from adharness.registry import Component, Registry
from file_server import Behaviour, serving


@pytest.fixture(autouse=True)
def no_data_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ADHARNESS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


def as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    assert value["schema"] == 1
    return value


def test_list_says_of_each_set_what_it_is_and_whether_it_is_here(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["data", "list"]) == 0
    told = capsys.readouterr().out
    assert "textures" in told
    assert "yes, 270 images" in told
    assert "--data-root" in told
    assert run(["data", "list", "--json"]) == 0
    listed = {one["name"]: one for one in as_json(capsys)["data_sets"]}
    textures = listed["textures"]
    assert textures["classes"] == ["brick", "grass", "gravel"]
    assert (textures["licence"], textures["show_pixels"]) == ("CC0 1.0", True)
    assert (textures["found"], textures["images"]) == (True, 270)
    assert listed["folder"]["found"] is False


def test_list_finds_a_set_below_the_data_root(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_set.make_healthy(tmp_path / "data/folder", "nut")
    run(["data", "list", "--json", "--data-root", str(tmp_path / "data")])
    given = {one["name"]: one for one in as_json(capsys)["data_sets"]}["folder"]
    monkeypatch.setenv("ADHARNESS_DATA", str(tmp_path / "data"))
    run(["data", "list", "--json"])
    assert {one["name"]: one for one in as_json(capsys)["data_sets"]}["folder"] == given
    assert (given["found"], given["images"], given["classes"]) == (True, 9, ["nut"])
    assert given["root"] == str(tmp_path / "data/folder")


def test_doctor_prints_a_table_and_exits_with_1_for_errors(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken_set.make_broken(tmp_path / "set")
    assert run(["data", "doctor", str(tmp_path / "set")]) == 1
    told = capsys.readouterr()
    assert "read by 'folder'" in told.out
    assert "a run would stop:" in told.out
    assert "leaked-copy" in told.out
    assert told.out.rstrip().endswith("10 errors, 6 warnings, 3 notes; 38 pictures looked at")
    assert "examine: 38/38 images" in told.err


def test_doctor_is_content_with_a_healthy_set(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken_set.make_healthy(tmp_path / "set", "nut", "bolt")
    assert run(["data", "doctor", str(tmp_path / "set"), "--quiet"]) == 0
    told = capsys.readouterr()
    assert "healthy: 18 pictures looked at, nothing found" in told.out
    assert told.err == ""


def test_warnings_alone_do_not_fail(tmp_path: Path) -> None:
    broken_set.make_healthy(tmp_path / "set", "nut")
    broken_set.save(tmp_path / "set/nut/ground_truth/crack/077_mask.png", broken_set.mask())
    assert run(["data", "doctor", str(tmp_path / "set")]) == 0


def test_doctor_prints_json_whose_keys_are_a_promise(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken_set.make_broken(tmp_path / "set")
    assert run(["data", "doctor", str(tmp_path / "set"), "--json"]) == 1
    told = as_json(capsys)
    assert set(told) == {
        "schema", "subject", "reader", "readers", "files", "classes", "findings", "summary",
    }  # fmt: skip
    assert told["summary"] == {"error": 10, "warning": 6, "note": 3}
    assert {(f["check"], f["severity"], f["path"]) for f in told["findings"]} == set(
        broken_set.BREAKS.values()
    )
    assert set(told["findings"][0]) == {"severity", "check", "path", "message", "cure", "also"}
    nut = {one["name"]: one for one in told["classes"]}["nut"]
    assert nut == {
        "name": "nut", "train": 5, "good": 3, "anomalous": 4, "validation": 0, "masks": 4,
        "expected": None,
    }  # fmt: skip
    assert {"name", "reads", "images", "refusal"} == set(told["readers"][0])


def test_many_findings_of_one_check_are_printed_shortly_and_listed_in_json(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken_set.make_healthy(tmp_path / "set", "nut")
    for i in range(25):
        broken_set.save(
            tmp_path / f"set/nut/ground_truth/crack/9{i:02}_mask.png", broken_set.mask()
        )
    run(["data", "doctor", str(tmp_path / "set")])
    told = capsys.readouterr().out
    assert told.count("orphan-mask") == 21
    assert "and 5 more; --json lists them" in told
    run(["data", "doctor", str(tmp_path / "set"), "--json"])
    assert len(as_json(capsys)["findings"]) == 25


def test_doctor_takes_the_name_of_a_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "doctor", "textures", "--quiet"]) == 0
    assert "healthy: 270 pictures" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "fact", "hint"),
    [
        (["textuers"], "unknown dataset 'textuers'", "did you mean 'textures'?"),
        (["./nowhere"], "nowhere does not exist", "the folder that holds the classes"),
        (["folder"], "needs its root folder", "--data-root DIR"),
        ([".", "--use", "flder"], "no reader of folders is called 'flder'", "'folder'"),
    ],
)
def test_doctor_says_what_to_type_instead(
    arguments: list[str], fact: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "doctor", *arguments]) == 2
    told = capsys.readouterr().err
    assert fact in told
    assert hint in told


def test_a_name_is_looked_up_below_the_data_root(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken_set.make_healthy(tmp_path / "data/folder", "nut")
    assert run(["data", "doctor", "folder", "--data-root", str(tmp_path / "data"), "-q"]) == 0
    assert str(tmp_path / "data/folder") in capsys.readouterr().out


def test_fetch_says_of_a_set_that_comes_along_that_it_is_here(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["data", "fetch", "textures"]) == 0
    assert "nothing to fetch, its 270 images are here" in capsys.readouterr().out


def test_fetch_refuses_what_it_cannot_fetch_and_says_what_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["data", "fetch", "folder"]) == 2
    told = capsys.readouterr().err
    assert "cannot be fetched by a program" in told
    assert "adharness data doctor data/folder --use folder" in told
    assert list(tmp_path.iterdir()) == []


def test_fetch_brings_a_set_and_says_what_to_type_next(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for file in broken_set.make_healthy(tmp_path / "made", "nut").rglob("*.png"):
            archive.write(file, file.relative_to(tmp_path))
    body = stream.getvalue()
    with serving(Behaviour(body)) as url:
        record = Download(url, hashlib.sha256(body).hexdigest(), len(body), "CC0", "https://terms")
        spec = replace(FOLDER, name="hard-ware", download=record)
        registry = Registry((Component(spec, "toys", "1"),))
        monkeypatch.setattr("adharness.cli.data_fetch.read_registry", lambda: registry)
        assert run(["data", "fetch", "hard-ware"]) == 2
        assert "data fetch hard-ware --out data --accept-licence" in capsys.readouterr().err
        assert run(["data", "fetch", "hard-ware", "--accept-licence"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[:2] == [
        "hard-ware: data/hard_ware",
        "next: adharness data doctor data/hard_ware",
    ]
    assert "download: " in told.err
    assert "unpack: 12/12 files" in told.err
    assert run(["data", "doctor", "data/hard_ware", "-q"]) == 0


def test_the_group_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(command in told for command in ("list", "doctor", "fetch"))
