"""Whatever is in the file, `load_suite` gives a Suite or raises SuiteError, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adharness.errors import SuiteError
from adharness.suite.load import Suite, load_suite

YAML_BITS = st.sampled_from(
    [*"{}[]:,-?&*!|>%@`\"'#\n\t ~", "- ", ": ", "<<: ", "&a ", "*a", "!!int ", "---", "...", "\\x"]
)
YAML_TEXT = st.lists(YAML_BITS | st.text(max_size=3), max_size=30).map("".join)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
KEYS = [
    "schema",
    "name",
    "data",
    "protocols",
    "split",
    "seeds",
    "extractors",
    "methods",
    "normalizers",
    "thresholders",
    "maps",
    "metrics",
    "statistics",
    "on_error",
]


@pytest.fixture(scope="module")
def suite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "x.yaml"


def loads_or_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refused: SuiteError | None = None
    try:
        assert isinstance(load_suite(path), Suite)
    except SuiteError as error:
        refused = error
    if refused:
        assert refused.message
        assert (refused.where or "").startswith(str(path))


@settings(max_examples=150)
@given(content=st.binary(max_size=60))
def test_any_bytes_load_or_are_refused(suite_file: Path, content: bytes) -> None:
    loads_or_is_refused(suite_file, content)


@settings(max_examples=400)
@given(text=YAML_TEXT | st.text(max_size=40))
@example(text=r'a: "\U00110000"')
@example(text="%YAML 1.99999999999999999999\n---\na")
@example(text="a: 1e400")
@example(text="a: " + "9" * 5000)
@example(text="\ufeffa: 1")
@example(text="a: &a\n  b: *a")
@example(text="a: *b")
@example(text="%TAG ! %d8\n---\na")
def test_any_text_loads_or_is_refused(suite_file: Path, text: str) -> None:
    loads_or_is_refused(suite_file, text.encode("utf-8", "surrogatepass"))


@settings(max_examples=150)
@given(value=JSON)
def test_any_yaml_value_loads_or_is_refused(suite_file: Path, value: Any) -> None:
    loads_or_is_refused(suite_file, json.dumps(value).encode())


@settings(max_examples=200)
@given(data=st.data())
def test_any_value_under_any_key_loads_or_is_refused(
    suite_file: Path, good_suite: str, data: st.DataObject
) -> None:
    key, value = data.draw(st.sampled_from(KEYS)), data.draw(JSON)
    lines = [f"{key}: {json.dumps(value)}\n"]
    known = good_suite.split(f"\n{key}:")[0] + "\n" if f"\n{key}:" in good_suite else good_suite
    loads_or_is_refused(suite_file, (known + "".join(lines)).encode())
