"""One step of a large suite in a process of its own, its time and memory; a line of JSON.

    python benchmarks/many_cells_ours.py STEP SUITE FOLDER

STEP is `compute` and `resume` (`run_plan` with its journal, as `adharness run` calls it; the second
where all is stored), `plan` (read, check, expand) or `report` (write the board). FOLDER takes
results and features. Imports are in `process_s` of who calls, not in `seconds`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from adharness.cli.run import both
from adharness.engine.events import Event, Failed, StepDone
from adharness.engine.journal import journaled
from adharness.engine.run import RunOptions, run_plan
from adharness.plan import Plan, expand
from adharness.registry import discover
from adharness.report.write import write_report
from adharness.suite.bind import bind
from adharness.suite.load import load_suite


def planned(suite: Path) -> Plan:
    return expand(bind(load_suite(suite), discover()))


def plan(suite: Path, _: Path) -> dict[str, float]:
    return {"cells": len(planned(suite).cells)}


def run(suite: Path, folder: Path) -> dict[str, float]:
    cells = planned(suite)
    options = RunOptions(folder / "out", folder / "cache", "bench_many_cells")
    made, failed = [], []

    def count(event: Event) -> None:
        if isinstance(event, StepDone) and event.stage == "judge" and not event.reused:
            made.append(event.count)
        if isinstance(event, Failed):
            failed.append(event.failure.message)

    with journaled(options.out, options.command, len(cells.cells)) as keep:
        run_plan(cells, options, both(count, keep))
    if failed:
        raise SystemExit(f"{len(failed)} steps failed, the first: {failed[0]}")
    return {"judged": sum(made)}


def report(_: Path, folder: Path) -> dict[str, float]:
    paths = write_report(folder / "out")
    return {"page_mb": paths.html.stat().st_size / 1e6, "json_mb": paths.json.stat().st_size / 1e6}


STEPS: dict[str, Callable[[Path, Path], dict[str, float]]] = {
    "compute": run,
    "plan": plan,
    "resume": run,
    "report": report,
}


def main(step: str, suite: Path, folder: Path) -> None:
    begun, worked = time.perf_counter(), time.process_time()
    told = STEPS[step](suite, folder)
    took = {"seconds": time.perf_counter() - begun, "cpu_s": time.process_time() - worked}
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**took, "peak_mb": peak_mb, **told}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
