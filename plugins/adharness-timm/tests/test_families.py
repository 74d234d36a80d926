"""Families of timm at sizes that are not theirs, and what is read of them."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch

from adharness import SuiteError
from adharness_timm import TIMM, TimmParams

VIT = {"model": "test_vit", "weights": "random", "neighbourhood": 1, "resize": [96, 64]}


def pixels(*size):
    return np.random.default_rng(4).integers(0, 256, (2, *size, 3), dtype=np.uint8)


def network(model, size):
    """The model that `weights: random` makes, fitted to the size by timm."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = timm.create_model(model, num_classes=0).eval()
    net.set_input_size(img_size=size)
    return net


def blocks(model, images):
    """Tokens behind every block (N, prefix + patches, C), not normalized, and the net."""
    net = network(model, images.shape[1:3])
    tokens = []
    for block in net.blocks:
        block.register_forward_hook(lambda *call: tokens.append(call[2]))
    mean, std = (torch.tensor(net.pretrained_cfg[key]) for key in ("mean", "std"))
    with torch.inference_mode():
        net.forward_features(((torch.from_numpy(images) / 255 - mean) / std).permute(0, 3, 1, 2))
    return tokens, net


def close(a, b):
    return np.abs(a - b).max() < 2e-5 * np.abs(a).max()


@pytest.mark.parametrize("normed", [True, False])
def test_blocks_are_read_with_the_final_norm_or_as_they_are(make, normed):
    images = pixels(96, 64)
    features = make(**VIT, layers=[1, 3], final_norm=normed).extract(images)
    tokens, net = blocks("test_vit", images)
    with torch.inference_mode():
        chosen = [net.norm(tokens[i]) if normed else tokens[i] for i in (1, 3)]
    patches = torch.cat([block[:, 1:] for block in chosen], dim=2).reshape(2, 6, 4, -1)
    assert close(patches.numpy(), features.patches)
    assert close(chosen[-1][:, 0].numpy(), features.embeddings)


def test_a_transformer_without_prefix_tokens_is_normed_too_and_says_that_it_was_not(make):
    fields = {"model": "test_vit_relpos", "weights": "random", "layers": [-1], "resize": 64}
    assert timm.create_model("test_vit_relpos").num_prefix_tokens == 0
    raw = make(**fields, neighbourhood=1, final_norm=False)
    normed = make(**fields, neighbourhood=1)
    images = pixels(64, 64)
    net = network("test_vit_relpos", (64, 64))
    with torch.inference_mode():
        expected = net.norm(torch.from_numpy(raw.extract(images).patches)).numpy()
    assert close(expected, normed.extract(images).patches)
    assert normed.fingerprint() != raw.fingerprint()


@pytest.mark.parametrize("model", ["test_vit2", "test_vit4"])
def test_registers_without_a_class_token_are_neither_patches_nor_the_embedding(make, model):
    images = pixels(96, 64)
    features = make(**(VIT | {"model": model}), layers=[-1]).extract(images)
    tokens, net = blocks(model, images)
    with torch.inference_mode():
        patches = net.norm(tokens[-1])[:, net.num_prefix_tokens :]
    assert net.num_prefix_tokens > 0
    assert close(patches.reshape(2, 6, 4, -1).numpy(), features.patches)
    assert close(patches.mean(dim=1).numpy(), features.embeddings)


def test_layers_counted_from_the_end_are_those_counted_from_the_start(make):
    images, fields = pixels(64, 64), {"model": "test_resnet", "weights": "random", "resize": 64}
    behind, before = make(**fields, layers=[-3, -1]), make(**fields, layers=[2, 4])
    np.testing.assert_array_equal(behind.extract(images).patches, before.extract(images).patches)
    assert behind.fingerprint() == before.fingerprint()


def test_the_embedding_is_the_token_the_mean_or_the_generalized_mean(make):
    images, fields = pixels(96, 64), VIT | {"layers": [3], "final_norm": False}
    got = {how: make(**fields, pooling=how).extract(images) for how in ("token", "mean", "gem")}
    patches = got["mean"].patches.astype(np.float64)
    assert close(patches.mean(axis=(1, 2)), got["mean"].embeddings)
    powered = np.maximum(patches, 1e-6) ** 3
    assert close(powered.mean(axis=(1, 2)) ** (1 / 3), got["gem"].embeddings)
    auto = make(**fields).extract(images)
    np.testing.assert_array_equal(auto.embeddings, got["token"].embeddings)
    assert all((auto.patches == each.patches).all() for each in got.values())


def test_parameters_added_since_count_only_where_they_are_used():
    assert {"pooling", "final_norm"}.isdisjoint(TimmParams().identity())
    assert TimmParams(pooling="gem", final_norm=False).identity()["pooling"] == "gem"
    assert TimmParams(final_norm=False).identity()["final_norm"] is False


SQUARE, WIDE, ODD = [64, 64], [64, 96], [90, 61]


@pytest.mark.parametrize(
    ("model", "layer", "size", "grid"),
    [
        ("test_resnet", 2, ODD, (12, 8)),  # padded: the last patch is not whole
        ("tf_efficientnet_lite0", 3, ODD, (6, 4)),
        ("mobilenetv3_small_050", 3, ODD, (6, 4)),
        ("test_convnext", 2, WIDE, (4, 6)),
        ("pvt_v2_b0", 1, ODD, (12, 8)),  # patches of 7 pixels every 4: they overlap
        ("davit_tiny", 0, ODD, (23, 16)),
        pytest.param("vit_tiny_patch16_dinov3_qkvb", 11, WIDE, (4, 6), marks=pytest.mark.slow),
        pytest.param("vit_small_patch14_dinov2", 0, [42, 70], (3, 5), marks=pytest.mark.slow),
        pytest.param("deit_tiny_distilled_patch16_224", 1, WIDE, (4, 6), marks=pytest.mark.slow),
        pytest.param("eva02_tiny_patch14_224", 1, [42, 70], (3, 5), marks=pytest.mark.slow),
        pytest.param("vit_pe_core_tiny_patch16_384", 1, WIDE, (4, 6), marks=pytest.mark.slow),
        pytest.param(
            "swin_tiny_patch4_window7_224",
            1,
            WIDE,
            (8, 12),
            marks=[
                pytest.mark.slow,
                # torch's words on how timm resizes the position biases of a smaller window
                pytest.mark.filterwarnings("ignore:torch.searchsorted"),
                pytest.mark.filterwarnings("ignore:Using a non-tuple sequence"),
            ],
        ),
        pytest.param("swinv2_tiny_window8_256", 1, WIDE, (8, 12), marks=pytest.mark.slow),
        pytest.param("xcit_nano_12_p8_224", 1, WIDE, (8, 12), marks=pytest.mark.slow),
        pytest.param("tiny_vit_5m_224", 1, WIDE, (8, 12), marks=pytest.mark.slow),
        pytest.param("sam2_hiera_tiny", 1, WIDE, (8, 12), marks=pytest.mark.slow),
    ],
)
def test_a_model_takes_images_that_are_not_of_its_size(make, model, layer, size, grid):
    given = {"model": model, "weights": "random", "layers": [layer], "resize": size}
    features = TIMM.make(TimmParams(**given)).extract(pixels(*size))
    assert features.patches.shape[1:3] == grid
    assert np.isfinite(features.patches).all()
    assert (features.patches[0] != features.patches[1]).any()


@pytest.mark.parametrize(
    ("model", "layers", "size", "why", "hint"),
    [
        ("test_convnext", [0, 3], [150, 96], "leaves out up to 22 pixels", "resize: [160, 96]"),
        ("test_convnext", [0], [150, 96], "leaves out up to 2 pixels", "resize: [152, 96]"),
        ("test_vit", [0], [90, 64], "90 x 64 pixels", "16 x 16 pixels: resize: [96, 64]"),
        ("hrnet_w18_small", [1], [90, 64], "must match", "multiple of 32 pixels: resize: [96, 64]"),
        pytest.param(
            "sequencer2d_s",
            [0, 3],
            [40, 30],
            "leaves out up to 12 pixels",
            "a multiple of 14 pixels: resize: [42, 28]",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "crossvit_9_240",
            [0],
            [160, 96],
            "scales images to a size of its own",
            "its own size is resize: [240, 240]",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "hiera_tiny_224",
            [0],
            [256, 256],
            "must match",
            "its own size is resize: [224, 224]",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "mvitv2_tiny",
            [0],
            [256, 256],
            "out of bounds",
            "its own size is resize: [224, 224]",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_size_that_a_model_cannot_take_is_refused_with_the_nearest(
    model, layers, size, why, hint
):
    params = TimmParams(model=model, weights="random", layers=layers, resize=size)
    with pytest.raises(SuiteError, match=why) as caught:
        TIMM.make(params)
    assert hint in str(caught.value.hint)


def test_a_net_that_never_pads_keeps_its_own_grid(make):
    given = {"model": "pit_ti_224", "weights": "random", "layers": [0], "resize": 224}
    assert make(**given).extract(pixels(224, 224)).patches.shape[1:3] == (27, 27)


def test_a_hint_for_a_crop_stays_inside_the_resize():
    given = {"model": "test_convnext", "weights": "random", "layers": [3], "resize": 159}
    with pytest.raises(SuiteError) as caught:
        TIMM.make(TimmParams(**given, crop=155))
    assert "crop: [128, 128]" in str(caught.value.hint)


def test_position_embeddings_are_resampled_to_the_size(make):
    net = make(**VIT, layers=[0])._network.module
    own = timm.create_model("test_vit", num_classes=0).pos_embed
    assert (own.shape[1], net.pos_embed.shape[1]) == (101, 25)
    resampled = timm.layers.resample_abs_pos_embed(
        network("test_vit", (160, 160)).pos_embed, new_size=[6, 4], num_prefix_tokens=1
    )
    torch.testing.assert_close(net.pos_embed, resampled)
