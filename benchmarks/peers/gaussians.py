"""anomalib's PaDiM Gaussian, fit and distances, on synthetic embeddings; prints one line of JSON.

python gaussians.py IMAGES SIDE DIMS
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time

import torch
from anomalib.models.components.stats import MultiVariateGaussian
from anomalib.models.image.padim.anomaly_map import AnomalyMapGenerator


def main() -> None:
    images, side, dims = map(int, sys.argv[1:])
    generator = torch.Generator().manual_seed(0)
    embedding = torch.randn(images, dims, side, side, generator=generator)
    with torch.no_grad():
        begun, cpu_begun = time.perf_counter(), time.process_time()
        fitted = MultiVariateGaussian().fit(embedding)
        fit_s = time.perf_counter() - begun
        cpu_s = time.process_time() - cpu_begun
        times = []
        for image in range(3):
            begun = time.perf_counter()
            AnomalyMapGenerator.compute_distance(embedding[image : image + 1], fitted)
            times.append(1000 * (time.perf_counter() - begun))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = {"fit_s": fit_s, "cpu_s": cpu_s, "score_ms": statistics.median(times)}
    print(json.dumps(found | {"peak_gib": peak}))


main()
