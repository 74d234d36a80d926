"""The bar that a person at a terminal sees."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from adharness.cli import progress, render
from adharness.engine.events import Event, Failed, StageStarted, StepDone, StepStarted
from adharness.store.records import Failure


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def sit_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Called in the test itself: pytest puts its own stderr back after the fixtures."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(
        render,
        "console",
        lambda stream: Console(file=stream, force_terminal=True, width=100, markup=False),
    )
    return screen


EVENTS: list[Event] = [
    StageStarted("extract", 3, "images"),
    StepStarted("extract", "textures/[bold]brick"),
    StepDone("extract", 2),
    Failed("knn", Failure(stage="fit", type="E", message="the wheel came off")),
    StageStarted("judge", 10, "cells"),
    StepDone("judge", 10),
]


def test_the_bar_shows_stage_count_and_what_is_running(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = sit_at_a_terminal(monkeypatch)
    with progress.shown() as listener:
        for event in EVENTS:
            listener(event)
    seen = terminal.getvalue()
    assert "extract" in seen
    assert "10/10 cells" in seen
    assert "the wheel came off" in seen


def test_the_bar_can_be_drawn_before_the_first_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = sit_at_a_terminal(monkeypatch)
    with render.live_bar() as bar:
        bar._progress.refresh()
        bar.start("extract", 3, "images")
        bar.describe("textures/[bold]brick")
        bar._progress.refresh()
    assert "[bold]brick" in terminal.getvalue()
