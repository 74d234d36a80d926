"""Make the parity fixture of adharness-patchcore with anomalib 2.7, in its own environment.

python benchmarks/peers/patchcore_fixture.py plugins/adharness-patchcore/tests/anomalib_2_7.npz

Random bank and patches go through anomalib's own search, weight (b = 9) and selection loop; the
projection before the loop is replaced by nothing, and the loop's start is given.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from anomalib.models.components.sampling import k_center_greedy
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from coreset import Unprojected

START = 7


def main(path: Path) -> None:
    rng = np.random.default_rng(20)
    bank = rng.normal(size=(120, 12)).astype(np.float32)
    patches = rng.normal(size=(5, 4, 3, 12)).astype(np.float32)
    model = PatchcoreModel(["layer2"], backbone="resnet18", pre_trained=False, num_neighbors=9)
    model.memory_bank = torch.from_numpy(bank)
    flat = torch.from_numpy(patches.reshape(-1, 12))
    distance, nearest = model.nearest_neighbors(flat, n_neighbors=1)
    images = model.compute_anomaly_score(distance.view(5, -1), nearest.view(5, -1), flat)
    points = rng.normal(size=(400, 6)).astype(np.float32)
    k_center_greedy.torch.randint = lambda **_: torch.tensor(START)  # its only use there
    sampler = k_center_greedy.KCenterGreedy(torch.from_numpy(points), sampling_ratio=0.2)
    sampler.model = Unprojected()
    np.savez(
        path,
        bank=bank,
        patches=patches,
        patch_scores=distance.view(5, 4, 3).numpy(),
        image_scores=images.numpy(),
        points=points,
        order=np.array(sampler.select_coreset_idxs()),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
