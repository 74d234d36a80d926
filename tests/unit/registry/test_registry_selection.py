"""`ADHARNESS_PLUGINS=a,b` loads those plugins and the core's own, and everything says so."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from adharness import PluginError, SuiteError
from adharness.cli import main as program
from adharness.cli.installed import read_registry
from adharness.engine.work import process
from adharness.registry import discover

Install = Callable[..., None]
Source = Callable[..., str]

LOUD = "raise RuntimeError('this plugin was imported')\n"


def plugins(*options: str, asked: str | None) -> Result:
    env = {"ADHARNESS_PLUGINS": asked, "COLUMNS": "400"}
    return CliRunner().invoke(program.cli, ["plugins", *options], env=env)


@pytest.mark.parametrize("name", ["fake-one", "Fake_One", "first"])
def test_a_plugin_is_chosen_by_its_distribution_in_any_spelling_or_by_its_entry_point(
    name: str, install: Install, plugin_source: Source
) -> None:
    install("fake-one", plugin_source("fine"), entry_point="first")
    install("fake-two", LOUD, entry_point="second")
    registry = discover([name])
    assert {c.distribution for c in registry.components} == {"adharness", "fake-one"}
    assert registry.problems == ()
    left_out = {d.name: d.left_out for d in registry.distributions}
    assert left_out["fake-two"] == ("second",)
    assert left_out["fake-one"] == left_out["adharness"] == ()
    assert registry.only == (name,)


def test_no_name_leaves_the_core_alone_and_none_leaves_nothing_out(
    install: Install, plugin_source: Source
) -> None:
    install("fake-one", plugin_source("fine"))
    assert {c.distribution for c in discover([]).components} == {"adharness"}
    assert "fake-one" in {c.distribution for c in discover().components}


def test_the_environment_is_read_where_commands_read_the_registry(
    install: Install, plugin_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("fake-one", plugin_source("fine"))
    monkeypatch.setenv("ADHARNESS_PLUGINS", "")
    assert read_registry().only == ()
    monkeypatch.setenv("ADHARNESS_PLUGINS", " fake-one , ")
    assert read_registry().only == ("fake-one",)
    monkeypatch.delenv("ADHARNESS_PLUGINS")
    assert read_registry().only is None


def test_a_name_that_is_not_installed_is_an_error_with_the_nearest(
    install: Install, plugin_source: Source
) -> None:
    install("fake-one", plugin_source("fine"), entry_point="first")
    with pytest.raises(PluginError) as caught:
        discover(["fake-won"])
    assert caught.value.message == "'fake-won' is no installed plugin"
    assert caught.value.hint == "did you mean 'fake-one'?"
    assert caught.value.where == "ADHARNESS_PLUGINS"


def test_a_left_out_component_fails_with_what_to_set(
    install: Install, plugin_source: Source
) -> None:
    install("fake-one", plugin_source("fine"), entry_point="first")
    install("fake-two", LOUD, entry_point="second")
    with pytest.raises(SuiteError) as caught:
        discover(["fake-one"]).find("scorer", "second")
    assert caught.value.message == "unknown scorer 'second'"
    assert caught.value.hint == ("it is in fake-two, left out: ADHARNESS_PLUGINS=fake-one,fake-two")


def test_an_unknown_component_is_told_with_what_was_left_out(
    install: Install, plugin_source: Source
) -> None:
    install("fake-one", plugin_source("fine"), entry_point="first")
    install("fake-two", LOUD, entry_point="second")
    with pytest.raises(SuiteError) as caught:
        discover(["fake-one"]).find("scorer", "zzz")
    hint = caught.value.hint or ""
    assert "; ADHARNESS_PLUGINS leaves out " in hint
    assert "fake-two" in hint


def test_plugins_shows_how_many_are_loaded_and_which_are_not(
    install: Install, plugin_source: Source
) -> None:
    install("fake-one", plugin_source("fine"), entry_point="first")
    install("fake-two", LOUD, entry_point="second")
    shown = plugins("--strict", asked="fake-one")
    every = sum(len(d.entry_points) for d in discover().distributions if d.name != "adharness")
    assert f"note: 1 of {every} plugins loaded: ADHARNESS_PLUGINS=fake-one" in shown.stdout
    (row,) = [line for line in shown.stdout.splitlines() if line.startswith("fake-two")]
    assert row.rstrip().endswith("left out")
    assert shown.exit_code == 0
    assert "plugins loaded" not in plugins(asked=None).stdout


def test_json_has_what_was_asked_for_and_left_out(install: Install, plugin_source: Source) -> None:
    install("fake-two", plugin_source("fine"), entry_point="second")
    answer = json.loads(plugins("--json", asked="").stdout)
    assert answer["only"] == []
    (fake,) = [d for d in answer["distributions"] if d["name"] == "fake-two"]
    assert (fake["left_out"], fake["requires"]) == (["second"], ">=0.1,<0.2")
    assert json.loads(plugins("--json", asked=None).stdout)["only"] is None


def test_a_working_process_loads_the_plugins_that_the_run_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(process, "discover", lambda only: asked.append(only) or discover([]))
    told = {
        "suite_path": "/s.yaml", "suite_text": "", "data_root": None, "environment_root": None,
        "device": None, "cells": None, "out": "/o", "cache": "/c", "limit": None, "fresh": False,
        "keep_stale": False, "folder": ".", "plugins": ["adharness-timm"],
    }  # fmt: skip
    with pytest.raises(SuiteError):  # the suite's text is empty: nothing is opened
        process._opened(told)
    assert asked == [("adharness-timm",)]
