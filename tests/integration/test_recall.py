"""An approximate index says on the board how much it misses, and can be taken along."""

from __future__ import annotations

import json

import pytest

from adharness.cli import main

BANK = {"use": "all"}
APPROXIMATE = {
    "ivf": {"index": "ivf", "lists": 8, "probes": 2},
    "pq": {"index": "pq", "sub_vectors": 3, "bits": 4},
}


@pytest.mark.parametrize("index", list(APPROXIMATE))
def test_an_approximate_index_shows_its_recall_and_is_saved(bench, on_tree, capsys, index):
    scorer = {"use": "knn-faiss", **APPROXIMATE[index]}
    method = {"name": "near", "extractor": "px", "bank": BANK, "scorer": scorer}
    changes = {
        "methods": [method],
        "protocols": ["model-unified"],
        "normalizers": [{"use": "raw"}],
        "thresholders": [{"use": "f1"}],
        **on_tree,
    }
    assert bench.cli(**changes) == 0
    rows = json.loads((bench.out / "leaderboard.json").read_text())["rows"]
    assert rows
    page = (bench.out / "leaderboard.html").read_text()
    assert " · recall 0." in page or " · recall 1" in page
    assert "cross-class neighbours" in page
    where = ["--out", str(bench.folder / "saved"), "--cache-dir", str(bench.cache)]
    capsys.readouterr()
    assert main.run(["save", str(bench.out), *where]) == 0
    assert "to the last bit" in capsys.readouterr().out
