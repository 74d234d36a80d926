"""A resumed run does each thing once, however many cells it has: calls, not seconds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adharness.engine import judge, survey
from adharness.store import folder
from adharness.store.records import CellRecord, ScoringRecord

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {
    "protocols": ["per-class", "absolute-unified"],
    "seeds": [0, 1],
    "normalizers": [{"use": "raw"}],
    "metrics": ["image_auroc", "image_f1"],
}


def told(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> Counter[str]:
    """Count the calls of a function by what it is given."""
    calls: Counter[str] = Counter()
    original: Callable[..., Any] = getattr(module, name)

    def count(*given: Any) -> Any:
        calls[repr(given)] += 1
        return original(*given)

    monkeypatch.setattr(module, name, count)
    return calls


def test_a_resumed_run_reads_each_record_once_and_digests_each_portion_once(bench, monkeypatch):
    _, made = bench.run(**SMALL)
    read = told(monkeypatch, folder, "_validated")
    digested = told(monkeypatch, survey, "digest")
    drawn = told(monkeypatch, judge, "draw_test_images")
    _, found = bench.run(**SMALL)
    assert [cell.id for cell in found] == [cell.id for cell in made]
    scorings = {scoring for cell in made for scoring in cell.scorings}
    others = [call for call in read if not re.search("CellRecord|ScoringRecord", call)]
    assert len(read) - len(others) == len(made) + len(scorings)
    assert len(others) == 2  # the run of before, and what it kept of features
    assert {count for call, count in read.items() if "CellRecord" in call} == {1}
    # Whether a model is left to fit decides what of the features is made sure of; then it is found.
    assert {count for call, count in read.items() if "ScoringRecord" in call} == {2}
    assert sum("CellRecord" in call for call in read) == len(made)
    # The whole set twice: for its record at the begin and at the end, and for what the run keeps
    # of it, as it was listed and without what could not be read.
    assert sorted(digested.values())[-3:] == [1, 2, 2]
    assert len(digested) > len(found[0].rows)
    assert not drawn


def stored(bench: Any) -> list[CellRecord]:
    """Run with maps and give the cells as they are stored: as they are made they name no file."""
    _, made = bench.run(**SMALL | {"metrics": ["image_auroc", "pixel_auroc"]})
    found = [folder.RunFolder(bench.out).cell(cell.id) for cell in made]
    return [cell for cell in found if cell is not None]


def test_what_several_cells_link_to_is_hashed_once(bench, monkeypatch):
    made = stored(bench)
    names = Counter(name for cell in made for name in cell.files)
    assert names["maps.npz"] > 1
    store = folder.RunFolder(bench.out)
    hashed = told(monkeypatch, folder, "sha256_of")
    assert all(store.cell(cell.id) for cell in made)
    linked = {(bench.out / "cells" / cell.id / "maps.npz").stat().st_ino for cell in made
              if "maps.npz" in cell.files}  # fmt: skip
    assert sum("maps.npz" in call for call in hashed) == len(linked) < names["maps.npz"]
    assert sum("scores.npz" in call for call in hashed) == names["scores.npz"]


def test_a_linked_file_that_changes_is_found_out_though_it_was_hashed_before(bench):
    made = stored(bench)
    store = folder.RunFolder(bench.out)
    cell = next(cell for cell in made if "maps.npz" in cell.files)
    path = bench.out / "cells" / cell.id / "maps.npz"
    assert path.stat().st_nlink > 1
    assert store.cell(cell.id)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert store.cell(cell.id) is None


@pytest.mark.parametrize("model", [CellRecord, ScoringRecord])
def test_a_record_says_the_same_whichever_way_it_is_read(bench, model, monkeypatch):
    _, made = bench.run(**SMALL)
    kind = "cells" if model is CellRecord else "scorings"
    paths = sorted((bench.out / kind).glob("*/result.json"))
    fast = [folder._validated(path, model) for path in paths]
    monkeypatch.setattr(Path, "read_bytes", _refuse)
    assert [folder._validated(path, model) for path in paths] == fast
    assert len(fast) >= len(made) / 4


def _refuse(path: Path) -> bytes:
    raise OSError(5, "not this way", str(path))
