"""What is said where PyOD is not installed."""

from __future__ import annotations

import pytest

from adharness import PluginError
from adharness_sklearn import PYOD, PyodParams, from_pyod


def test_the_missing_library_is_named_with_the_line_to_type(monkeypatch):
    monkeypatch.setattr(from_pyod, "find_spec", lambda name: None)
    with pytest.raises(PluginError, match="needs PyOD, which is not installed") as missing:
        PYOD.make(PyodParams())
    assert missing.value.hint == "pip install 'adharness-sklearn[pyod]'"


def test_a_detector_that_cannot_be_a_scorer_is_refused_without_pyod():
    with pytest.raises(ValueError, match="LSCP cannot be a scorer: it is an ensemble"):
        PyodParams(detector="LSCP")
