from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
from pydantic import ValidationError
from torch.nn import functional

from adharness import ContractError, DataError, SuiteError
from adharness_timm import TIMM, TimmParams
from adharness_timm.aggregation import join

CONV = {"model": "test_resnet", "weights": "random", "layers": [1, 3], "resize": [96, 64]}
VIT = {"model": "vit_tiny_patch16_224", "weights": "random", "layers": [0, 2], "resize": [48, 32]}


def relative(a, b):
    return np.abs(a - b).max() / np.abs(a).max()


def test_layers_meet_on_the_grid_of_the_finest(make, images):
    features = make(**CONV).extract(images)
    reductions = [f["reduction"] for f in timm.create_model("test_resnet").feature_info]
    channels = [f["num_chs"] for f in timm.create_model("test_resnet").feature_info]
    h, w = 96 // reductions[1], 64 // reductions[1]
    assert features.patches.shape == (5, h, w, channels[1] + channels[3])
    assert features.embeddings.shape == (5, channels[3])
    assert features.patches.dtype == features.embeddings.dtype == np.float32
    assert features.patches.flags.c_contiguous


@pytest.mark.slow
def test_the_bundled_lite0_gives_timms_own_stages(make):
    extractor = make(resize=64, neighbourhood=1, layers=[2])
    images = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    from adharness_timm.bundled import bundled_state

    net = timm.create_model("tf_efficientnet_lite0", features_only=True, out_indices=(2,)).eval()
    net.load_state_dict(bundled_state("tf_efficientnet_lite0"), strict=False)
    scaled = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.inference_mode():
        expected = net(scaled)[0].permute(0, 2, 3, 1).numpy()
    features = extractor.extract(images)
    assert relative(expected, features.patches) < 1e-4
    assert relative(expected.mean(axis=(1, 2)), features.embeddings) < 1e-4


def test_pooling_and_alignment_are_those_of_anomalib():
    fine, coarse = torch.randn(2, 3, 8, 6), torch.randn(2, 4, 4, 3)
    joined = join([fine, coarse], TimmParams())
    pool = torch.nn.AvgPool2d(3, 1, 1)
    up = functional.interpolate(pool(coarse), size=(8, 6), mode="bilinear", align_corners=False)
    torch.testing.assert_close(joined, torch.cat([pool(fine), up], 1).permute(0, 2, 3, 1))
    torch.testing.assert_close(join([fine], TimmParams(neighbourhood=1)), fine.permute(0, 2, 3, 1))
    corner = join([torch.ones(1, 1, 4, 4)], TimmParams())[0, 0, 0, 0]
    assert corner.item() == pytest.approx(4 / 9)  # the padding counts


@pytest.mark.parametrize("fields", [CONV, pytest.param(VIT, marks=pytest.mark.slow)])
def test_an_image_alone_or_in_a_batch_gives_the_same_features(make, images, fields):
    extractor = make(**fields)
    height, width = extractor.preprocess.height, extractor.preprocess.width
    batch = np.concatenate([images] * 3)[:11, :height, :width]
    together = extractor.extract(batch)
    for i in (0, 4, 10):
        alone = extractor.extract(batch[i : i + 1])
        assert relative(alone.patches, together.patches[i : i + 1]) < 1e-5
        assert relative(alone.embeddings, together.embeddings[i : i + 1]) < 1e-5


@pytest.mark.slow
def test_a_transformer_gives_patches_without_its_class_token_and_the_token_as_embedding(make):
    images = np.random.default_rng(2).integers(0, 256, (2, 48, 32, 3), dtype=np.uint8)
    extractor = make(**VIT, neighbourhood=1)
    features = extractor.extract(images)
    assert features.patches.shape == (2, 3, 2, 2 * 192)
    assert features.embeddings.shape == (2, 192)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = timm.create_model(VIT["model"], num_classes=0).eval()
    net.set_input_size(img_size=(48, 32))
    tokens = []
    net.blocks[2].register_forward_hook(lambda *call: tokens.append(net.norm(call[2])))
    with torch.inference_mode():
        net((torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - 0.5) / 0.5)
    assert relative(tokens[0][:, 0].numpy(), features.embeddings) < 1e-5
    patches = tokens[0][:, 1:].reshape(2, 3, 2, 192).numpy()
    assert relative(patches, features.patches[..., 192:]) < 1e-5


@pytest.mark.slow
def test_register_tokens_are_not_patches(make):
    extractor = make(model="vit_small_patch14_reg4_dinov2", weights="random", layers=[0], resize=28)
    features = extractor.extract(np.zeros((1, 28, 28, 3), dtype=np.uint8))
    assert features.patches.shape == (1, 2, 2, 384)


def test_the_fingerprint_names_the_weights_and_nothing_that_is_a_setting(make):
    first = make(**CONV)
    assert first.fingerprint() == TIMM.make(TimmParams(**CONV, device="cpu")).fingerprint()
    assert first.fingerprint() != make(**CONV, seed=1).fingerprint()
    assert "device" not in TimmParams().identity()


def test_random_weights_repeat_and_leave_the_global_generator_alone(images):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    one, other = (TIMM.make(TimmParams(**CONV)).extract(images).patches for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    np.testing.assert_array_equal(one, other)


def test_extracting_leaves_the_arithmetic_of_the_process_as_it_was(make, images):
    make(**CONV).extract(images)
    assert np.float32(1e-40) * np.float32(1) != 0
    assert torch.tensor(1e-40) * 1 != 0


@pytest.mark.parametrize("fields", [CONV, pytest.param(VIT, marks=pytest.mark.slow)])
def test_bfloat16_moves_features_a_little_and_they_stay_float32(make, images, fields):
    exact, reduced = make(**fields), make(**fields, precision="bfloat16")
    height, width = exact.preprocess.height, exact.preprocess.width
    batch = images[:, :height, :width]
    expected, features = exact.extract(batch), reduced.extract(batch)
    assert features.patches.dtype == features.embeddings.dtype == np.float32
    assert 0 < relative(expected.patches, features.patches) < 0.03
    assert 0 < relative(expected.embeddings, features.embeddings) < 0.03
    np.testing.assert_array_equal(features.patches, reduced.extract(batch).patches)


def test_precision_is_part_of_what_names_the_features():
    reduced = TimmParams(precision="bfloat16").identity()
    assert reduced != TimmParams().identity()
    assert reduced["precision"] == "bfloat16"


def test_the_embedding_can_be_left_out(make, images):
    assert make(**CONV, embedding=False).extract(images).embeddings is None


def test_one_number_and_a_pair_name_the_same_size():
    assert TimmParams(resize=64).identity() == TimmParams(resize=[64, 64]).identity()


def test_preprocess_gives_the_size_and_the_filter(make):
    preprocess = make(**CONV, interpolation="bicubic").preprocess
    assert (preprocess.height, preprocess.width, preprocess.interpolation) == (96, 64, "bicubic")


def test_with_a_crop_the_input_has_its_size_and_nothing_else_changes(make, images):
    whole = make(**CONV)
    cropped = make(**(CONV | {"resize": [100, 70], "crop": [96, 64]}))
    assert cropped.preprocess.margins == (2, 2, 3, 3)
    assert cropped.preprocess.input_size == (96, 64)
    np.testing.assert_array_equal(whole.extract(images).patches, cropped.extract(images).patches)


def test_the_hint_for_a_size_that_does_not_fit_names_the_parameter_that_sets_it():
    fields = CONV | {"model": "test_vit", "resize": 64, "crop": 50}
    with pytest.raises(SuiteError, match="cannot take 50 x 50 pixels") as caught:
        TIMM.make(TimmParams(**fields))
    assert "crop: [48, 48]" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((1, 64, 96, 3), "uint8"), ((1, 96, 64, 3), "float32"), ((0, 96, 64, 3), "uint8")],
)
def test_images_of_another_size_or_type_are_refused(make, shape, dtype):
    with pytest.raises(ContractError):
        make(**CONV).extract(np.zeros(shape, dtype=dtype))


@pytest.mark.parametrize(
    ("fields", "message", "hint"),
    [
        ({"model": "tf_efficientnet_lite00"}, "no model 'tf_efficientnet_lite00'", "lite0"),
        ({"model": "test_resnet.nope"}, "no weights 'nope' for", "it has test_resnet.r160_in1k"),
        ({"model": "hf-hub:some/thing"}, "no model 'hf-hub:some/thing'", None),
        ({"layers": [1, 9]}, r"layers \[9\] are out of range: .* 0 to 4", r"[0, 1, 2, 3, 4]"),
        ({"layers": [-6, -1]}, r"layers \[-6\] are out of range", r"[-5, -4, -3, -2, -1]"),
        ({"pooling": "token"}, "'test_resnet' has no class token", "pooling: mean, or gem"),
        ({"model": "test_vit", "resize": 50}, "cannot take 50 x 50 pixels", "resize: [48, 48]"),
    ],
)
def test_a_mistake_in_the_suite_is_answered_with_what_would_do(fields, message, hint):
    with pytest.raises(SuiteError, match=message) as caught:
        TIMM.make(TimmParams(**(CONV | fields)))
    assert hint is None or hint in caught.value.hint


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_on_a_machine_without_it_is_refused():
    with pytest.raises(SuiteError, match="device cuda was asked for, but torch sees none"):
        TIMM.make(TimmParams(**CONV, device="cuda"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_and_the_cpu_agree(make, images):
    ours = make(**CONV, device="cpu").extract(images).patches
    assert relative(ours, make(**CONV, device="cuda").extract(images).patches) < 1e-3


def test_a_failed_download_names_the_ways_that_need_none(monkeypatch):
    def offline(*_, **__):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(DataError, match="no route to host") as caught:
        TIMM.make(TimmParams(**(CONV | {"weights": "timm"})))
    assert "bundled" in str(caught.value.hint)


@pytest.mark.parametrize(
    "fields",
    [
        {"layers": [2, 1]},
        {"layers": []},
        {"layers": [-1, 2]},
        {"layers": [-1, -2]},
        {"pooling": "max"},
        {"neighbourhood": 2},
        {"resize": 0},
        {"size": 3},
        {"resize": 224, "crop": 256},
        {"crop": 0},
    ],
)
def test_params_that_mean_nothing_are_refused(fields):
    with pytest.raises(ValidationError):
        TimmParams(**fields)


def test_importing_the_plugin_imports_neither_torch_nor_timm():
    code = "import sys, adharness_timm; print({'torch', 'timm'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
