"""One search of one process: bank, queries, mode, k, queries at once, where the answer goes."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from adharness_knn_faiss.search import NearestRows


def main() -> None:
    bank, queries, mode, count, at_once, answer = sys.argv[1:]
    k, step = int(count), int(at_once)
    rows, patches = np.load(bank), np.load(queries)
    first = patches[: min(step, 64)]
    NearestRows.of(rows[:2000], search=mode).nearest(first, k)  # libraries are loaded
    began = time.perf_counter()
    near = NearestRows.of(rows, search=mode)
    near.nearest(first[:1], k)  # prepared on first use
    fitted, cpu = time.perf_counter(), time.process_time()
    parts = [near.nearest(patches[i : i + step], k) for i in range(0, len(patches), step)]
    ended, cpu_ended = time.perf_counter(), time.process_time()
    distances, positions = (np.concatenate(part) for part in zip(*parts, strict=True))
    np.savez(Path(answer), distances=distances, positions=positions)
    times = {"fit": fitted - began, "wall": ended - fitted, "cpu_s": cpu_ended - cpu}
    print(json.dumps(times))


if __name__ == "__main__":
    main()
