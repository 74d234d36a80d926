"""Every field of every preset, as the papers and their code have it (see `presets.py`)."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from adharness_timm import TIMM, TimmParams
from adharness_timm.presets import PRESETS

PLAIN = {
    "weights": "timm",
    "neighbourhood": 1,
    "aggregation": "average",
    "layer_dims": None,
    "upsampling": "bilinear",
    "dims": None,
    "resize": [256, 256],
    "crop": None,
    "interpolation": "bilinear",
    "embedding": True,
    "seed": 0,
    "precision": "float32",
}
PUBLISHED = {
    # patchcore-inspection: -b wideresnet50 -le layer2 -le layer3 --pretrain_embed_dimension 1024
    # --target_embed_dimension 1024 --patchsize 3; --resize 256 --imagesize 224; torchvision's V1
    "patchcore": {
        "model": "wide_resnet50_2.tv_in1k",
        "layers": [2, 3],
        "neighbourhood": 3,
        "aggregation": "unfold",
        "layer_dims": 1024,
        "dims": 1024,
        "crop": [224, 224],
    },
    # anomalib 2.7: layers ("layer2", "layer3"), AvgPool2d(3, 1, 1), Resize((256, 256)), no crop
    "patchcore-anomalib": {"model": "wide_resnet50_2", "layers": [2, 3], "neighbourhood": 3},
    # PaDiM, section IV.C: first three layers; resize 256 bicubic, centre crop 224
    "padim-resnet18": {
        "model": "resnet18.tv_in1k",
        "layers": [1, 2, 3],
        "crop": [224, 224],
        "interpolation": "bicubic",
    },
    "padim-wide-resnet50": {
        "model": "wide_resnet50_2.tv_in1k",
        "layers": [1, 2, 3],
        "crop": [224, 224],
        "interpolation": "bicubic",
    },
    # anomalib 2.7: F.interpolate(mode="nearest")
    "padim-anomalib": {"model": "resnet18", "layers": [1, 2, 3], "upsampling": "nearest"},
    # AnomalyDINO: dinov2_vits14, 448, BICUBIC, get_intermediate_layers(x)[0] with norm=True
    "anomalydino": {
        "model": "vit_small_patch14_dinov2.lvd142m",
        "layers": [11],
        "resize": [448, 448],
        "interpolation": "bicubic",
    },
    # gaussian-ad: efficientnet-b4 at its 380 pixels, AutoAugment weights, all levels timm gives
    "mahalanobis-efficientnet-b4": {
        "model": "tf_efficientnet_b4.aa_in1k",
        "layers": [0, 1, 2, 3, 4],
        "resize": [380, 380],
    },
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_what_was_published_field_by_field(name):
    assert TimmParams(preset=name).identity() == PLAIN | PUBLISHED[name]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_and_its_settings_spelled_out_are_one_identity(name):
    spelled_out = TimmParams(**TimmParams(preset=name).identity())
    assert spelled_out.preset is None
    assert spelled_out.identity() == TimmParams(preset=name).identity()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_leaves_nothing_that_counts_to_a_default_of_ours(name):
    settings = {"preset", "device"}
    counts = {
        field
        for field, info in TimmParams.model_fields.items()
        if not (isinstance(info.json_schema_extra, dict) and info.json_schema_extra.get("setting"))
    }
    assert counts - set(PRESETS[name].values) == {"seed"}
    assert not settings & set(PRESETS[name].values)
    assert PRESETS[name].source


def test_what_is_written_beside_a_preset_wins_and_the_rest_stays():
    params = TimmParams(preset="patchcore", model="resnet18", dims=None, resize=[320, 256])
    whole = TimmParams(preset="patchcore").identity()
    changed = {"model": "resnet18", "dims": None, "resize": [320, 256]}
    assert params.identity() == whole | changed


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("patchcor", "there is no preset 'patchcor'; did you mean patchcore, patchcore-anomalib?"),
        ("yolo", "there is no preset 'yolo'; there are patchcore, patchcore-anomalib, padim"),
    ],
)
def test_an_unknown_preset_is_answered_with_the_nearest(name, said):
    with pytest.raises(ValidationError) as caught:
        TimmParams(preset=name)
    assert [error["loc"] for error in caught.value.errors()] == [("preset",)]
    assert said in caught.value.errors()[0]["msg"]


def test_without_a_preset_the_parameters_are_called_what_they_were_called():
    assert TimmParams().identity() == {
        "model": "tf_efficientnet_lite0",
        "weights": "bundled",
        "layers": [2, 4],
        "neighbourhood": 3,
        "aggregation": "average",
        "layer_dims": None,
        "upsampling": "bilinear",
        "dims": None,
        "resize": [256, 256],
        "crop": None,
        "interpolation": "bilinear",
        "embedding": True,
        "seed": 0,
        "precision": "float32",
    }


def test_the_parameter_says_which_presets_there_are_and_what_they_set():
    described = TIMM.params.model_fields["preset"].description
    assert "patchcore (wide_resnet50_2.tv_in1k, layers 2+3, resize 256, crop 224)" in described
    assert all(f"{name} (" in described for name in PRESETS)


def test_a_preset_builds_with_other_weights_and_a_smaller_net(make):
    extractor = make(preset="padim-resnet18", model="test_resnet", weights="random")
    assert extractor.preprocess.input_size == (224, 224)
    assert extractor.preprocess.interpolation == "bicubic"
