"""`ADHARNESS_PLUGINS` reaches every process of a run, and its record."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from adharness.store.folder import RunFolder
from brick_suite import SMALL

pytestmark = pytest.mark.timeout(120)  # a process of the run imports everything anew
ASKED = "adharness-knn-faiss,normalizers,thresholds"
KNN: dict[str, Any] = {
    "name": "knn",
    "extractor": "px",
    "bank": {"use": "random", "ratio": 0.5},
    "scorer": {"use": "knn-faiss"},
}
ONE_CELL = {**SMALL, "methods": [KNN]}


def put_tripwire(folder: Path, proof: Path) -> None:
    """A plugin that leaves a line a process that imports it."""
    info = folder / "fake_tripwire-1.0.dist-info"
    info.mkdir(parents=True)
    source = f"with open({str(proof)!r}, 'a') as file:\n    file.write('imported\\n')\n"
    (folder / "fake_tripwire.py").write_text(source)
    head = "Metadata-Version: 2.1\nName: fake-tripwire\nVersion: 1.0\n"
    (info / "METADATA").write_text(head + "Requires-Dist: adharness>=0.1,<0.2\n")
    (info / "entry_points.txt").write_text("[adharness]\ntripwire = fake_tripwire\n")


@pytest.mark.slow
def test_no_process_of_a_run_imports_a_plugin_that_was_not_asked_for(bench, tmp_path, monkeypatch):
    proof, site = tmp_path / "proof", tmp_path / "site"
    put_tripwire(site, proof)
    monkeypatch.syspath_prepend(site)
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), before]))
    monkeypatch.setenv("ADHARNESS_PLUGINS", ASKED)
    assert bench.cli("-q", "--jobs", "1", **ONE_CELL) == 0
    assert not proof.exists()
    asked = tuple(ASKED.split(","))
    assert RunFolder(bench.out).run().given.plugins == asked
    monkeypatch.delenv("ADHARNESS_PLUGINS")
    assert bench.cli("-q", "--jobs", "1", "--fresh", **ONE_CELL) == 0
    assert len(proof.read_text().splitlines()) >= 2  # the run's own process, and the cells'
    assert RunFolder(bench.out).run().given.plugins is None
