"""A run that is killed at any moment continues to the board of one that was never stopped."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
import sys
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from adharness.cli import main
from adharness.store.files import sha256_of
from killing import fork_server, typed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
KILLS = 30
TIMES = ("fit_s", "score_ms", "extract_ms")


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServerContext]:
    return fork_server()


def board(out: Path) -> dict[str, Any]:
    """All that a reader sees, but for times."""
    rows = list(csv.DictReader(io.StringIO((out / "leaderboard.csv").read_text())))
    ranks = json.loads((out / "leaderboard.json").read_text())["ranks"]
    arrays = {str(p.relative_to(out)): sha256_of(p) for p in sorted(out.glob("cells/*/*.npz"))}
    kept = [{k: v for k, v in row.items() if k not in TIMES} for row in rows]
    return {"rows": kept, "ranks": ranks, "arrays": arrays}


def test_a_run_killed_at_thirty_points_ends_with_the_same_board(bench, server):
    suite = str(
        bench.suite(protocols=["per-class", "absolute-unified"], thresholders=[{"use": "f1"}])
    )
    place = ["--out", str(bench.out), "--cache-dir", str(bench.cache)]
    code, changes = typed(server, ["run", suite, *place, "-q"])
    assert code == 0
    whole = board(bench.out)
    shutil.rmtree(bench.out)
    shutil.rmtree(bench.cache)

    rng, log = random.Random(7), []
    while len(log) < KILLS:
        at = rng.randint(1, changes)
        code, _ = typed(server, ["run", suite, *place, "-q"], at)
        if code == -9:
            log.append(at)
            continue
        assert code == 0
        assert board(bench.out) == whole, f"killed before these changes to the disk: {log}"
        if rng.random() < 0.5:  # sometimes the features stay, sometimes all is made again
            shutil.rmtree(bench.cache)
        shutil.rmtree(bench.out)
    assert main.run(["run", suite, *place, "-q"]) == 0
    assert board(bench.out) == whole, f"killed before these changes to the disk: {log}"
    sys.stdout.write(f"killed before these of {changes} changes to the disk: {log}\n")  # pytest -rP
