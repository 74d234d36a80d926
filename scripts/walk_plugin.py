"""Walk the road of a plugin's author, with a stopwatch: from an empty folder to a row on the board.

    python scripts/walk_plugin.py [KIND]

In a fresh environment, with the core and two of its plugins, and neither torch nor a download of
weights: a plugin is written, installed, tested, tried by the conformance kit, and run.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from adharness.scaffold.contents import SUITE_NEEDS

ROOT = Path(__file__).resolve().parents[1]
NAME = "walked"


def walk(kind: str, folder: Path) -> None:
    """Type what an author would, in a folder; raises CalledProcessError at the first failure."""
    programs = folder / "venv" / "bin"
    plugin = f"adharness-{NAME}"
    needed = [f"-e{ROOT / 'plugins' / name}" for name in SUITE_NEEDS[kind]]
    typed = [
        ["python", "-m", "venv", "venv"],
        ["pip", "install", "--quiet", f"-e{ROOT}", *needed],
        ["adharness", "new-plugin", NAME, "--kind", kind],
        ["pip", "install", "--quiet", "-e", f"./{plugin}[test]"],
        ["pytest", "-q", f"./{plugin}"],
        ["adharness", "conform", NAME],
        ["adharness", "run", f"./{plugin}/suite.yaml", "--cache-dir", "./cache"],
    ]
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
    }
    for line in typed:
        begun = time.perf_counter()
        print(f"$ {' '.join(line)}", flush=True)
        program = sys.executable if line[0] == "python" else str(programs / line[0])
        subprocess.run([program, *line[1:]], cwd=folder, env=environment, check=True)
        print(f"  {time.perf_counter() - begun:.1f} s", flush=True)


def rows_of(kind: str, folder: Path) -> int:
    """Count the rows of the board that the walked component made."""
    board = folder / "reports" / NAME / "leaderboard.csv"
    column = "dataset" if kind == "dataset" else kind
    with board.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "ok"]
    # The extractor is called by its name in the suite, all others by that of the component.
    wanted = "mine" if kind == "extractor" else NAME
    return sum(row[column].partition("(")[0] == wanted for row in rows)


def main() -> int:
    """Walk, and tell how long it took; exit 1 where the board has no row of the component."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "scorer"
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="walk-") as folder:
        walk(kind, Path(folder))
        rows = rows_of(kind, Path(folder))
        print(f"{rows} rows of {NAME} on the board, after {time.perf_counter() - begun:.0f} s")
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())
