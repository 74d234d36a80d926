"""What a coreset costs as it grows, and anomalib's loop beside it: same features and start.

    python benchmarks/bench_coreset.py                          # ours: 10k to 1M points, 10 %
    python benchmarks/bench_coreset.py --features PATCHES.npy   # the first so many of real ones
    python benchmarks/bench_coreset.py --large                  # 2.8M x 128, 1 %
    python -m venv peers && peers/bin/pip install -r benchmarks/peers/requirements.txt
    python benchmarks/bench_coreset.py --sizes 10000 30000 100000 --peers peers/bin/python

Each measurement is a fresh process; ours and theirs take turns. Ours reads a memory map, theirs
holds the array. `peak` is all that was resident (VmHWM), the mapped pages of the features among it,
which the system takes back when it needs them; `held` is the private memory of ours alone, sampled.
Beyond `--peer-steps` centres theirs is stopped there and its time scaled up, which is marked with a
tilde: every one of its steps costs the same. On a machine that others use too, set
OMP_NUM_THREADS=1 and compare the seconds of processor time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from clusters import save_features
from processes import measured

HERE = Path(__file__).parent
SIZES = [10_000, 30_000, 100_000, 300_000, 1_000_000]
LARGE = {"sizes": [2_800_000], "dim": 128, "ratio": 0.01}


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
    held_mb = median(ours, "held_mb")
    line = f"{len(points):>9} {points.shape[1]:>5} {count:>7} {summary(ours)} {held_mb:5.0f} MiB"
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


def feature_files(options: argparse.Namespace, folder: Path) -> Iterator[Path]:
    """Files of features (N, D), each dropped when the next is made."""
    real = np.load(options.features, mmap_mode="r") if options.features else None
    rows = None if real is None else real.reshape(-1, real.shape[-1])
    for size in options.sizes:
        path = folder / f"{size}.npy"
        if rows is None:
            yield save_features(path, size, options.dim)
        elif size <= len(rows):
            np.save(path, rows[:size])
            yield path
        path.unlink(missing_ok=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="python of the environment with anomalib")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--features", type=Path, help="an npy file (..., D) float32 instead")
    parser.add_argument("--large", action="store_true", help="2.8M x 128, 1 %% instead")
    parser.add_argument("--dim", type=int, default=152)
    parser.add_argument("--ratio", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peer-steps", type=int, default=3000)
    options = parser.parse_args()
    if options.large:
        vars(options).update(LARGE)
    return options


def main() -> None:
    options = parsed()
    print(
        "   points  dims  chosen  ours: wall        cpu      peak      held   theirs: wall"
        "        cpu      peak  ratio: wall  cpu  first indices alike"
    )
    with tempfile.TemporaryDirectory() as folder:
        for path in feature_files(options, Path(folder)):
            compare(path, options)


if __name__ == "__main__":
    main()
