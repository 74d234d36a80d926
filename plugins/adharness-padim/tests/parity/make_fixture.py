"""Makes `anomalib_gaussian.npz`: run once, in an environment of its own with anomalib 2.7.0.

python make_fixture.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from anomalib.models.components.stats import MultiVariateGaussian
from anomalib.models.image.padim.anomaly_map import AnomalyMapGenerator


def main() -> None:
    """Fit anomalib's Gaussian on embeddings as PaDiM gives them, many images and few; store all."""
    rng = np.random.default_rng(20261122)
    arrays: dict[str, np.ndarray] = {}
    for name, images, dim in (("many", 12, 5), ("few", 4, 9)):
        mixing = rng.normal(size=(dim, dim)) * 0.3
        train, test = (
            (rng.normal(size=(n, 2, 3, dim)) @ mixing + 1).astype(np.float32) for n in (images, 3)
        )
        channels_first = [torch.from_numpy(np.moveaxis(x, 3, 1).copy()) for x in (train, test)]
        with torch.no_grad():
            statistics = MultiVariateGaussian().fit(channels_first[0])
            scores = AnomalyMapGenerator.compute_distance(channels_first[1], statistics)
        arrays |= {f"{name}_train": train, f"{name}_test": test}
        arrays[f"{name}_scores"] = scores[:, 0].numpy()
    np.savez_compressed(Path(__file__).with_name("anomalib_gaussian.npz"), **arrays)


main()
