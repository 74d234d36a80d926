"""`adharness new-plugin`: what it prints, what it refuses, and how it exits."""

from __future__ import annotations

import shlex

import pytest

from adharness.cli import main as program
from adharness.cli import new_plugin as command
from adharness.registry import Component, Distribution, Registry
from adharness.scaffold import Plugin, PluginName, refuse_taken


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_it_tells_the_files_and_the_three_things_to_type(tmp_path, capsys):
    assert program.run(["new-plugin", "my-scorer", "--author", "Ada"]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = [line.strip() for line in lines[1 : lines.index("next:")]]
    root = tmp_path / "adharness-my-scorer"
    assert sorted(p.relative_to(root).as_posix() for p in root.rglob("*.*") if p.is_file()) == told
    assert lines[0] == "wrote adharness-my-scorer:"
    typed = [shlex.split(line, comments=True) for line in lines[lines.index("next:") + 1 :]]
    assert typed == [
        ["pip", "install", "-e", "./adharness-my-scorer[test]"],
        ["pytest", "./adharness-my-scorer"],
        ["adharness", "run", "./adharness-my-scorer/suite.yaml"],
    ]
    assert "Ada" in (root / "pyproject.toml").read_text()


def test_plugins_that_the_suite_needs_are_told_where_they_are_missing(monkeypatch, capsys):
    monkeypatch.setattr(command, "read_registry", Registry)
    assert program.run(["new-plugin", "mine", "--out", "a folder"]) == 0
    out = capsys.readouterr().out
    wanted = "-e ./plugins/adharness-normalizers -e ./plugins/adharness-thresholds"
    assert f"pip install {wanted}" in out
    assert "pytest './a folder'" in out


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["My_Scorer"], "'My_Scorer' is no name for a component", "did you mean 'my-scorer'?"),
        (["random-scores"], "'random-scores' is a scorer already, of adharness", "'my-random"),
        (["x", "--kind", "scorrer"], "did you mean 'scorer'?", "new-plugin --help"),
        (["x", "--author", ""], "'' is no name of an author", ""),
        ([], "Missing argument 'NAME'", "new-plugin --help"),
    ],
)
def test_a_mistake_is_told_with_the_next_step_and_nothing_is_written(
    tmp_path, capsys, arguments, error, hint
):
    assert program.run(["new-plugin", *arguments]) == 2
    said = capsys.readouterr()
    assert error in said.err
    assert hint in said.err
    assert "Traceback" not in said.err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_twice(tmp_path, capsys):
    assert program.run(["new-plugin", "mine"]) == 0
    (tmp_path / "adharness-mine" / "README.md").write_text("my words")
    assert program.run(["new-plugin", "mine"]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert (tmp_path / "adharness-mine" / "README.md").read_text() == "my words"


def refusal(name: str, kind: str, registry: Registry) -> str:
    with pytest.raises(program.AdharnessError) as refused:
        refuse_taken(Plugin(PluginName.parsed(name), kind), registry)
    return str(refused.value)


def test_a_name_of_an_installed_component_is_taken_by_it(make_scorer):
    registry = Registry(components=(Component(make_scorer("mine"), "their-plugin", "1.2"),))
    said = refusal("mine", "scorer", registry)
    assert said.startswith("'mine' is a scorer already, of their-plugin 1.2")
    refuse_taken(Plugin(PluginName.parsed("mine"), "bank"), registry)


def test_a_distribution_is_taken_though_it_is_broken():
    registry = Registry(distributions=(Distribution("adharness-mine", "1", ("mine",)),))
    said = refusal("mine", "scorer", registry)
    assert said.startswith("a plugin adharness-mine is installed already")


def test_names_of_this_project_are_taken_though_they_are_not_installed():
    assert "of adharness-padim" in refusal("padim", "scorer", Registry())
    assert refusal("padim", "bank", Registry()).startswith("adharness-padim is a plugin of this")


def test_the_name_suggested_in_its_place_is_a_good_one():
    registry = Registry(distributions=(Distribution("adharness-my-own", "1", ()),))
    assert "'my-own-2'" in refusal("my-own", "scorer", registry)
    long = "a-longest-name-one-gives"
    registry = Registry(distributions=(Distribution(f"adharness-{long}", "1", ()),))
    assert refusal(long, "scorer", registry).endswith("hint: choose another name")
