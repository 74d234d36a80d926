"""PaDiM and Mahalanobis: time and memory of fit and score, each case a process of its own.

    python benchmarks/bench_gaussians.py                  # the small cases, under a minute
    python benchmarks/bench_gaussians.py padim-wr50-550   # 56 x 56 positions, 550 of 1792 features
    python benchmarks/bench_gaussians.py padim-r18-100 --peers peers/bin/python

Features are synthetic (see `MadeFeatures`): neither time nor memory depends on them. On a busy
machine set OMP_NUM_THREADS=1 and read the CPU seconds. The peak is that of the whole process.
`--peers` runs anomalib's Gaussian, fit and distances, on embeddings of the same size in its own
environment; it is given the features already drawn, so its fit reads nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from processes import measured

from adharness import FeatureGrid, Grid, Memory, Params, ScorerSpec
from adharness.arrays import Float32, Int64

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One scorer on `images` images of (side, side) patches with `dim` features."""

    scorer: str
    images: int
    side: int
    dim: int
    params: dict[str, object]


CASES = {
    "padim-r18-100": Case("padim", 60, 56, 448, {"dims": 100}),
    "padim-wr50-550": Case("padim", 320, 56, 1792, {"dims": 550}),
    "padim-wr50-550-few": Case("padim", 60, 56, 1792, {"dims": 550}),
    "mahalanobis-patch": Case("mahalanobis", 60, 32, 448, {"level": "patch"}),
    "mahalanobis-image": Case(
        "mahalanobis", 60, 32, 1792, {"level": "image", "layers": [256, 512, 1024], "npca": 0.01}
    ),
}
SMALL = ("padim-r18-100", "mahalanobis-patch", "mahalanobis-image")


@dataclass(frozen=True)
class MadeFeatures:
    """A FeatureSet without a disk: windows of one array of noise, so that it takes no memory."""

    count: int
    grid: tuple[int, int]
    dim: int
    noise: Float32  # (K,)
    embedding_dim: int | None = None

    def rows(self, patches: Int64) -> Float32:
        """Each patch vector begins at a place of its own in the noise."""
        starts = (patches * 7919) % (len(self.noise) - self.dim)
        windows = np.lib.stride_tricks.sliding_window_view(self.noise, self.dim)
        rows: Float32 = windows[starts]
        return rows

    def read(self, images: Int64) -> FeatureGrid:
        """Features of the images at these positions."""
        positions = self.grid[0] * self.grid[1]
        flat = images[:, None] * positions + np.arange(positions)
        rows = self.rows(flat.ravel())
        return FeatureGrid(rows.reshape(len(images), *self.grid, self.dim))

    def batches(self, size: int = 32) -> Iterator[FeatureGrid]:
        """All images in order."""
        for start in range(0, self.count, size):
            yield self.read(np.arange(start, min(start + size, self.count)))


def specs() -> dict[str, ScorerSpec]:
    from adharness_mahalanobis import MAHALANOBIS
    from adharness_padim import PADIM

    return {"padim": PADIM, "mahalanobis": MAHALANOBIS}


def measure(case: Case) -> dict[str, float]:
    """Seconds of fit, and of CPU in it; milliseconds of one image's score, GiB of the process."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=2_000_003).astype(np.float32)
    features = MadeFeatures(case.images, (case.side, case.side), case.dim, noise)
    spec = specs()[case.scorer]
    params: Params = spec.params.model_validate(case.params)
    memory: Memory = Grid(features)
    begun, cpu_begun = time.perf_counter(), time.process_time()
    fitted = spec.make(params).fit(memory, rng)
    fit_s = time.perf_counter() - begun
    cpu_s = time.process_time() - cpu_begun
    times = []
    for image in range(3):
        query = features.read(np.array([image]))
        begun = time.perf_counter()
        fitted.score(query)
        times.append(1000 * (time.perf_counter() - begun))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"fit_s": fit_s, "cpu_s": cpu_s, "score_ms": float(np.median(times)), "peak_gib": peak}


def show(name: str, found: dict[str, float]) -> None:
    fit = f"fit {found['fit_s']:7.2f} s ({found['cpu_s']:.1f} s CPU)"
    score = f"score {found['score_ms']:7.1f} ms an image"
    print(f"{name:<28} {fit:<28} {score:<30} peak {found['peak_gib']:.2f} GiB", flush=True)


def compare(name: str, peers: str | None) -> None:
    case = CASES[name]
    show(name, measured(sys.executable, __file__, name, "--here"))
    if peers and case.scorer == "padim":
        script = HERE / "peers" / "gaussians.py"
        sizes = [case.images, case.side, case.params["dims"]]
        show(f"  anomalib, {name}", measured(peers, script, *sizes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("cases", nargs="*", default=SMALL, metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--peers", help="a Python with anomalib 2.7")
    parser.add_argument("--here", action="store_true", help="measure in this process, print JSON")
    given = parser.parse_args()
    for name in given.cases:
        if given.here:
            print(json.dumps(measure(CASES[name])))
        else:
            compare(name, given.peers)


if __name__ == "__main__":
    main()
