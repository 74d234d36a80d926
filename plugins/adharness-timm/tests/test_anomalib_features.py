"""Features against anomalib 2.7's: `benchmarks/peers/features_fixture.py` made the numbers."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

FIXTURE = Path(__file__).with_name("anomalib_2_7.npz")


def weight_like(name, tensor):
    """The very numbers of the fixture's script: drawn from a tensor's name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if tensor.ndim == 4:
        values = rng.normal(0, (2 / tensor[0].numel()) ** 0.5, tuple(tensor.shape))
    elif name.endswith(("weight", "running_var")):
        values = rng.uniform(0.5, 1.5, tuple(tensor.shape))
    else:
        values = rng.normal(0, 0.1, tuple(tensor.shape))
    return torch.from_numpy(values).to(tensor.dtype)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    with torch.device("meta"):
        template = timm.create_model("resnet18", num_classes=0).state_dict()
    path = tmp_path_factory.mktemp("weights") / "resnet18.safetensors"
    save_file({name: weight_like(name, tensor) for name, tensor in template.items()}, path)
    return str(path)


@pytest.mark.parametrize(
    ("name", "layers", "step", "settings"),
    [
        ("patchcore", [2, 3], 1, {}),
        ("padim", [1, 2, 3], 4, {"neighbourhood": 1, "upsampling": "nearest"}),
    ],
)
def test_features_are_those_of_anomalib(make, weights, name, layers, step, settings):
    with np.load(FIXTURE, allow_pickle=False) as fixture:
        images, expected = fixture["images"], fixture[name]
    size = list(images.shape[1:3])
    extractor = make(model="resnet18", weights=weights, layers=layers, resize=size, **settings)
    patches = extractor.extract(images).patches[..., ::step]
    assert patches.shape == expected.shape
    assert np.abs(patches - expected).max() < 1e-4 * np.abs(expected).max()
