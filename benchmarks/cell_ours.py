"""One `adharness run` of ours in a process of its own, its time and memory; a line of JSON.

python benchmarks/cell_ours.py SUITE DATA_ROOT FOLDER

FOLDER takes results and features; whatever it holds is removed first.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path


def main(suite: Path, images: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    program = [str(Path(sys.executable).with_name("adharness")), "run", str(suite)]
    options = {"--data-root": images, "--out": folder / "out", "--cache-dir": folder / "cache"}
    flat = [str(part) for option in options.items() for part in option]
    begun = time.perf_counter()
    subprocess.run([*program, *flat, "--device", "cpu", "-q"], check=True)  # noqa: S603 - ours
    seconds = time.perf_counter() - begun
    board = json.loads((folder / "out" / "leaderboard.json").read_text("utf-8"))
    (row,) = (row for row in board["rows"] if row["class"] not in ("macro", "pooled"))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "seconds": {"all": seconds},
                "parts": parts(folder / "out", images, seconds),
                "cpu_s": used.ru_utime + used.ru_stime,
                "peak_mb": used.ru_maxrss / 1024,
                "values": {name: found["value"] for name, found in row["metrics"].items()},
            }
        )
    )


def parts(out: Path, images: Path, seconds: float) -> dict[str, float]:
    """Seconds of each stage, by the cell's own record; the rest is start-up, judging and page."""
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
