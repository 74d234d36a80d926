"""Our coreset selection against anomalib's loop: same features and start, one run, side by side.

    python -m venv peers && peers/bin/pip install -r benchmarks/peers/requirements.txt
    python benchmarks/bench_coreset.py --peers peers/bin/python
    python benchmarks/bench_coreset.py --sizes 300000 1000000      # ours alone
    python benchmarks/bench_coreset.py --sizes 2800000 --dim 128 --ratio 0.01
    python benchmarks/bench_coreset.py --features PATCHES.npy --peers peers/bin/python

Each measurement is a fresh process; ours and theirs take turns. Ours reads a memory map, theirs
holds the array. Beyond `--peer-steps` centres theirs is stopped there and its time scaled up,
which is marked with a tilde: every one of its steps costs the same. On a machine that others use
too, set OMP_NUM_THREADS=1 and compare the seconds of processor time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from clusters import save_features
from processes import measured

HERE = Path(__file__).parent


def compare(features: Path, options: argparse.Namespace) -> None:
    points = np.load(features, mmap_mode="r")
    count = int(len(points) * options.ratio)
    steps = min(count, options.peer_steps)
    order, other = features.with_suffix(".ours.npy"), features.with_suffix(".theirs.npy")
    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(measured(sys.executable, HERE / "coreset_ours.py", features, count, 0, order))
        if options.peers:
            script = HERE / "peers" / "coreset.py"
            theirs.append(measured(options.peers, script, features, count, steps, 0, other))
    line = f"{len(points):>9} {points.shape[1]:>5} {count:>7} {summary(ours)}"
    if theirs:
        wall, cpu = (median(theirs, s) / median(ours, s) for s in ("seconds", "cpu_s"))
        same = int((np.load(order)[:steps] == np.load(other)).cumprod().sum())
        mark = "~" if steps < count else " "
        line += f" {mark}{summary(theirs)} {wall:6.1f} x {cpu:6.1f} x {same:>6} of {steps}"
    print(line, flush=True)


def median(runs: list[dict[str, Any]], name: str) -> float:
    return statistics.median(run[name] for run in runs)


def summary(runs: list[dict[str, Any]]) -> str:
    seconds, cpu_s, peak_mb = (median(runs, name) for name in ("seconds", "cpu_s", "peak_mb"))
    return f"{seconds:8.2f} s {cpu_s:8.2f} s {peak_mb:5.0f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="python of the environment with anomalib")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--features", type=Path, help="an npy file (N, D) float32 instead")
    parser.add_argument("--dim", type=int, default=152)
    parser.add_argument("--ratio", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peer-steps", type=int, default=3000)
    options = parser.parse_args()
    print(
        "   points  dims  chosen  ours: wall        cpu      peak   theirs: wall        cpu"
        "      peak  ratio: wall  cpu  first indices alike"
    )
    if options.features:
        compare(options.features, options)
        return
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            compare(save_features(Path(folder, "features.npy"), size, options.dim), options)


if __name__ == "__main__":
    main()
