"""One `adharness run` of ours in a process of its own, its time and memory; a line of JSON.

python benchmarks/cell_ours.py SUITE DATA_ROOT FOLDER

FOLDER takes results and features; whatever it holds is removed first. Torch, timm and the command
are imported before the clock starts, as anomalib's side imports what it needs; all else, from
reading the suite to writing the page, is timed.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

from adharness.cli.main import run


def main(suite: Path, images: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for module in ("adharness_timm.extractor", "adharness.cli.run"):
        import_module(module)
    options = {"--data-root": images, "--out": folder / "out", "--cache-dir": folder / "cache"}
    flat = [str(part) for option in options.items() for part in option]
    begun, worked = time.perf_counter(), time.process_time()
    with redirect_stdout(sys.stderr):
        code = run(["run", str(suite), *flat, "--device", "cpu", "-q"])
    seconds, cpu_s = time.perf_counter() - begun, time.process_time() - worked
    if code:
        raise SystemExit(code)
    board = json.loads((folder / "out" / "leaderboard.json").read_text("utf-8"))
    (row,) = (row for row in board["rows"] if row["class"] not in ("macro", "pooled"))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "seconds": {"all": seconds},
                "parts": parts(folder / "out", images, seconds),
                "cpu_s": cpu_s,
                "peak_mb": used.ru_maxrss / 1024,
                "values": {name: found["value"] for name, found in row["metrics"].items()},
            }
        )
    )


def parts(out: Path, images: Path, seconds: float) -> dict[str, float]:
    """Seconds of each stage, by the cell's own record; the rest is judging and page."""
    (result,) = out.glob("cells/*/result.json")
    costs = json.loads(result.read_text("utf-8"))["costs"]
    pictures = [p.relative_to(images).parts[1] for p in images.rglob("*.png")]
    trained, masks = pictures.count("train"), pictures.count("ground_truth")
    read = len(pictures) - masks
    found = {
        "extraction": costs["extract_ms"] * read / 1000,
        "fit": costs["fit_s"],
        "score": costs["score_ms"] * (read - trained) / 1000,
    }
    return {**found, "the rest": seconds - sum(found.values())}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
