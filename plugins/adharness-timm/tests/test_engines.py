"""What runs the network in torch: chunk by chunk, in lanes, and compiled."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from adharness import PluginError, SuiteError
from adharness_timm import TIMM, TimmParams
from adharness_timm.gathering import gather
from adharness_timm.torch_engine import CPU_CHUNK, GPU_CHUNK, LanesEngine

CONV = {"model": "test_resnet", "weights": "random", "layers": [1, 3], "resize": [96, 64]}
CPU = torch.device("cpu")
GPU = pytest.param(
    "cuda",
    marks=[
        pytest.mark.gpu,
        pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    ],
)


@pytest.fixture(scope="module")
def many():
    return np.random.default_rng(1).integers(0, 256, (70, 96, 64, 3), dtype=np.uint8)


def relative(a, b):
    return np.abs(a - b).max() / np.abs(a).max()


def in_lanes(extractor, images, device, lanes):
    engine = LanesEngine(extractor._network, lanes * [torch.device(device)], extractor.chosen)
    return gather(engine, images, extractor.chosen, torch.device(device))


@pytest.mark.parametrize("device", ["cpu", GPU])
@pytest.mark.parametrize("joining", [{}, {"aggregation": "unfold", "dims": 7}, {"dims": 5}])
def test_lanes_give_the_features_of_torch_in_order(make, many, device, joining):
    extractor = make(**CONV, **joining, device="cpu")
    expected, found = extractor.extract(many), in_lanes(extractor, many, device, 2)
    assert relative(expected.patches, found.patches) < 1e-4
    assert relative(expected.embeddings, found.embeddings) < 1e-4


@pytest.mark.parametrize("device", ["cpu", GPU])
def test_the_number_of_lanes_changes_no_bit(make, many, device):
    extractor = make(**CONV, device="cpu")
    one, three = (in_lanes(extractor, many, device, lanes) for lanes in (1, 3))
    np.testing.assert_array_equal(one.patches, three.patches)
    np.testing.assert_array_equal(one.embeddings, three.embeddings)


def test_a_call_gives_every_lane_a_chunk(make):
    extractor = make(**CONV, device="cpu")
    engine = LanesEngine(extractor._network, 3 * [CPU], extractor.chosen)
    assert (engine.together, engine.at_once) == (GPU_CHUNK, 3 * GPU_CHUNK)


def test_a_lane_leaves_the_network_that_it_was_made_of_where_it_is(make, images):
    extractor = make(**CONV, device="cpu")
    before = extractor.extract(images).patches
    engine = LanesEngine(extractor._network, [CPU], extractor.chosen)
    for values in engine._lanes[0]._network.module.parameters():
        values.data.zero_()
    np.testing.assert_array_equal(before, extractor.extract(images).patches)


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
def test_several_gpus_give_what_one_gives(make, many):
    extractor = make(**CONV, device="cpu")
    devices = [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
    engine = LanesEngine(extractor._network, devices, extractor.chosen)
    found = gather(engine, many, extractor.chosen, torch.device("cuda"))
    np.testing.assert_array_equal(in_lanes(extractor, many, "cuda:0", 1).patches, found.patches)


def test_images_beyond_a_chunk_change_no_bit_of_those_within(make, many):
    extractor = make(**CONV, device="cpu")
    assert (extractor.together, extractor.at_once) == (CPU_CHUNK, 2 * CPU_CHUNK)
    few, more = extractor.extract(many[:CPU_CHUNK]), extractor.extract(many[: 2 * CPU_CHUNK])
    np.testing.assert_array_equal(few.patches, more.patches[:CPU_CHUNK])


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_the_compiled_network_agrees_with_torch_whatever_the_number_of_images(make, many):
    extractor = make(**CONV, backend="torch-compile")
    expected, found = make(**CONV).extract(many[:11]), extractor.extract(many[:11])
    assert relative(expected.patches, found.patches) < 1e-4
    assert relative(expected.embeddings, found.embeddings) < 1e-4
    assert extractor.chosen.identity() == {
        **make(**CONV).chosen.identity(),
        "backend": "torch-compile",
    }
    alone = extractor.extract(many[:1])
    np.testing.assert_array_equal(alone.patches, found.patches[:1])


def test_a_network_that_torch_cannot_compile_is_told_of(make, images, monkeypatch):
    def broken(*_, **__):
        def run(_):
            raise RuntimeError("no g++\nand much more")

        return run

    monkeypatch.setattr(torch, "compile", broken)
    extractor = TIMM.make(TimmParams(**CONV, backend="torch-compile", seed=3))
    with pytest.raises(PluginError, match=r"cannot compile .* RuntimeError: no g\+\+\n") as caught:
        extractor.extract(images)
    assert "C++ compiler" in str(caught.value.hint)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.gpu
def test_what_is_compiled_runs_on_the_cpu_and_says_so():
    with pytest.raises(SuiteError, match="runs on the CPU"):
        TIMM.make(TimmParams(**CONV, backend="torch-compile", device="cuda"))
