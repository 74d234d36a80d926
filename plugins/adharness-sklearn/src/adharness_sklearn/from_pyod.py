"""Detectors of PyOD, where it is installed. Only the module of the one asked for is imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from adharness import PluginError
from adharness_sklearn.detectors import Detector, Measure, chosen, require_options
from adharness_sklearn.refusals import NOT_DETECTING

LIBRARY = "PyOD"
_CLASS = re.compile(r"^class (\w+)\(Base(?:DeepLearning)?Detector\b", re.MULTILINE)
_ABSTRACT = "BaseDeepLearningDetector"


def detectors() -> dict[str, str]:
    """Give the module of each detector of the installed PyOD, by class name.

    They are read off the source: many of its modules cannot be imported without further packages.

    Raises
    ------
    PluginError
        Where PyOD is not installed.
    """
    if find_spec("pyod") is None:
        raise PluginError(
            "the scorer 'pyod' needs PyOD, which is not installed",
            hint="pip install 'adharness-sklearn[pyod]'",
        )
    home = find_spec("pyod.models")
    folders = (home.submodule_search_locations or []) if home else []
    files = sorted(file for folder in folders for file in Path(folder).glob("*.py"))
    found = {
        name: f"pyod.models.{file.stem}"
        for file in files
        for name in _CLASS.findall(file.read_text(encoding="utf-8"))
    }
    return {name: module for name, module in found.items() if name != _ABSTRACT}


def find(name: str, options: Mapping[str, JsonValue]) -> Detector:
    """Give the detector of that name.

    Raises
    ------
    SuiteError
        Where PyOD has no such detector, or the detector no such option.
    PluginError
        Where PyOD, or a package that this detector needs besides, is not installed.
    """
    known = detectors()
    usable = [one for one in known if one not in NOT_DETECTING]
    made = _imported(known[chosen(LIBRARY, name, usable)], name)
    require_options(LIBRARY, made, options)
    return Detector(LIBRARY, made, options, _measure)


def _imported(module: str, name: str) -> type[Any]:
    try:
        made: type[Any] = getattr(import_module(module), name)
    except ImportError as error:
        raise PluginError(
            f"PyOD's {name} cannot be imported: {error}",
            hint=f"pip install {error.name}" if error.name else None,
        ) from error
    return made


def _measure(fitted: Any) -> Measure:
    measured: Measure = fitted.decision_function  # higher for what is anomalous, as here
    return measured
