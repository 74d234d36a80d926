"""What a suite may say of the scorer, before anomalib is imported or even installed."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from pydantic import ValidationError

from adharness import PluginError
from adharness_anomalib import ANOMALIB, AnomalibParams
from adharness_anomalib.catalogue import CATALOGUE, canonical, installed


def refusal(**fields) -> str:
    with pytest.raises(ValidationError) as error:
        AnomalibParams(**fields)
    return str(error.value)


@pytest.mark.parametrize("name", ["EfficientAd", "efficient_ad", "efficientad", "efficient-ad"])
def test_every_spelling_of_a_model_is_one_cell(name: str) -> None:
    assert canonical(name) == "efficient_ad"


def test_an_unknown_model_gets_the_nearest_and_the_list() -> None:
    said = refusal(model="patchcor")
    assert "did you mean 'patchcore'?" in said
    assert "reverse_distillation" in said
    assert "win_clip" not in said  # it would be refused


@pytest.mark.parametrize("name", [n for n, model in CATALOGUE.items() if model.refused])
def test_a_model_that_is_no_scorer_is_refused_with_its_reason(name: str) -> None:
    assert CATALOGUE[name].refused in refusal(model=name, weights="none")


def test_a_model_that_needs_other_images_is_refused_without_their_folder() -> None:
    assert "options: {dtd_dir: FOLDER}" in refusal(model="draem", weights="none", epochs=1)
    AnomalibParams(model="draem", weights="none", epochs=1, options={"dtd_dir": "x"})


def test_a_model_that_needs_a_download_is_refused_unless_it_is_asked_for() -> None:
    assert "weights: pretrained downloads it" in refusal(model="dsr", weights="none", epochs=1)
    AnomalibParams(model="dsr", weights="pretrained", epochs=1)


def test_bundled_weights_fill_in_the_backbone_and_its_layers() -> None:
    params = AnomalibParams(model="patchcore")
    expected = {"backbone": "tf_efficientnet_lite0", "layers": ["blocks.2", "blocks.4"]}
    assert params.options == expected
    assert params.identity()["options"] == expected  # a cell is known by what is computed


def test_what_is_written_wins_over_what_is_filled_in() -> None:
    params = AnomalibParams(model="patchcore", options={"layers": ["blocks.1"]})
    assert params.options["layers"] == ["blocks.1"]
    assert AnomalibParams(model="patchcore", weights="none").options == {}


def test_bundled_weights_are_refused_where_no_backbone_takes_them() -> None:
    assert "no backbone that the bundled weights fit" in refusal(model="uflow", epochs=1)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "stfpm"}, "stfpm trains by gradients: set epochs, or steps"),
        ({"model": "stfpm", "steps": 1, "epochs": 1}, "both given"),
        ({"model": "padim", "steps": 1}, "padim does not train by gradients"),
        (
            {
                "model": "efficient_ad",
                "weights": "none",
                "steps": 1,
                "batch": 2,
                "options": {"imagenet_dir": "x"},
            },
            "batch: 1 only, got 2",
        ),
        ({"model": "padim", "layers": ["layer1"]}, "Extra inputs"),
        ({"model": 3}, "valid string"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(fields: dict, said: str) -> None:
    assert said in refusal(**fields)


def test_the_one_batch_size_that_a_model_takes_is_filled_in() -> None:
    options = {"imagenet_dir": "x"}
    params = AnomalibParams(model="EfficientAd", weights="none", steps=1, options=options)
    assert params.batch == 1


def test_the_device_is_no_part_of_a_result() -> None:
    assert "device" not in AnomalibParams().identity()


def test_without_anomalib_the_scorer_says_what_to_install(monkeypatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "anomalib" else found(name)
    )
    assert installed() == ()
    with pytest.raises(PluginError, match="anomalib, which is not installed") as error:
        ANOMALIB.make(AnomalibParams())
    assert error.value.hint == "pip install './plugins/adharness-anomalib[anomalib]'"


def test_a_model_that_came_after_the_catalogue_is_taken_from_what_is_installed(
    monkeypatch, tmp_path
) -> None:
    package = tmp_path / "anomalib" / "models"
    package.mkdir(parents=True)
    (tmp_path / "anomalib" / "__init__.py").touch()
    (package / "__init__.py").write_text('raise ImportError\n__all__ = ["Padim", "BrandNew"]\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "anomalib", raising=False)
    assert AnomalibParams(model="brand_new", weights="none").model == "brandnew"
    assert AnomalibParams(model="padim").model == "padim"
