"""Our pixel metrics against scikit-learn and anomalib: same arrays, one run, side by side.

    python -m venv peers && peers/bin/pip install -r benchmarks/peers/requirements.txt
    python benchmarks/bench_metrics.py --peers peers/bin/python
    python benchmarks/bench_metrics.py --large 2e9      # memory of a set that does not fit

Ours computes pixel AUROC, AP, F1-oracle and AUPRO; theirs AUROC and AP (scikit-learn) and AUPRO
(anomalib). Each measurement is a fresh process; ours and theirs take turns.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from maps import RolledMaps, RolledMasks, save_maps
from processes import measured

HERE = Path(__file__).parent
SIZES = ((60, 512), (100, 1024))


def compare(peers: str, folder: Path, count: int, size: int, rounds: int) -> None:
    save_maps(folder, count, size)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(measured(sys.executable, HERE / "metrics_ours.py", folder))
        theirs.append(measured(peers, HERE / "peers" / "metrics.py", folder))
    our_s = statistics.median(run["seconds"]["all"] for run in ours)
    their_s = statistics.median(sum(run["seconds"].values()) for run in theirs)
    parts = {
        name: statistics.median(run["seconds"][name] for run in theirs)
        for name in theirs[0]["seconds"]
    }
    apart = max(abs(ours[0]["values"][n] - v) for n, v in theirs[0]["values"].items())
    extra = max(run["extra_mb"] for run in ours)
    maps_mb = ours[0]["maps_mb"]
    print(f"\n{count} maps of {size} x {size}, {rounds} rounds, medians")
    print(f"  ours, four metrics           {our_s:8.2f} s")
    for name, seconds in parts.items():
        print(f"  theirs, {name:<20} {seconds:8.2f} s")
    print(f"  ratio                        {their_s / our_s:8.1f} x")
    print(f"  largest difference           {apart:8.1e}")
    print(f"  our peak besides the maps    {extra:8.0f} MiB, maps {maps_mb:.0f} MiB")
    print(f"  peak with the maps           {(extra + maps_mb) / maps_mb:8.2f} x the maps")


def large(pixels: float, size: int, memory_mb: int) -> None:
    """Measure a set that does not fit in memory, its maps made when they are read."""
    from adharness.metrics import evaluate_pixels

    maps = RolledMaps(round(pixels / size**2), size)
    start = time.perf_counter()
    for i in range(len(maps)):
        maps[i]
    making = time.perf_counter() - start
    start = time.perf_counter()
    names = ["pixel_auroc", "pixel_ap", "pixel_f1_oracle", "region_aupro_30", "region_aupro_05"]
    names += ["pixel_iou_oracle", "pixel_auroc_anomalous", "pixel_aupimo"]
    found = evaluate_pixels(RolledMasks(maps), maps, names, memory_mb=memory_mb)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(maps)} maps of {size} x {size}: {len(maps) * size**2 / 1e9:.2f} G pixels")
    print(f"  peak of the whole process {peak:.2f} GiB with memory_mb={memory_mb}")
    print(f"  {seconds:.0f} s, of which {making:.0f} s go into making the maps")
    for name, value in found.items():
        print(f"  {name:<24} {value.value:.6f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="python of the environment with scikit-learn and anomalib")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=float, help="pixels of a set that does not fit in memory")
    parser.add_argument("--size", type=int, default=3200, help="side of its maps")
    parser.add_argument("--memory-mb", type=int, default=1024)
    options = parser.parse_args()
    if options.large:
        large(options.large, options.size, options.memory_mb)
    if options.peers:
        with tempfile.TemporaryDirectory() as folder:
            for count, size in SIZES:
                compare(options.peers, Path(folder, str(size)), count, size, options.rounds)


if __name__ == "__main__":
    main()
