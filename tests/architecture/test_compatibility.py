"""Plugins say which versions they take, and docs/compatibility.md says what the program says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import adharness
from adharness import data, deprecation
from adharness.deprecation import Leaving, stand_in
from adharness.registry import Distribution, Registry
from adharness.registry.versions import Wanted, wanted_of
from surface import MODULES, OF_DATA

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
PLUGINS = sorted((ROOT / "plugins").glob("*/pyproject.toml"))


@pytest.mark.parametrize("file", PLUGINS, ids=lambda file: file.parent.name)
def test_a_plugin_of_this_repository_takes_this_minor_release_and_no_other(file: Path) -> None:
    required = tomllib.loads(file.read_text(encoding="utf-8"))["project"]["dependencies"]
    wanted = wanted_of(required)
    major, minor = adharness.__version__.split(".")[:2]
    assert wanted.flaw(adharness.__version__) is None
    assert wanted.flaw(f"{major}.{int(minor) + 1}.0") is not None
    assert wanted.flaw(f"{major}.{int(minor) - 1}.9") is not None or minor == "0"


def test_the_release_is_the_one_that_is_packaged() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == adharness.__version__


def test_every_public_module_is_told_of_and_no_other() -> None:
    promised = PAGE.split("## Versions", maxsplit=1)[0]
    told = set(re.findall(r"`(adharness(?:\.[a-z]+)?)`", promised))
    assert told == set(MODULES)


def test_what_is_promised_of_data_is_public_there() -> None:
    assert set(OF_DATA) <= set(data.__all__)


def test_the_message_of_a_wrong_version_is_the_one_shown() -> None:
    wanted = Wanted(">=0.2,<0.3")
    assert f"(future), at version: {wanted.flaw('0.1.0')}" in PAGE
    assert f"hint: {wanted.hint('adharness-future', '0.1.0')}" in PAGE


def test_the_warning_is_the_one_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"adharness.Old": Leaving("adharness:Bag", "adharness.New", "0.3")}
    monkeypatch.setattr(deprecation, "LEAVING", table)
    with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
        stand_in("adharness", "Old")
    assert f"DeprecationWarning: {caught[0].message}" in PAGE


def test_the_hint_about_a_component_left_out_is_the_one_shown() -> None:
    knn = Distribution("adharness-knn-faiss", "0.1", ("knn-faiss",), left_out=("knn-faiss",))
    with pytest.raises(adharness.SuiteError) as caught:
        Registry(distributions=(knn,), only=("timm",)).find("scorer", "knn-faiss")
    assert f"hint:  {caught.value.hint}" in PAGE


def test_the_range_shown_takes_this_release_and_not_the_next() -> None:
    found = re.search(r'dependencies = \["adharness([^"]+)"\]', PAGE)
    assert found
    assert Wanted(found[1]).flaw(adharness.__version__) is None
    assert Wanted(found[1]).flaw("0.2.0") is not None
