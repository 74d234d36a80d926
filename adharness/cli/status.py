"""`adharness status`: how far a run is, from another terminal."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from adharness.cli import exit_codes, render
from adharness.engine.run_state import RunState, StageState, run_state
from adharness.report.formats import counted, seconds

_SHOWN = 10


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def status(ctx: click.Context, run: Path, *, as_json: bool) -> None:
    """Say how far a run is: stages, what was reused, what failed, and the time left.

    RUN is the folder it writes to. Reads its journal and disturbs nothing. Exit 1 if the run was
    stopped or killed.
    """
    state = run_state(run)
    if as_json:
        render.print_json({"schema": 1, **asdict(state), "seconds": state.seconds})
    else:
        _print(state)
    broken = state.state in ("stopped", "killed")
    ctx.exit(exit_codes.CELLS_FAILED if broken else exit_codes.FINE)


def _print(state: RunState) -> None:
    whose = f"process {state.begun['pid']} on {state.begun['host']}"
    cells = counted(state.begun["cells"], "cell")
    render.print_line(f"{state.state}: {cells}, {whose}, {seconds(state.seconds)}")
    render.print_line(f"command: {state.begun['command']}")
    rows = [_row(stage) for stage in state.stages]
    columns = ("stage", "done", "of", "", "from before", "time", "left")
    render.print_table(columns, rows, empty="nothing has begun yet")
    if state.state == "running" and state.what:
        render.print_line(f"now: {state.what}")
    for what in state.failed[:_SHOWN]:
        render.print_line(f"failed: {what}")
    if len(state.failed) > _SHOWN:
        render.print_line(f"and {len(state.failed) - _SHOWN} more failed")
    if state.skipped:
        render.print_line(f"{counted(state.skipped, 'image')} left out")
    if state.state in ("stopped", "killed"):
        render.print_note("the same command goes on from what is stored")


def _row(stage: StageState) -> render.Row:
    left = "" if stage.left_s is None else f"about {seconds(stage.left_s)}"
    numbers = (str(stage.done), str(stage.total), stage.unit, str(stage.reused))
    return render.Row((stage.stage, *numbers, seconds(stage.seconds), left))
