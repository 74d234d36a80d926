"""`adharness plugins` and `adharness components`: what they print and how they exit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from adharness import AdharnessError, NormalizerSpec, Params, ThresholderSpec
from adharness.cli import main as program
from adharness.cli import render

Install = Callable[..., None]
Source = Callable[..., str]


def invoke(*arguments: str, columns: int | None = None) -> Result:
    env = {"COLUMNS": str(columns) if columns else None}
    return CliRunner().invoke(program.cli, arguments, env=env, catch_exceptions=False)


def test_a_row_shows_version_components_and_hooks(install: Install, plugin_source: Source) -> None:
    install("fake-healthy", plugin_source("fine"), version="3.2")
    (row,) = [line for line in invoke("plugins").stdout.splitlines() if "fake-healthy" in line]
    assert row.split() == ["fake-healthy", "3.2", "scorer", "fine", "scorers", "ok"]


def test_a_problem_is_shown_and_the_exit_code_is_0_but_3_under_strict(install: Install) -> None:
    install("fake-broken", "raise OSError('no licence')\n")
    listed = invoke("plugins")
    assert "problem: fake-broken 1.0 (plugin), at import:" in listed.stdout
    assert "OSError: no licence" in listed.stdout
    assert "Traceback" not in listed.stdout
    assert listed.exit_code == 0
    assert invoke("plugins", "--strict").exit_code == 3
    assert "Traceback" in invoke("plugins", "--verbose").stdout
    assert program.run(["plugins", "--strict"]) == 3


def test_strict_is_content_where_no_plugin_has_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from adharness.cli import plugins
    from adharness.registry import Registry

    monkeypatch.setattr(plugins, "read_registry", Registry)
    assert invoke("plugins", "--strict").exit_code == 0
    assert invoke("plugins").stdout.strip() == "no plugin is installed"


def test_json_lists_distributions_and_problems(install: Install, plugin_source: Source) -> None:
    install("fake-healthy", plugin_source("fine"))
    install("fake-broken", plugin_source("cut", "cut"))
    answer = json.loads(invoke("plugins", "--json").stdout)
    healthy = next(d for d in answer["distributions"] if d["name"] == "fake-healthy")
    assert healthy["components"] == [{"kind": "scorer", "name": "fine"}]
    assert healthy["problems"] == 0
    (problem,) = [p for p in answer["problems"] if p["distribution"] == "fake-broken"]
    assert problem["stage"] == "clash"
    assert problem["claims"][0] == {"kind": "scorer", "name": "cut"}


def test_what_a_plugin_prints_at_import_does_not_break_the_json(
    install: Install, plugin_source: Source
) -> None:
    install("fake-loud", "print('hello from a banner')\n" + plugin_source("fine"))
    result = invoke("components", "--json")
    assert "fine" in [c["name"] for c in json.loads(result.stdout)["components"]]
    assert "hello from a banner" in result.stderr


def test_a_name_with_two_homes_is_noted_and_listed_by_its_qualified_names(
    install: Install, plugin_source: Source
) -> None:
    install("fake-one", plugin_source("twin"))
    install("fake-two", plugin_source("twin"))
    assert "write fake-one/twin or fake-two/twin" in invoke("plugins").stdout
    listed = invoke("components", "scorer").stdout
    assert "fake-one/twin" in listed
    assert "fake-two/twin" in listed


@pytest.mark.parametrize("columns", [40, 80, 200, None])
def test_no_text_is_cut_off_at_any_width(
    columns: int | None, install: Install, plugin_source: Source
) -> None:
    install("fake-healthy", plugin_source("a-name-of-more-than-twenty-letters"))
    printed = invoke("components", "scorer", columns=columns).stdout
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) <= (columns or render.PIPE_COLUMNS)
    if columns is None:
        assert "a-name-of-more-than-twenty-letters" in printed
        assert "\x1b" not in printed


def test_markup_and_escapes_in_a_plugins_message_are_printed_as_they_are(install: Install) -> None:
    install("fake-rude", "raise OSError('[red]x[/blue] \\x1b[2J :smile:')\n")
    printed = invoke("plugins").stdout
    assert "[red]x[/blue] \\x1b[2J :smile:" in printed
    assert "\x1b" not in printed


def test_on_a_terminal_a_broken_plugins_row_is_red_and_a_healthy_one_is_not(
    install: Install, plugin_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    install("fake-healthy", plugin_source("fine"))
    install("fake-broken", "raise OSError\n")
    rows = invoke("plugins", columns=160).stdout.splitlines()
    (healthy,) = [row for row in rows if "fake-healthy" in row]
    broken = next(row for row in rows if "fake-broken" in row)
    assert "\x1b[31m" in broken
    assert "\x1b[31m" not in healthy


def test_components_of_one_kind_are_listed_under_its_singular_and_its_plural() -> None:
    listed = invoke("components", "banks").stdout
    assert listed == invoke("components", "bank").stdout
    assert "emits images" in listed
    assert "pixel-patches" not in listed


def test_a_components_parameters_come_with_type_default_and_description() -> None:
    printed = invoke("components", "bank", "random").stdout
    (row,) = [line for line in printed.splitlines() if line.strip().startswith("ratio")]
    assert " ".join(row.split()) == "ratio float > 0, <= 1 0.1 part of the training patches to keep"
    assert "no parameters" in invoke("components", "scorer", "random-scores").stdout
    assert "max_rows" in invoke("components", "--verbose").stdout


def test_a_component_as_json_says_what_it_needs() -> None:
    (scorer,) = [
        c
        for c in json.loads(invoke("components", "scorer", "--json").stdout)["components"]
        if c["name"] == "random-scores"
    ]
    assert scorer["needs"] == ["bag", "grid", "images", "pixels"]
    assert scorer["qualified"] == "adharness/random-scores"


def test_what_needs_the_class_or_labels_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from adharness.cli import components
    from adharness.registry import Component, Registry

    def never(params: Any) -> Any:
        raise AssertionError("a listing makes nothing")

    normalizer = NormalizerSpec(
        name="z",
        params=Params,
        make=never,
        summary="A fake.",
        needs_class=lambda _: "always",
        source="Eq. 1",
    )
    thresholder = ThresholderSpec(
        name="t", params=Params, make=never, summary="A fake.", needs_labels=True
    )
    listed = (Component(normalizer, "fake", "1.0"), Component(thresholder, "fake", "1.0"))
    monkeypatch.setattr(components, "read_registry", lambda: Registry(listed))
    printed = invoke("components", "--verbose").stdout.splitlines()
    assert "z  (normalizer, fake, needs the class)" in printed
    assert "  source: Eq. 1" in printed
    assert "t  (thresholder, fake, needs labels)" in printed


def test_every_command_of_the_table_can_be_imported_and_has_help() -> None:
    for name in program.COMMANDS:
        assert invoke(name, "--help").exit_code == 0


def test_an_unknown_component_exits_2_with_the_error_and_the_hint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert program.run(["components", "scorer", "random_scores"]) == 2
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0] == "error: unknown scorer 'random_scores'"
    assert lines[1].startswith("hint:  did you mean 'random-scores'?")


def test_a_mistake_on_the_command_line_exits_2_in_the_same_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert program.run(["components", "colour"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: Invalid value for")
    assert err.splitlines()[-1] == "hint:  adharness components --help"


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command that raises, and return the exit code."""

    @click.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr(program.LazyGroup, "get_command", lambda *_: fail)
    return program.run(["fail"])


def test_an_error_is_three_lines_and_its_traceback_comes_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = AdharnessError("2 is not 3\nsee [b]", where="x.yaml:9", hint="type 3")
    monkeypatch.delenv("ADHARNESS_TRACE", raising=False)
    assert raising(error, monkeypatch) == 2
    expected = "error: 2 is not 3\n       see [b]\nwhere: x.yaml:9\nhint:  type 3\n"
    assert capsys.readouterr().err == expected
    monkeypatch.setenv("ADHARNESS_TRACE", "1")
    assert raising(error, monkeypatch) == 2
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_an_unexpected_exception_asks_for_a_report_with_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raising(ZeroDivisionError("oh"), monkeypatch) == 70
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert "error: unexpected ZeroDivisionError: oh" in err
    assert "please report it" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (click.Abort(), 130), (SystemExit(5), 5)],
    ids=["interrupt", "abort", "exit"],
)
def test_an_interrupt_exits_130_and_an_explicit_code_is_kept(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert raising(error, monkeypatch) == code


def test_main_exits_with_the_code_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "run", lambda arguments: 3)
    with pytest.raises(SystemExit) as caught:
        program.main(["plugins"])
    assert caught.value.code == 3


@pytest.mark.slow
def test_a_reader_that_hangs_up_gets_no_traceback() -> None:
    script = "from adharness.cli.main import main; main(['components', '--json'])"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said: Any = process.stderr.read()
    assert b"Traceback" not in said
    assert b"BrokenPipe" not in said
