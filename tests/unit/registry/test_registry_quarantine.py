"""One broken plugin becomes one Problem, and every other plugin keeps working."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adharness.registry import Problem, Registry, discover

Install = Callable[..., None]
Source = Callable[..., str]


def names_of(registry: Registry, distribution: str) -> list[str]:
    return [c.name for c in registry.components if c.distribution == distribution]


def only_problem(registry: Registry, distribution: str) -> Problem:
    (problem,) = [p for p in registry.problems if p.distribution == distribution]
    return problem


BROKEN = {
    "an import error": ("import no_such_module_anywhere\n", "import", "No module named"),
    "SystemExit at import": ("raise SystemExit(7)\n", "import", "SystemExit: 7"),
    "a syntax error": ("def (\n", "import", "SyntaxError"),
    "a hook with an argument": (
        "@hookimpl\ndef adharness_scorers(device):\n    yield scorer('cut')\n",
        "register",
        "device",
    ),
    "a misspelt hook": (
        "@hookimpl\ndef adharness_scorer():\n    yield scorer('cut')\n",
        "register",
        "adharness_scorer",
    ),
    "a raising hook": (
        "@hookimpl\ndef adharness_scorers():\n    raise RuntimeError('no luck')\n",
        "hook",
        "adharness_scorers raised RuntimeError: no luck",
    ),
    "a hook that raises after a good record": (
        "@hookimpl\ndef adharness_scorers():\n    yield scorer('cut')\n    raise OSError('late')\n",
        "hook",
        "adharness_scorers raised OSError: late",
    ),
    "a record of another kind": (
        "@hookimpl\ndef adharness_banks():\n    yield scorer('cut')\n",
        "record",
        "adharness_banks yielded a ScorerSpec, expected a BankSpec",
    ),
    "a record returned, not yielded": (
        "@hookimpl\ndef adharness_scorers():\n    return scorer('cut')\n",
        "record",
        "returned a ScorerSpec, expected an iterable: use yield",
    ),
    "a name with an underscore": (
        "@hookimpl\ndef adharness_scorers():\n    yield scorer('knn_faiss')\n",
        "record",
        "'knn_faiss': its name is not lower-case words",
    ),
    "params that are no Params": (
        "@hookimpl\ndef adharness_scorers():\n    yield scorer('cut', params=dict)\n",
        "record",
        "params is <class 'dict'>, expected a subclass of Params",
    ),
    "params that allow unknown keys": (
        "class Loose(P):\n    model_config = {'extra': 'allow'}\n"
        "@hookimpl\ndef adharness_scorers():\n    yield scorer('cut', params=Loose)\n",
        "record",
        "Loose is not frozen or allows unknown keys",
    ),
    "a make that cannot be called": (
        "@hookimpl\ndef adharness_scorers():\n    yield scorer('cut', make=None)\n",
        "record",
        "make is None",
    ),
    "an empty summary": (
        "@hookimpl\ndef adharness_scorers():\n    yield scorer('cut', summary=' ')\n",
        "record",
        "summary is ' ', expected one line",
    ),
    "an unknown kind of memory": (
        "@hookimpl\ndef adharness_scorers():\n    yield scorer('cut', needs='bags')\n",
        "record",
        "needs is 'bags', expected some of bag, grid, images",
    ),
    "needs that are None": (
        "@hookimpl\ndef adharness_scorers():\n    yield scorer('cut', needs=None)\n",
        "record",
        "needs is None",
    ),
    "an extractor that gives nothing known": (
        "from adharness import ExtractorSpec\n"
        "@hookimpl\ndef adharness_extractors():\n    yield ExtractorSpec(name='cut', params=P,"
        " make=P, gives='pixel', summary='A fake.')\n",
        "record",
        "gives is 'pixel', expected one of features, pixels",
    ),
    "a bank that emits nothing known": (
        "@hookimpl\ndef adharness_banks():\n    yield BankSpec(name='cut', params=P, make=P,"
        " emits='rows', summary='A fake.')\n",
        "record",
        "emits is 'rows'",
    ),
    "one name twice": (
        "@hookimpl\ndef adharness_scorers():\n    yield scorer('cut')\n    yield scorer('cut')\n",
        "clash",
        "scorer 'cut' is given twice, by this one plugin",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_quarantined_whole_and_the_others_work(
    case: str, install: Install, plugin_source: Source
) -> None:
    source, stage, message = BROKEN[case]
    install("fake-broken", source)
    install("fake-healthy", plugin_source("fine"))
    registry = discover()
    problem = only_problem(registry, "fake-broken")
    assert (problem.stage, problem.version, problem.entry_point) == (stage, "1.0", "plugin")
    assert message in problem.message
    assert names_of(registry, "fake-broken") == []
    assert names_of(registry, "fake-healthy") == ["fine"]
    assert not [p for p in registry.problems if p.distribution == "fake-healthy"]


def test_an_exception_leaves_its_traceback_and_a_wrong_record_has_none(install: Install) -> None:
    install("fake-raises", BROKEN["a raising hook"][0])
    install("fake-wrong", BROKEN["a name with an underscore"][0])
    registry = discover()
    assert "raise RuntimeError('no luck')" in only_problem(registry, "fake-raises").traceback
    assert only_problem(registry, "fake-wrong").traceback == ""


def test_the_records_before_a_failure_are_remembered_as_claims(install: Install) -> None:
    install("fake-late", BROKEN["a hook that raises after a good record"][0])
    assert only_problem(discover(), "fake-late").claims == (("scorer", "cut"),)


def test_a_keyboard_interrupt_is_never_swallowed(install: Install) -> None:
    install("fake-interrupt", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        discover()


def test_two_distributions_with_one_entry_point_name_are_both_loaded(
    install: Install, plugin_source: Source
) -> None:
    install("fake-one", plugin_source("first"), entry_point="same")
    install("fake-two", plugin_source("second"), entry_point="same")
    registry = discover()
    assert names_of(registry, "fake-one") == ["first"]
    assert names_of(registry, "fake-two") == ["second"]


def test_a_distribution_found_twice_on_the_path_counts_once(
    install: Install, plugin_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = tmp_path / "second"
    second.mkdir()
    install("fake-twice", plugin_source("fine"), version="1.0")
    install("fake-twice", plugin_source("fine"), version="2.0", into=second)
    monkeypatch.syspath_prepend(second)
    registry = discover()
    assert [c.version for c in registry.components if c.distribution == "fake-twice"] == ["2.0"]
    assert not [p for p in registry.problems if p.distribution == "fake-twice"]
    assert registry.ambiguous() == ()


def test_a_name_that_two_entry_points_of_one_distribution_give_is_a_clash(
    install: Install, plugin_source: Source, tmp_path: Path
) -> None:
    install("fake-double", plugin_source("same"), entry_point="a")
    entries = tmp_path / "site" / "fake_double-1.0.dist-info" / "entry_points.txt"
    entries.write_text(entries.read_text() + "b = module_of_fake_double\n")
    registry = discover()
    assert names_of(registry, "fake-double") == ["same"]
    problem = only_problem(registry, "fake-double")
    assert (problem.stage, problem.entry_point) == ("clash", "b")
    assert "its entry point 'a'" in problem.message


def test_a_plugin_that_fails_does_not_take_its_sister_in_one_distribution_with_it(
    install: Install, plugin_source: Source, tmp_path: Path
) -> None:
    install("fake-half", plugin_source("fine"), entry_point="a")
    entries = tmp_path / "site" / "fake_half-1.0.dist-info" / "entry_points.txt"
    entries.write_text(entries.read_text() + "b = no_such_module_anywhere\n")
    registry = discover()
    assert names_of(registry, "fake-half") == ["fine"]
    assert only_problem(registry, "fake-half").entry_point == "b"


@pytest.mark.parametrize("lost", ["METADATA", "entry_points.txt"])
def test_broken_metadata_are_a_problem_and_stop_nobody(
    lost: str, install: Install, plugin_source: Source, tmp_path: Path
) -> None:
    install("fake-lost", plugin_source("cut"))
    install("fake-healthy", plugin_source("fine"))
    file = tmp_path / "site" / "fake_lost-1.0.dist-info" / lost
    file.write_text("[adharness]\nno equals sign\n" if lost == "entry_points.txt" else "")
    registry = discover()
    assert [p.stage for p in registry.problems if str(tmp_path) in p.distribution] == ["metadata"]
    assert names_of(registry, "fake-healthy") == ["fine"]


def test_the_metadata_of_distributions_without_plugins_are_never_judged(
    install: Install, tmp_path: Path
) -> None:
    install("fake-stranger", "")
    file = tmp_path / "site" / "fake_stranger-1.0.dist-info" / "entry_points.txt"
    file.write_text("[console_scripts]\nno equals sign\n")
    registry = discover()
    assert not [p for p in registry.problems if str(tmp_path) in p.distribution]


def test_each_distribution_is_listed_with_its_entry_points_and_hooks(
    install: Install, plugin_source: Source
) -> None:
    install("fake-healthy", plugin_source("fine"), version="3.2")
    install("fake-broken", "raise SystemExit\n")
    listed = {d.name: d for d in discover().distributions}
    assert listed["fake-healthy"].version == "3.2"
    assert listed["fake-healthy"].hooks == ("adharness_scorers",)
    assert listed["fake-broken"].entry_points == ("plugin",)
    assert listed["fake-broken"].hooks == ()


def test_core_registers_its_own_baselines_like_any_plugin() -> None:
    assert {"all", "random", "grid", "images"} <= set(names_of(discover(), "adharness"))
