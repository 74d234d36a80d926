from __future__ import annotations

from pathlib import Path

import pytest

from adharness.cli.main import run

SUITE = """
schema: 1
name: presets
data: [{use: textures}]
protocols: [per-class]
extractors:
  one: {use: timm, preset: patchcor, layers: [2, 3]}
  two: {use: timm, preset: patchcore, layers: [3, 2]}
  three: {use: timm, preset: patchcore, layers: [2, 3], resize: x}
methods:
  - {name: a, extractor: one, bank: {use: images}, scorer: {use: mahalanobis}}
"""


def test_mistakes_beside_a_preset_are_told_at_their_line_and_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suite.yaml").write_text(SUITE)
    assert run(["check", "suite.yaml"]) == 2
    said = capsys.readouterr().err
    assert "extractors.one.preset: there is no preset 'patchcor'; did you mean patchcore" in said
    assert "suite.yaml:8: extractors.two.layers: layers must ascend" in said
    assert "suite.yaml:9: extractors.three.resize: expected a list, got 'x'" in said
    assert said.count("extractors.") == 3
