"""One measurement of our metrics in a process of its own; prints a line of JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from adharness.metrics import evaluate_pixels

METRICS = ("pixel_auroc", "pixel_ap", "pixel_f1_oracle", "region_aupro_30")


def resident_mb() -> float:
    """Memory resident now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def main(folder: Path) -> None:
    masks, maps = np.load(folder / "masks.npy"), np.load(folder / "maps.npy")
    evaluate_pixels([masks[0]], [maps[0]], METRICS)  # imports and first calls are not the work
    before = resident_mb()
    start = time.perf_counter()
    found = evaluate_pixels(list(masks), list(maps), METRICS)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "seconds": {"all": seconds},
                "values": {name: value.value for name, value in found.items()},
                "maps_mb": maps.nbytes / 2**20,
                "extra_mb": max(peak - before, 0.0),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
