"""Whatever a parameter is set to, binding gives a suite or raises SuiteError, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness.errors import SuiteError
from adharness.suite.bind import BoundSuite, bind
from adharness.suite.load import load_suite

SCALARS = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
PARAMETERS = ["model", "layers", "size", "resize", "device", "unknown"]


@pytest.fixture(scope="module")
def suite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bind") / "x.yaml"


def bind_text(path: Path, text: str, registry: Any) -> BoundSuite | None:
    path.write_text(text, encoding="utf-8")
    try:
        return bind(load_suite(path), registry)
    except SuiteError:
        return None


@settings(max_examples=80)
@given(parameter=st.sampled_from(PARAMETERS), value=VALUES)
def test_any_value_of_a_parameter_binds_or_is_refused(
    suite_file: Path, good_suite: str, toy_registry: Any, parameter: str, value: Any
) -> None:
    text = good_suite.replace("layers: [1, 2]", f"{parameter}: {json.dumps(value)}")
    suite = bind_text(suite_file, text, toy_registry)
    assert suite is None or suite.methods[0].extractor.identity()


@settings(max_examples=80)
@given(value=SCALARS | st.floats(allow_nan=False, allow_infinity=False))
def test_an_integer_parameter_takes_integers_and_nothing_else(
    suite_file: Path, good_suite: str, toy_registry: Any, value: Any
) -> None:
    text = good_suite.replace("k: 3", f"k: {json.dumps(value)}")
    suite = bind_text(suite_file, text, toy_registry)
    assert (suite is not None) == (type(value) is int and value > 0)


@settings(max_examples=80)
@given(sweep=st.dictionaries(st.sampled_from(["scorer.k", "bank.x", "y"]), VALUES, max_size=2))
def test_any_sweep_binds_or_is_refused(
    suite_file: Path, good_suite: str, toy_registry: Any, sweep: dict[str, Any]
) -> None:
    text = good_suite.replace("\n      k: 3", f"\n    sweep: {json.dumps(sweep)}")
    suite = bind_text(suite_file, text, toy_registry)
    assert suite is None or len(suite.methods) == 1 + len(sweep.get("scorer.k", [0]))
