"""A suite of 10,000 cells: seconds and memory of planning, resuming and reporting it.

    python benchmarks/bench_many_cells.py                   # 10,000 cells; computing takes longest
    python benchmarks/bench_many_cells.py --methods 10      # a tenth of them
    python benchmarks/bench_many_cells.py --keep FOLDER     # compute once, measure again later

The suite is a sweep of a nearest-neighbour scorer (methods) on two generated data sets of three
classes, under two protocols, with five thresholders and five seeds: a method costs next to nothing,
so that what is left is the harness. It is computed once. Then each step runs in fresh processes,
and the table has medians: `plan` reads, checks and expands the suite; `resume` runs it where every
result is stored, so that each is found and none is made; `report` writes the board. `process` is
the wall time of the whole process with its imports, `peak` its largest resident memory; `cpu`
leaves out the imports, and the waiting for other work on the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import yaml
from processes import measured

STEPS = ("plan", "resume", "report")
GOAL_S, GOAL_MB = 60.0, 1000.0
OURS = Path(__file__).with_name("many_cells_ours.py")
LARGEST_K = 10


def suite(methods: int, seeds: int, bootstrap: int) -> dict[str, Any]:
    """Sweep `methods` pairs of neighbours and ratio; 2 x 2 x 5 cells of each and seed."""
    ks = next(k for k in range(min(LARGEST_K, methods), 0, -1) if methods % k == 0)
    ratios = [round(0.2 + 0.7 * i * ks / methods, 4) for i in range(methods // ks)]
    textures = {"use": "textures", "size": 32, "train": 16, "good": 6, "per_defect": 2}
    return {
        "schema": 1,
        "name": "many-cells",
        "data": [
            {**textures, "name": "easy", "difficulty": 0.4},
            {**textures, "name": "hard", "difficulty": 0.9},
        ],
        "protocols": ["per-class", "absolute-unified"],
        "seeds": list(range(seeds)),
        "split": {"policy": "holdout", "calibration": {"normal": 0.4, "anomalous": 0.3}, "seed": 0},
        "extractors": {"px": {"use": "pixel-patches", "resize": 32, "patch_px": 8}},
        "methods": [
            {
                "name": "knn",
                "extractor": "px",
                "bank": {"use": "random"},
                "scorer": {"use": "knn-faiss"},
                "sweep": {"bank.ratio": ratios, "scorer.k": list(range(1, ks + 1))},
            }
        ],
        "thresholders": [
            *({"use": name} for name in ("f1", "youden", "max-normal", "mean-std")),
            {"use": "quantile", "q": 0.8},
        ],
        "metrics": ["image_auroc", "image_ap", "image_f1", "image_f1_oracle", "pixel_auroc"],
        "statistics": {"bootstrap": bootstrap},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--bootstrap", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="folder whose results are kept, and found again")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # of arrays this small: more would wait for each other
    with tempfile.TemporaryDirectory() as passing:
        folder = options.keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "suite.yaml"
        made = suite(options.methods, options.seeds, options.bootstrap)
        file.write_text(yaml.safe_dump(made, sort_keys=False), "utf-8")
        compare(file, folder, options.repeats)


def compare(file: Path, folder: Path, repeats: int) -> None:
    print(f"{'step':10}{'process':>10}{'seconds':>10}{'cpu':>10}{'peak':>12}  {'found':}")
    if not (folder / "out" / "run.json").exists():
        show("compute", [step("compute", file, folder)])
    taken = {name: [step(name, file, folder) for _ in range(repeats)] for name in STEPS}
    for name, runs in taken.items():
        show(name, runs)
    seconds = sum(median(run["process_s"] for run in runs) for runs in taken.values())
    peak = max(run["peak_mb"] for runs in taken.values() for run in runs)
    print(f"plan, resume and report: {seconds:.1f} s of {GOAL_S:.0f} s, ", end="")
    print(f"at most {peak:.0f} MB of {GOAL_MB:.0f} MB")


def step(name: str, file: Path, folder: Path) -> dict[str, Any]:
    return measured(sys.executable, OURS, name, file, folder)


def show(name: str, runs: list[dict[str, Any]]) -> None:
    known = ("seconds", "cpu_s", "process_s")
    process, seconds, cpu = (median(r[key] for r in runs) for key in ("process_s", *known[:2]))
    peak = max(run["peak_mb"] for run in runs)
    found = {k: v for k, v in runs[0].items() if k not in {*known, "peak_mb"}}
    told = ", ".join(f"{key} {value:.6g}" for key, value in found.items())
    print(
        f"{name:10}{process:8.1f} s{seconds:8.1f} s{cpu:8.1f} s{peak:9.0f} MB  {told}", flush=True
    )


if __name__ == "__main__":
    main()
