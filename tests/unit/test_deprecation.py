"""What leaves works for one minor release, and tells who uses it what to write instead."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pluggy
import pytest
from packaging.version import Version

import adharness
from adharness import ScorerSpec, deprecation, testing
from adharness.deprecation import LEAVING, Leaving, hook_warning, renamed_field


@pytest.fixture
def leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {
        "adharness.ScoringSpec": Leaving(
            "adharness.contracts:ScorerSpec", "adharness.ScorerSpec", "0.3"
        ),
        "adharness.testing.toy": Leaving(
            "adharness.testing.worlds:toy_world", "adharness.testing.toy_world", "0.3"
        ),
    }
    monkeypatch.setattr(deprecation, "LEAVING", table)


TOLD = "adharness.ScoringSpec is deprecated, and gone in adharness 0.3: use adharness.ScorerSpec"


def test_an_old_name_gives_what_it_stands_for_and_warns_where_it_is_imported(
    leaving: None,
) -> None:
    with pytest.warns(DeprecationWarning, match="adharness.ScoringSpec") as caught:
        from adharness import ScoringSpec  # type: ignore[attr-defined]
    assert ScoringSpec is ScorerSpec
    assert {str(one.message) for one in caught} == {TOLD}
    assert {one.filename for one in caught} == {__file__}


def test_an_old_name_warns_where_it_is_read(leaving: None) -> None:
    with pytest.warns(DeprecationWarning, match="gone in adharness 0.3") as caught:
        assert adharness.ScoringSpec is ScorerSpec  # type: ignore[attr-defined]
    assert [one.filename for one in caught] == [__file__]


def test_the_conformance_kit_keeps_its_old_names_as_well(leaving: None) -> None:
    with pytest.warns(DeprecationWarning, match=r"use adharness\.testing\.toy_world"):
        assert testing.toy is testing.toy_world  # type: ignore[attr-defined]


def test_a_name_that_never_was_is_an_import_error_as_ever(leaving: None) -> None:
    with pytest.raises(ImportError, match="cannot import name 'NoSuchName'"):
        from adharness import NoSuchName  # type: ignore[attr-defined]  # noqa: F401
    assert not hasattr(adharness, "NoSuchName")


def overdue(table: Mapping[str, Leaving], version: str) -> list[str]:
    """Names that were to be gone by this version."""
    now = Version(version).release[:2]
    return [old for old, leaving in table.items() if Version(leaving.gone_in).release[:2] <= now]


def test_every_name_of_the_table_still_gives_something_and_none_is_overdue() -> None:
    for old in LEAVING:
        module, _, name = old.rpartition(".")
        with pytest.warns(DeprecationWarning, match="is deprecated"):
            getattr(importlib.import_module(module), name)
        assert name not in importlib.import_module(module).__all__
    assert overdue(LEAVING, adharness.__version__) == []


def test_a_name_is_overdue_from_its_release_on(leaving: None) -> None:
    assert overdue(deprecation.LEAVING, "0.2.9") == []
    assert overdue(deprecation.LEAVING, "0.3.0") == sorted(deprecation.LEAVING)


@renamed_field("rows", "patches", gone_in="0.3")
@dataclass(frozen=True)
class Sizes:
    patches: int
    width: int = 2


def test_a_renamed_field_is_taken_and_given_under_its_old_name_with_a_warning() -> None:
    told = "Sizes.rows is deprecated, and gone in adharness 0.3: use patches"
    with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
        old = Sizes(rows=3)  # type: ignore[call-arg]
    assert [(str(one.message), one.filename) for one in caught] == [(told, __file__)]
    assert old == Sizes(patches=3)
    with pytest.warns(DeprecationWarning, match=r"^Sizes\.rows is deprecated") as caught:
        assert old.rows == 3  # type: ignore[attr-defined]
    assert [one.filename for one in caught] == [__file__]


def test_the_new_name_of_a_field_is_silent_and_both_at_once_are_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert replace(Sizes(3, width=4), patches=5) == Sizes(5, 4)
    with pytest.raises(TypeError, match="Sizes was given both 'rows' and 'patches'"):
        Sizes(rows=3, patches=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Sizes(row=3)  # type: ignore[call-arg]


def test_a_hook_on_its_way_out_warns_for_each_plugin_that_implements_it() -> None:
    spec, impl = pluggy.HookspecMarker("adharness"), pluggy.HookimplMarker("adharness")

    def old_scorers() -> None:
        """As it was called."""

    warning = hook_warning("adharness_old", "adharness_scorers", gone_in="0.3")
    manager = pluggy.PluginManager("adharness")
    manager.add_hookspecs(SimpleNamespace(adharness_old=spec(warn_on_impl=warning)(old_scorers)))
    with pytest.warns(DeprecationWarning, match="gone in adharness 0.3: use adharness_scorers"):
        manager.register(SimpleNamespace(adharness_old=impl(lambda: None)))


def test_the_version_of_the_contracts_is_two_numbers() -> None:
    major, minor = adharness.CONTRACTS.split(".")
    assert (int(major), int(minor)) >= (1, 0)
