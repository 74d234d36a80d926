"""What is put into a run's folder comes out again, or counts as not stored."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness.errors import StoreError
from adharness.store.files import sha256_of
from adharness.store.folder import RunFolder
from adharness.store.records import Costs, ScoringRecord

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
COSTS = st.builds(
    Costs,
    fit_s=NUMBERS,
    score_ms=NUMBERS,
    extract_ms=st.none() | NUMBERS,
    bank_rows=st.none() | st.integers(0, 2**62),
    bank_mb=st.none() | NUMBERS,
)
RECORDS = st.builds(
    ScoringRecord,
    id=st.text("0123456789abcdef", min_size=16, max_size=16),
    dataset=TEXT,
    method=TEXT,
    trained_on=st.none() | TEXT,
    seed=st.integers(0, 2**31),
    costs=COSTS,
    versions=st.dictionaries(TEXT, TEXT, max_size=3),
    identity=st.dictionaries(TEXT, NUMBERS | TEXT | st.booleans(), max_size=3),
    files=st.just({}),
)
RECORD = ScoringRecord(
    id="ab", dataset="d", method="m", trained_on=None, seed=0, versions={}, identity={},
    costs=Costs(fit_s=0, score_ms=0, extract_ms=None, bank_rows=None, bank_mb=None),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    made.put_scoring(RECORD, {"scores.npz": {"raw": np.arange(3.0)}})
    return made


def result(folder: RunFolder) -> Path:
    return folder.path / "scorings" / "ab" / "result.json"


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@given(RECORDS)
@settings(max_examples=25, deadline=None)
def test_a_record_comes_back_as_it_was_put(record):
    with tempfile.TemporaryDirectory() as name:
        folder = RunFolder(Path(name))
        folder.put_scoring(record, {"scores.npz": {"raw": np.arange(3.0)}})
        found = folder.scoring(record.id)
        assert found is not None
        assert found.model_copy(update={"files": {}}) == record
        assert set(found.files) == {"scores.npz"}
        np.testing.assert_array_equal(
            folder.scoring_arrays(record.id, "scores.npz")["raw"], np.arange(3.0)
        )


def test_what_was_never_put_is_not_stored(folder):
    assert folder.scoring("ab") is not None
    assert folder.scoring("cd") is None
    assert folder.cell("ab") is None


def test_arrays_that_do_not_match_their_hash_count_as_not_stored(folder):
    arrays = result(folder).with_name("scores.npz")
    arrays.write_bytes(arrays.read_bytes() + b" ")
    assert folder.scoring("ab") is None
    arrays.unlink()
    assert folder.scoring("ab") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": "ab"}'])
def test_a_damaged_record_counts_as_not_stored(folder, text):
    result(folder).write_text(text)
    assert folder.scoring("ab") is None


def test_a_record_with_an_unknown_key_counts_as_not_stored(folder):
    edit(result(folder), colour="red")
    assert folder.scoring("ab") is None


@pytest.mark.parametrize("name", ["../x", "sub/x", "{absolute}", "..", "."])
def test_a_record_whose_files_lie_elsewhere_counts_as_not_stored(folder, tmp_path, name):
    outside = tmp_path / "run" / "scorings" / "x"
    outside.write_text("not the cell's")
    inside = result(folder).with_name("sub") / "x"
    inside.parent.mkdir()
    inside.write_text("not the cell's")
    edit(result(folder), files={name.format(absolute=outside): sha256_of(outside)})
    assert folder.scoring("ab") is None


def test_a_folder_without_a_run_says_what_to_name(tmp_path):
    with pytest.raises(StoreError, match=r"has no run\.json") as caught:
        RunFolder(tmp_path).run()
    assert "reports/quickstart" in (caught.value.hint or "")


def test_an_unknown_key_of_a_run_is_named(tmp_path):
    (tmp_path / "run.json").write_text('{"colour": "red"}')
    with pytest.raises(StoreError, match=r"run\.json is not a RunRecord: ") as caught:
        RunFolder(tmp_path).run()
    assert "suite" in caught.value.message  # the first of what is missing
    whole = {"colour": 1, **dict.fromkeys(["suite", "suite_text", "suite_file", "command"], "x"),
             "started": "x", "finished": None, "seconds": 1, "stages_s": {}, "protocols": [],
             "metrics": [], "methods": {}, "maps": {}, "split": {}, "statistics": {}, "seeds": [],
             "datasets": [], "cells": [], "skipped": [], "gallery": [],
             "provenance": {}}  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(whole))
    with pytest.raises(StoreError, match="colour: Extra inputs"):
        RunFolder(tmp_path).run()


def test_trying_whether_a_folder_can_be_written_leaves_nothing(tmp_path):
    RunFolder(tmp_path / "new").check_writable()
    assert list((tmp_path / "new").iterdir()) == []
