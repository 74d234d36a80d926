"""How far a run has come, from its journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from adharness.engine.journal import Line, is_held, read_journal
from adharness.errors import StoreError


@dataclass
class StageState:
    """One stage: `total` steps of `unit`, of which `done` are done and `reused` were before."""

    stage: str
    total: int
    unit: str
    begun: str
    done: int = 0
    reused: int = 0
    ended: str = ""

    @property
    def seconds(self) -> float:
        """From its begin to its last step."""
        return _between(self.begun, self.ended or self.begun)

    @property
    def left_s(self) -> float | None:
        """Seconds it will take if it goes on as it did; None where nothing tells."""
        made = self.done - self.reused
        if made < 1 or self.done >= self.total:
            return None
        return self.seconds / made * (self.total - self.done)


@dataclass
class RunState:
    """What a journal tells of the last run of a folder.

    Parameters
    ----------
    state
        `running`, `finished`, `stopped` (by an error or Ctrl-C) or `killed` (it said nothing).
    """

    state: str
    begun: dict[str, Any]
    last: str
    stages: list[StageState] = field(default_factory=list)
    what: str = ""
    failed: list[str] = field(default_factory=list)
    skipped: int = 0

    @property
    def seconds(self) -> float:
        """From its begin to what it told last."""
        return _between(self.begun["time"], self.last)


def run_state(out: Path) -> RunState:
    """Read how far the last run of a folder came.

    Raises
    ------
    StoreError
        No run has kept a journal there.
    """
    lines = read_journal(out)
    if not lines:
        raise StoreError(
            f"{out} has no journal of a run",
            hint="name the folder that a run writes to, such as reports/quickstart",
        )
    found = RunState(_state(lines[-1]["event"], held=is_held(out)), lines[0], lines[-1]["time"])
    _fold(found, lines)
    return found


def _state(last: str, *, held: bool) -> str:
    if last in ("run_finished", "run_stopped"):
        return last.removeprefix("run_")
    return "running" if held else "killed"


def _fold(state: RunState, lines: Iterable[Line]) -> None:
    for line in lines:
        match line["event"]:
            case "stage_started":
                told = (line["stage"], line["total"], line["unit"], line["time"])
                state.stages.append(StageState(*told))
            case "step_started":
                state.what = line["what"]
            case "step_done" if state.stages:
                stage = state.stages[-1]
                stage.done += line["count"]
                stage.reused += line["count"] if line["reused"] else 0
                stage.ended = line["time"]
            case "failed":
                state.failed.append(line["what"])
            case "image_skipped":
                state.skipped += 1


def _between(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
