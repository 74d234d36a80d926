"""Every model of anomalib that is a scorer, fitted for one step where anomalib is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from adharness import ContractError, DataError, FeatureGrid, SuiteError
from adharness_anomalib import ANOMALIB, AnomalibParams
from adharness_anomalib.catalogue import CATALOGUE, canonical, installed

absent = importlib.util.find_spec("anomalib") is None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),  # the first import alone takes half a minute
    pytest.mark.skipif(absent, reason="anomalib is not installed"),
]

RESNET, NONE = {"backbone": "resnet18"}, {"weights": "none"}
STEP = {"steps": 1, "batch": 2}
SMALL = "vit_small_patch14_reg4_dinov2"
ENCODER = {"encoder_name": SMALL}
FLOW = {"coupling_blocks": 1, "fiber_batch_size": 4}
GENERAL = {"backbone": "vit_small_patch14_dinov2", "layers": [12], "hidden_dim": 64, "dsc_heads": 2}
RAD = {"backbone": "vit_small_patch16_dinov3", "k_image": 2, "layers": [3, 6]}
# As small as each model allows: the side of the images, their number, and the params.
TRIALS: dict[str, tuple[int, int, dict]] = {
    "anomaly_dino": (56, 3, NONE),
    "cfa": (64, 3, {**NONE, **STEP, "options": RESNET}),
    "cflow": (64, 3, {**STEP, "options": FLOW}),
    "csflow": (
        128,
        2,
        {**NONE, **STEP, "options": {"n_coupling_blocks": 1, "cross_conv_hidden_channels": 8}},
    ),
    "dfkde": (64, 18, {}),  # it wants as many images as components
    "dfm": (64, 6, {}),
    "dinomaly": (56, 2, {**NONE, **STEP, "options": ENCODER}),
    "draem": (64, 2, {**NONE, **STEP, "options": {"dtd_dir": "FOLDER"}}),
    "efficient_ad": (256, 2, {**NONE, "steps": 1, "options": {"imagenet_dir": "FOLDER"}}),
    "fastflow": (64, 3, {**NONE, **STEP, "options": {"flow_steps": 1}}),
    "found_ad": (56, 2, {**NONE, **STEP, "options": {"encoder_name": "dinov2_vit_small_14"}}),
    "fre": (64, 3, {**STEP, "options": {"input_dim": 448, "latent_dim": 8}}),
    "ganomaly": (64, 3, {**NONE, **STEP, "options": {"n_features": 8, "latent_vec_size": 8}}),
    "general_ad": (56, 2, {**NONE, **STEP, "options": GENERAL}),
    "glass": (64, 2, STEP),
    "inp_former": (56, 2, {**NONE, **STEP, "options": ENCODER}),
    "l2bt": (224, 2, {**NONE, **STEP}),
    "mh_patchcore": (64, 4, {}),
    "padim": (64, 4, {}),
    "patchcore": (64, 4, {"options": {"coreset_sampling_ratio": 0.1}}),
    "patchflow": (64, 2, STEP),
    "rad": (64, 3, {**NONE, "options": RAD}),
    "reverse_distillation": (64, 2, {**NONE, **STEP, "options": RESNET}),
    "stfpm": (64, 3, STEP),
    "super_add": (
        64,
        2,
        {**NONE, "options": {"backbone": "vit_small_patch16_dinov3", "patch_size": 64}},
    ),
    "supersimplenet": (128, 2, STEP),
    "uflow": (64, 2, {**NONE, **STEP, "options": {**RESNET, "flow_steps": 1}}),
    "uni_net": (64, 2, {**NONE, **STEP}),
}
NO_MAP = {"dfkde", "ganomaly"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder of other images, as ImageFolder and DTD lay them out."""
    root = tmp_path_factory.mktemp("others")
    (root / "kind").mkdir()
    draw = np.random.default_rng(0)
    for i in range(3):
        pixels = draw.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "kind" / f"{i}.png")
    return root


def test_the_table_has_every_model_of_the_installed_anomalib() -> None:
    if importlib.metadata.version("anomalib").startswith("2.7."):
        assert {canonical(name) for name in installed()} == set(CATALOGUE)


def test_every_model_is_tried_or_refused() -> None:
    refused = {n for n, model in CATALOGUE.items() if model.refused or model.downloads}
    assert set(TRIALS) == set(CATALOGUE) - refused


@pytest.mark.parametrize("name", TRIALS)
def test_a_model_is_fitted_scores_and_comes_back(name, memory, pictures, folder, capfd) -> None:
    side, count, fields = TRIALS[name]
    options = {k: str(folder) if v == "FOLDER" else v for k, v in fields.get("options", {}).items()}
    scorer = ANOMALIB.make(AnomalibParams(model=name, **{**fields, "options": options}))
    before = _shared()
    made = scorer.fit(memory(count, side), np.random.default_rng(0))
    query = pictures(2, side, seed=1)
    scores = made.score(FeatureGrid(query))
    again = scorer.restore(made.state()).score(FeatureGrid(query[1:]))
    assert _shared() == before
    assert capfd.readouterr() == ("", "")
    assert scores.images.shape == (2,)
    assert scores.images[1] == again.images[0]
    assert (scores.patches is None) == (name in NO_MAP)
    if scores.patches is not None:
        assert scores.patches.shape == (2, side, side)  # nothing was resized or cropped
        assert (scores.patches[1] == again.patches[0]).all()


def _shared() -> tuple:
    return (
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        random.getstate(),
        torch.get_num_threads(),
        dict(os.environ),
    )


def test_the_same_seed_trains_the_same_model_and_another_another(memory, pictures) -> None:
    scorer = ANOMALIB.make(AnomalibParams(model="stfpm", **STEP))
    query = FeatureGrid(pictures(1))
    first, same, other = (
        scorer.fit(memory(4), np.random.default_rng(seed)).score(query).patches
        for seed in (0, 0, 1)
    )
    assert (first == same).all()
    assert not (first == other).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_neighbour": 3}, "did you mean 'num_neighbors'"),
        ({"pre_trained": False}, "is not for a suite to set"),
        ({"post_processor": True}, "is not for a suite to set"),
    ],
)
def test_an_option_that_the_model_has_not_is_refused(memory, options, said) -> None:
    scorer = ANOMALIB.make(AnomalibParams(model="patchcore", options=options))
    with pytest.raises(SuiteError) as error:
        scorer.fit(memory(2), np.random.default_rng(0))
    assert said in str(error.value)


def test_a_folder_that_is_not_there_is_not_downloaded(memory, tmp_path) -> None:
    options = {"dtd_dir": str(tmp_path / "none")}
    scorer = ANOMALIB.make(AnomalibParams(model="draem", **NONE, **STEP, options=options))
    with pytest.raises(DataError, match="no folder"):
        scorer.fit(memory(2), np.random.default_rng(0))


def test_images_of_no_whole_number_of_patches_are_refused(memory) -> None:
    scorer = ANOMALIB.make(AnomalibParams(model="anomaly_dino", **NONE))
    with pytest.raises(SuiteError, match="patches of 14 x 14 pixels") as error:
        scorer.fit(memory(2, 64), np.random.default_rng(0))
    assert error.value.hint == "extractor: {use: pixels, resize: [56, 56]}"


def test_what_anomalib_refuses_keeps_its_words(memory) -> None:
    scorer = ANOMALIB.make(AnomalibParams(model="cflow", **STEP, options={"coupling_blocks": 1}))
    with pytest.raises(ContractError, match=r"cflow failed on 2 images of 64 x 64 .*enough fibers"):
        scorer.fit(memory(2), np.random.default_rng(0))
