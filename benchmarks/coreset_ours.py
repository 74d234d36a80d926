"""One selection of ours in a process of its own; prints a line of JSON.

python benchmarks/coreset_ours.py FEATURES COUNT START ORDER
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from pathlib import Path

import numpy as np

from adharness_patchcore import k_center_greedy


def main(features: Path, count: int, start: int, order: Path) -> None:
    points = np.load(features, mmap_mode="r")
    k_center_greedy(np.array(points[:3000]), 10, start=0)  # first calls are not the work
    held = Held()
    begun, worked = time.perf_counter(), time.process_time()
    chosen = k_center_greedy(points, count, start=start)
    seconds, cpu_s = time.perf_counter() - begun, time.process_time() - worked
    np.save(order, chosen)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb, "held_mb": held.stop()}
    print(json.dumps(found))


class Held:
    """The most private memory this process held from now on: RssAnon, looked at 50 times a second.

    Pages of a mapped file are left out; the system can take them back at any time.
    """

    def __init__(self) -> None:
        self._most_kb = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopped.wait(0.02):
            lines = Path("/proc/self/status").read_text().splitlines()
            (anonymous,) = (line.split()[1] for line in lines if line.startswith("RssAnon:"))
            self._most_kb = max(self._most_kb, int(anonymous))

    def stop(self) -> float:
        """Give the most so far, in MiB."""
        self._stopped.set()
        self._thread.join()
        return self._most_kb / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
