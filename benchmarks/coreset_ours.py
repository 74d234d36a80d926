"""One selection of ours in a process of its own; prints a line of JSON.

python benchmarks/coreset_ours.py FEATURES COUNT START ORDER
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from adharness_patchcore import k_center_greedy


def main(features: Path, count: int, start: int, order: Path) -> None:
    points = np.load(features, mmap_mode="r")
    k_center_greedy(np.array(points[:3000]), 10, start=0)  # first calls are not the work
    begun, worked = time.perf_counter(), time.process_time()
    chosen = k_center_greedy(points, count, start=start)
    seconds, cpu_s = time.perf_counter() - begun, time.process_time() - worked
    np.save(order, chosen)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
