"""Make the parity fixture of adharness-timm with anomalib 2.7, in its own environment.

python benchmarks/peers/features_fixture.py plugins/adharness-timm/tests/anomalib_2_7.npz

One random image goes through anomalib's own resnet18 and embeddings: PatchCore's of layers 2 and 3,
and PaDiM's of layers 1 to 3 with every fourth value chosen. The weights are drawn by name,
so that whoever knows `weight_like` has them: no file of weights is needed.
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

import numpy as np
import torch
from anomalib.models.image.padim.torch_model import PadimModel
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from torch import Tensor, nn

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZE = (40, 56)  # 5 x 7 and 3 x 4 patches: no grid is a multiple of another


def weight_like(name: str, tensor: Tensor) -> Tensor:
    """Draw a tensor of a resnet from its name: variances stay positive, layers of order one."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if tensor.ndim == 4:
        values = rng.normal(0, (2 / tensor[0].numel()) ** 0.5, tuple(tensor.shape))
    elif name.endswith(("weight", "running_var")):
        values = rng.uniform(0.5, 1.5, tuple(tensor.shape))
    else:
        values = rng.normal(0, 0.1, tuple(tensor.shape))
    return torch.from_numpy(values).to(tensor.dtype)


def fill(module: nn.Module) -> nn.Module:
    """Give a timm resnet its drawn weights, in evaluation mode."""
    state = module.state_dict()
    module.load_state_dict({name: weight_like(name, tensor) for name, tensor in state.items()})
    return module.eval()


def main(path: Path) -> None:
    pixels = np.random.default_rng(21).integers(0, 256, (1, *SIZE, 3), dtype=np.uint8)
    scaled = (torch.from_numpy(pixels) / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    inputs = scaled.permute(0, 3, 1, 2)
    patchcore = PatchcoreModel(["layer2", "layer3"], backbone="resnet18", pre_trained=False)
    padim = PadimModel("resnet18", ["layer1", "layer2", "layer3"], pre_trained=False)
    padim.idx = torch.arange(0, 448, 4)  # in place of a random choice
    found = {}
    with torch.inference_mode():
        for model in (patchcore, padim):
            fill(model.feature_extractor.feature_extractor)
            features = model.feature_extractor.eval()(inputs)
            if model is patchcore:
                features = {name: model.feature_pooler(x) for name, x in features.items()}
            found[type(model).__name__] = model.generate_embedding(features).permute(0, 2, 3, 1)
    np.savez(
        path,
        images=pixels,
        patchcore=found["PatchcoreModel"].numpy(),
        padim=found["PadimModel"].numpy(),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
