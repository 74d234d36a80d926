"""The same selection by anomalib's loop, in its own environment; a line of JSON.

python benchmarks/peers/coreset.py FEATURES COUNT STEPS START ORDER

The loop takes the features as they are: its random projection, which is not the selection, is
replaced by nothing. Every step costs the same, so STEPS below COUNT give its time by proportion.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch
from anomalib.models.components.sampling import k_center_greedy
from anomalib.models.components.sampling.k_center_greedy import KCenterGreedy


class Unprojected:
    """In the place of anomalib's random projection."""

    def fit(self, embedding: torch.Tensor) -> None:
        del embedding  # the call is anomalib's

    def transform(self, embedding: torch.Tensor) -> torch.Tensor:
        return embedding


def main(features: Path, count: int, steps: int, start: int, order: Path) -> None:
    points = torch.from_numpy(np.load(features))
    k_center_greedy.tqdm = lambda steps, **_: steps
    k_center_greedy.torch.randint = lambda **_: torch.tensor(start)  # its only use there
    sampler = KCenterGreedy(points, sampling_ratio=1.0)
    sampler.model = Unprojected()
    sampler.coreset_size = min(20, steps)
    sampler.select_coreset_idxs()  # first calls are not the work
    sampler.coreset_size = steps
    begun, worked = time.perf_counter(), time.process_time()
    chosen = sampler.select_coreset_idxs()
    seconds = (time.perf_counter() - begun) * count / steps
    cpu_s = (time.process_time() - worked) * count / steps
    np.save(order, np.array(chosen))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]), Path(sys.argv[5]))
