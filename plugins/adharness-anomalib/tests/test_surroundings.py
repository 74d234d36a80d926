"""What foreign code leaves behind: nothing."""

from __future__ import annotations

import logging
import os
import random
import socket
import sys
import threading
import warnings

import numpy as np
import pytest
import timm
import torch
from torchvision.models import resnet18
from torchvision.models.resnet import ResNet18_Weights

from adharness import DataError, SuiteError
from adharness_anomalib.surroundings import undisturbed
from adharness_anomalib.weights import backbones
from adharness_timm.bundled import bundled_state

LITE = "tf_efficientnet_lite0"


def shared() -> tuple:
    return (
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        random.getstate(),
    )


def draws() -> tuple:
    return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()  # noqa: NPY002


def _draw_and_fail() -> None:
    draws()
    raise ZeroDivisionError


def test_shared_generators_are_seeded_inside_and_as_before_after() -> None:
    before = shared()
    with undisturbed(seed=7):
        first = draws()
    with undisturbed(seed=7):
        assert draws() == first
    with undisturbed(seed=8):
        assert draws() != first
    assert shared() == before


def test_an_error_leaves_the_generators_as_they_were() -> None:
    before = shared()
    with pytest.raises(ZeroDivisionError), undisturbed(seed=0):
        _draw_and_fail()
    assert shared() == before


def test_threads_gradients_and_variables_are_given_back(monkeypatch) -> None:
    monkeypatch.setenv("KEPT_BY_TEST", "a")
    threads = torch.get_num_threads()
    with undisturbed(seed=0):
        torch.set_num_threads(threads + 1)
        torch.set_grad_enabled(False)
        os.environ["SET_BY_A_LIBRARY"] = "1"
        os.environ["KEPT_BY_TEST"] = "b"
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()
    assert "SET_BY_A_LIBRARY" not in os.environ
    assert os.environ["KEPT_BY_TEST"] == "a"


def test_prints_warnings_and_log_lines_are_dropped(capfd) -> None:
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    with undisturbed(seed=0):
        sys.stdout.write("epoch 1")
        warnings.warn("few workers", stacklevel=1)
        logger.error("GPU available: False")
    assert capfd.readouterr() == ("", "")
    assert logger.level == level


def test_bundled_weights_are_in_a_backbone_that_asked_for_pretrained_ones() -> None:
    with backbones("bundled"):
        net = timm.create_model(LITE, pretrained=True, features_only=True, out_indices=[1, 2])
        plain = timm.create_model(LITE, pretrained=False, features_only=True, out_indices=[1, 2])
    state = bundled_state(LITE)
    assert all(torch.equal(tensor, state[name]) for name, tensor in net.state_dict().items())
    assert not torch.equal(plain.conv_stem.weight, state["conv_stem.weight"])


def test_a_backbone_without_bundled_weights_is_refused() -> None:
    with backbones("bundled"), pytest.raises(SuiteError, match="no weights are bundled"):
        timm.create_model("resnet18", pretrained=True)


def test_without_weights_networks_are_random_and_nothing_is_downloaded() -> None:
    created = timm.create_model
    with backbones("none"):
        timm.create_model("resnet18", pretrained=True, features_only=True)
        resnet18(weights=ResNet18_Weights.DEFAULT)
        with pytest.raises(DataError, match="only weights: pretrained allows it"):
            socket.create_connection(("example.org", 443), timeout=1)
    assert timm.create_model is created
    assert ResNet18_Weights.verify(ResNet18_Weights.DEFAULT) is ResNet18_Weights.DEFAULT


def test_other_threads_see_nothing_of_it() -> None:
    seen: list = []

    def other() -> None:
        seen.append(ResNet18_Weights.verify(ResNet18_Weights.DEFAULT))

    with backbones("none"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert ResNet18_Weights.verify(ResNet18_Weights.DEFAULT) is None
    assert seen == [ResNet18_Weights.DEFAULT]
