from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from pydantic import ValidationError
from torch.nn import functional

from adharness_timm import TimmParams
from adharness_timm.aggregation import join


def official(layers, side, layer_dims, dims):
    """PatchCore's own order, word for word, in float64: unfold, interpolate, pool, pool."""
    layers = [layer.double() for layer in layers]
    height, width = layers[0].shape[-2:]
    mapped = []
    for layer in layers:
        n, c, h, w = layer.shape
        unfolded = functional.unfold(layer, side, stride=1, padding=side // 2)
        planes = unfolded.reshape(n * c * side * side, 1, h, w)
        if (h, w) != (height, width):
            planes = functional.interpolate(
                planes, size=(height, width), mode="bilinear", align_corners=False
            )
        patches = planes.reshape(n, c, side, side, height, width).permute(0, 4, 5, 1, 2, 3)
        flat = patches.reshape(n * height * width, 1, c * side * side)
        mapped.append(functional.adaptive_avg_pool1d(flat, layer_dims).squeeze(1))
    stacked = torch.stack(mapped, dim=1)
    joined = functional.adaptive_avg_pool1d(stacked.reshape(len(stacked), 1, -1), dims)
    return joined.reshape(n, height, width, dims)


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("side", [1, 3, 5])
@pytest.mark.parametrize(("layer_dims", "dims"), [(16, 10), (7, 14), (64, 64), (200, 31)])
def test_unfolding_gives_the_official_numbers_in_any_width(side, layer_dims, dims):
    layers = [noise(2, 6, 9, 7), noise(2, 10, 5, 4)]
    params = TimmParams(neighbourhood=side, aggregation="unfold", layer_dims=layer_dims, dims=dims)
    ours = join(layers, params)
    expected = official(layers, side, layer_dims, dims)
    assert ours.shape == expected.shape
    torch.testing.assert_close(ours.double(), expected, rtol=0, atol=2e-6)


def test_the_extractor_gives_the_official_features_of_a_resnet18(make):
    images = np.random.default_rng(3).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    settings = {"model": "resnet18", "weights": "random", "layers": [2, 3], "resize": 64}
    extractor = make(**settings, aggregation="unfold", layer_dims=1024, dims=1024)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = timm.create_model("resnet18", num_classes=0).eval().double()
    mean, std = (torch.tensor(net.pretrained_cfg[k]).double() for k in ("mean", "std"))
    inputs = ((torch.from_numpy(images) / 255 - mean) / std).permute(0, 3, 1, 2)
    with torch.inference_mode():
        layers = net.forward_intermediates(inputs, indices=[2, 3], intermediates_only=True)
        expected = official(layers, 3, 1024, 1024).numpy()
    patches = extractor.extract(images).patches
    assert patches.shape == (2, 8, 8, 1024)
    assert np.abs(patches - expected).max() < 1e-4 * np.abs(expected).max()


def test_unfolded_values_lie_channel_by_channel_row_by_row():
    layer = noise(1, 2, 4, 5)
    patches = join([layer], TimmParams(aggregation="unfold"))
    padded = np.pad(layer[0].numpy(), ((0, 0), (1, 1), (1, 1)))
    for y in range(4):
        for x in range(5):
            np.testing.assert_array_equal(
                patches[0, y, x].numpy(), padded[:, y : y + 3, x : x + 3].ravel()
            )


def test_averages_are_what_unfolding_gives_when_the_neighbours_of_a_channel_are_pooled():
    layers = [noise(2, 6, 8, 6), noise(2, 6, 4, 3)]
    unfolded = join(layers, TimmParams(aggregation="unfold", layer_dims=6))
    torch.testing.assert_close(unfolded, join(layers, TimmParams()), rtol=0, atol=1e-6)


def test_widths_pool_averaged_layers_too():
    fine, coarse = noise(2, 8, 6, 6), noise(2, 4, 3, 3)
    plain = join([fine, coarse], TimmParams())
    narrow = join([fine, coarse], TimmParams(layer_dims=2, dims=1))
    assert narrow.shape == (2, 6, 6, 1)
    halves = [plain[..., :8].mean(-1), plain[..., 8:].mean(-1)]
    torch.testing.assert_close(narrow[..., 0], sum(halves) / 2)


def test_nearest_upsampling_repeats_the_coarse_patches():
    fine, coarse = noise(1, 1, 4, 6), noise(1, 2, 2, 3)
    joined = join([fine, coarse], TimmParams(neighbourhood=1, upsampling="nearest"))
    repeated = coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(joined[..., 1:], repeated.permute(0, 2, 3, 1), rtol=0, atol=0)


def test_an_image_alone_or_in_a_batch_unfolds_to_the_same_bits():
    layers = [noise(5, 6, 8, 6), noise(5, 10, 4, 3)]
    params = TimmParams(aggregation="unfold", layer_dims=16, dims=12)
    together = join(layers, params)
    alone = join([layer[3:4] for layer in layers], params)
    assert torch.equal(alone[0], together[3])


@pytest.mark.parametrize(
    "fields", [{"aggregation": "max"}, {"layer_dims": 0}, {"dims": -1}, {"upsampling": "cubic"}]
)
def test_ways_of_joining_that_do_not_exist_are_refused(fields):
    with pytest.raises(ValidationError):
        TimmParams(**fields)
