"""A plugin made for another adharness is kept out before a line of it runs, and says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from adharness import PluginError, SuiteError, __version__
from adharness.cli import main as program
from adharness.registry import Problem, Registry, discover
from adharness.registry.versions import Wanted, wanted_of

Install = Callable[..., None]
Source = Callable[..., str]

FUTURE = ("adharness>=0.2,<0.3",)


def problem_of(registry: Registry, distribution: str) -> Problem:
    (problem,) = [p for p in registry.problems if p.distribution == distribution]
    return problem


def test_a_plugin_for_another_version_is_quarantined_without_being_imported(
    install: Install, plugin_source: Source, tmp_path: Path
) -> None:
    proof = tmp_path / "imported"
    source = f"open({str(proof)!r}, 'w').close()\n" + plugin_source("late")
    install("fake-future", source, requires=FUTURE)
    install("fake-healthy", plugin_source("fine"))
    registry = discover()
    problem = problem_of(registry, "fake-future")
    assert problem.stage == "version"
    assert problem.message == f"needs adharness >=0.2,<0.3, and {__version__} is installed"
    assert problem.hint == (
        f"pip install 'adharness>=0.2,<0.3', or a release of fake-future for adharness "
        f"{__version__}: pip install --upgrade fake-future"
    )
    assert not proof.exists()
    assert "fine" in [c.name for c in registry.components]


def test_the_same_plugin_is_imported_where_the_version_fits(
    install: Install, plugin_source: Source, tmp_path: Path
) -> None:
    proof = tmp_path / "imported"
    source = f"open({str(proof)!r}, 'w').close()\n" + plugin_source("late")
    install("fake-present", source, requires=["adharness>=0.1,<0.2"])
    assert "late" in [c.name for c in discover().components]
    assert proof.exists()


def test_a_suite_that_uses_its_component_fails_with_that_problem(
    install: Install, plugin_source: Source
) -> None:
    install("fake-future", plugin_source("late"), requires=FUTURE, entry_point="late")
    with pytest.raises(PluginError) as caught:
        discover().find("scorer", "late", where="x.yaml:3", field="methods[0].scorer.use")
    assert caught.value.message == (
        "methods[0].scorer.use: scorer 'late' is in fake-future 1.0, which could not be loaded: "
        f"needs adharness >=0.2,<0.3, and {__version__} is installed"
    )
    assert (caught.value.hint or "").startswith("pip install 'adharness>=0.2,<0.3', or ")


def test_a_component_that_only_its_plugin_could_name_is_unknown_with_a_word_about_that_plugin(
    install: Install, plugin_source: Source
) -> None:
    install("fake-future", plugin_source("anything"), requires=FUTURE)
    with pytest.raises(SuiteError) as caught:
        discover().find("scorer", "anything")
    told = "; fake-future could not be loaded: adharness plugins"
    assert (caught.value.hint or "").endswith(told)


def test_plugins_shows_both_versions_and_what_to_type_and_strict_exits_3(
    install: Install, plugin_source: Source
) -> None:
    install("fake-future", plugin_source("late"), requires=FUTURE)
    shown = CliRunner().invoke(program.cli, ["plugins"], env={"COLUMNS": "400"})
    lines = shown.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("problem: fake-future"))
    assert lines[at] == (
        "problem: fake-future 1.0 (plugin), at version: needs adharness >=0.2,<0.3, and "
        f"{__version__} is installed"
    )
    assert lines[at + 1].startswith("hint: pip install 'adharness>=0.2,<0.3', or a release of")
    assert shown.exit_code == 0
    assert CliRunner().invoke(program.cli, ["plugins", "--strict"]).exit_code == 3


def test_a_plugin_without_a_range_loads_and_is_noted(
    install: Install, plugin_source: Source
) -> None:
    install("fake-free", plugin_source("fine"), requires=[])
    registry = discover()
    assert "fine" in [c.name for c in registry.components]
    shown = CliRunner().invoke(program.cli, ["plugins"], env={"COLUMNS": "400"}).stdout
    assert "note: fake-free does not say which versions of adharness it works with" in shown
    assert "note: adharness does not" not in shown
    assert "note: adharness-" not in shown


def test_a_requirement_that_cannot_be_read_is_a_problem_of_the_plugin_alone(
    install: Install, plugin_source: Source
) -> None:
    install("fake-garbled", plugin_source("late"), requires=["adharness>>0.1"])
    install("fake-healthy", plugin_source("fine"))
    registry = discover()
    problem = problem_of(registry, "fake-garbled")
    assert problem.stage == "version"
    assert problem.message.startswith("its requirement cannot be read: 'adharness>>0.1': ")
    assert problem.hint == "write adharness>=0.1,<0.2 in its dependencies"
    assert "fine" in [c.name for c in registry.components]


@pytest.mark.parametrize(
    ("requirements", "expected"),
    [
        (["adharness<0.2,>=0.1"], ">=0.1,<0.2"),
        (["adharness>=0.1", "Adharness <0.2"], ">=0.1,<0.2"),
        (["adharness[parquet]~=0.1.0 ; python_version > '3'"], "~=0.1.0"),
        (["adharness>=9; python_version < '3'"], ""),
        (["adharness>=9; extra == 'next'"], ""),
        (["adharness>=9; python_version > '3' and extra == 'next'", "adharness>=0.1"], ">=0.1"),
        (["adharness @ file:///somewhere"], ""),
        (["adharness-knn-faiss>=9", "numpy>>1", ""], ""),
        ([], ""),
    ],
)
def test_what_applies_here_is_read_and_nothing_else(requirements: list[str], expected: str) -> None:
    assert wanted_of(requirements) == Wanted(expected)


@pytest.mark.parametrize("line", ["adharness>>0.1", "Adharness (0.1", "adharness>=0.1; nonsense"])
def test_what_cannot_be_read_of_the_core_is_told_with_the_line(line: str) -> None:
    assert (wanted_of([line]).unreadable or "").startswith(f"{line!r}: ")


@pytest.mark.parametrize(
    ("range_", "installed", "fits"),
    [
        ("", "0.2.0.dev1", True),
        (">=0.1,<0.2", "0.1.0", True),
        (">=0.1,<0.2", "0.1.9", True),
        (">=0.1,<0.2", "0.2.0", False),
        (">=0.1,<0.2", "0.1.0+mine.3", True),
        (">=0.1,<0.2", "0.1.5rc1", True),
        (">=0.1,<0.2", "0.1.0.dev3", False),
        (">=0.1,<0.2", "0.2.0rc1", False),
        (">=0.2,<0.3", "0.2.0rc1", False),
        (">=0.2.0rc1,<0.3", "0.2.0rc1", True),
        ("==0.1.*", "0.1.7", True),
        ("~=0.1.2", "0.1.1", False),
    ],
)
def test_versions_compare_as_pip_compares_them(range_: str, installed: str, fits: bool) -> None:
    flaw = Wanted(range_).flaw(installed)
    expected = None if fits else f"needs adharness {range_}, and {installed} is installed"
    assert flaw == expected
