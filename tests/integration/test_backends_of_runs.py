"""A run by another backend than torch: named by what ran, resumed and taken along as such."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adharness.cli import main
from adharness.engine.events import StepDone
from adharness_timm import TIMM, TimmParams
from adharness_timm.backends import installed_backends

NET = {"use": "timm", "model": "test_resnet", "weights": "random", "layers": [1, 2], "resize": 64}
METHODS: list[dict[str, Any]] = [
    {"name": "knn", "extractor": "net", "bank": {"use": "random", "ratio": 0.5},
     "scorer": {"use": "knn-faiss"}},
]  # fmt: skip
CHANGES: dict[str, Any] = {
    "methods": METHODS,
    "protocols": ["model-unified"],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "metrics": ["image_auroc"],
}
needs_onnxruntime = pytest.mark.skipif(
    "onnxruntime" not in installed_backends(), reason="needs onnxruntime"
)


def suite(**net: Any) -> dict[str, Any]:
    return {**CHANGES, "extractors": {"net": {**NET, **net}}}


def extracted(bench: Any) -> int:
    steps = (e for e in bench.events if isinstance(e, StepDone) and e.stage == "extract")
    return sum(not step.reused for step in steps)


@needs_onnxruntime
def test_what_ran_is_in_the_cell_and_its_versions_and_resuming_extracts_nothing(bench):
    _, plain = bench.run(**suite())
    _, cells = bench.run(**suite(backend="onnxruntime"))
    assert not {cell.id for cell in cells} & {cell.id for cell in plain}
    assert all("onnxruntime" in cell.versions for cell in cells)
    assert all("onnxruntime" not in cell.versions for cell in plain)
    assert [cell.made_with for cell in (cells[0], plain[0])] == [["onnxruntime"], []]
    record = bench.out / "features"
    told = [json.loads(path.read_text())["identity"] for path in record.glob("*/*.json")]
    assert [one["params"].get("backend") for one in told].count("onnxruntime") == 1
    assert any(one.get("made_with") == ["onnxruntime"] for one in told)
    _, again = bench.run(**suite(backend="onnxruntime"))
    assert extracted(bench) == 0
    assert [cell.id for cell in again] == [cell.id for cell in cells]


@needs_onnxruntime
def test_auto_shares_features_and_cells_with_the_backend_that_it_chose(
    bench, tmp_path, monkeypatch
):
    monkeypatch.setattr("adharness_timm.choice.fastest", lambda trials, precision: "onnxruntime")
    _, named = bench.run(**suite(backend="onnxruntime"))
    chosen = {"backend": "auto", "choices": str(tmp_path / "choices")}
    _, cells = bench.run(**suite(**chosen))
    assert extracted(bench) == 0
    assert [cell.id for cell in cells] == [cell.id for cell in named]


def test_auto_that_finds_torch_has_the_cells_of_torch(bench, tmp_path, monkeypatch):
    monkeypatch.setattr("adharness_timm.choice.fastest", lambda trials, precision: "torch")
    _, plain = bench.run(**suite())
    _, cells = bench.run(**suite(backend="auto", choices=str(tmp_path / "choices")))
    assert [cell.id for cell in cells] == [cell.id for cell in plain]


@needs_onnxruntime
def test_a_saved_method_names_the_backend_that_auto_chose(
    bench, on_tree, tree, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("adharness_timm.choice.fastest", lambda trials, precision: "onnxruntime")
    bench.run(**suite(backend="auto", choices=str(tmp_path / "choices")), **on_tree)
    folder = tmp_path / "saved"
    where = ["--out", str(folder), "--cache-dir", str(bench.cache)]
    assert main.run(["save", str(bench.out), *where, "--only", "method=knn"]) == 0
    saved = json.loads((folder / "method.json").read_text())
    assert saved["extractor"]["params"]["backend"] == "onnxruntime"
    made = TIMM.make(TimmParams(**saved["extractor"]["params"]))
    assert made.fingerprint() == saved["fingerprint"]
