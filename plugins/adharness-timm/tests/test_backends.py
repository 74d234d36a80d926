from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from importlib import metadata
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from adharness import FeatureGrid, PluginError, SuiteError
from adharness_timm import TIMM, TimmParams, backends, choice
from adharness_timm.backends import Backend, Graph, installed_backends
from adharness_timm.choice import Trial, fastest
from adharness_timm.network import Network
from adharness_timm.openvino_backend import OPENVINO

CONV = {"model": "test_resnet", "weights": "random", "layers": [1, 3], "resize": [96, 64]}
VIT = {"model": "test_vit", "weights": "random", "layers": [1, 3], "resize": [96, 64]}
OURS = ("onnxruntime", "openvino")


def needs(name):
    found = name in installed_backends()
    return pytest.param(
        name, marks=pytest.mark.skipif(not found, reason=f"{name} is not installed")
    )


def relative(a, b):
    return np.abs(a - b).max() / np.abs(a).max()


class Slow:
    """A backend that runs the network in torch, and waits."""

    def __init__(self, wait_s=0.0, factor=1.0, error=None):
        self.wait_s, self.factor, self.error, self.made = wait_s, factor, error, 0

    def backend(self, name):
        return Backend(
            name=name, library="numpy", precisions=lambda: ("float32",), make=self.make,
            distributions=("numpy",),
        )  # fmt: skip

    def make(self, graph, precision, threads):
        self.made += 1
        if self.error:
            raise self.error
        return self.run

    def run(self, image):
        grid = np.full((1, 6, 4, 3), self.factor, dtype=np.float32)
        return [grid, grid[:, 0, 0]]


@pytest.mark.parametrize("fields", [CONV, VIT], ids=["convolutional", "transformer"])
@pytest.mark.parametrize("name", [needs(name) for name in OURS])
def test_a_backend_agrees_with_float32_torch(make, images, fields, name):
    expected, found = (make(**fields, backend=b).extract(images) for b in ("torch", name))
    assert relative(expected.patches, found.patches) < 1e-4
    assert relative(expected.embeddings, found.embeddings) < 1e-4
    assert found.patches.flags.c_contiguous
    assert found.patches.dtype == found.embeddings.dtype == np.float32


@pytest.mark.parametrize(
    "joining",
    [
        {"neighbourhood": 1, "upsampling": "nearest"},
        {"aggregation": "unfold", "layer_dims": 20, "dims": 7},
        {"dims": 50, "embedding": False},
    ],
)
def test_layers_are_joined_alike_within_a_graph_and_without(make, images, joining):
    name = next(iter(installed_backends()), None)
    if name is None:
        pytest.skip("no library but torch is installed")
    expected, found = (make(**CONV, **joining, backend=b).extract(images) for b in ("torch", name))
    assert relative(expected.patches, found.patches) < 1e-4
    assert (found.embeddings is None) == (expected.embeddings is None)


@pytest.mark.parametrize("name", [needs(name) for name in OURS])
def test_with_a_graph_an_image_has_exactly_the_features_it_has_alone(make, images, name):
    extractor = make(**CONV, backend=name)
    together = extractor.extract(images)
    alone = extractor.extract(images[3:4])
    np.testing.assert_array_equal(alone.patches[0], together.patches[3])
    np.testing.assert_array_equal(alone.embeddings[0], together.embeddings[3])


@pytest.mark.parametrize("name", [needs(name) for name in OURS])
def test_a_backend_leaves_the_arithmetic_of_the_process_as_it_was(images, name):
    threads = torch.get_num_threads()
    TIMM.make(TimmParams(**CONV, backend=name)).extract(images)
    assert np.float32(1e-40) * np.float32(1) != 0
    assert torch.tensor(1e-40) * 1 != 0
    assert torch.get_num_threads() == threads


def test_openvino_reads_its_first_tensor_before_it_is_handed_out(monkeypatch):
    # Two threads that did so at once waited for each other for ever (OpenVINO 2026.4).
    read = []

    class Compiled:
        output_tensors = ()

        def infer(self, images):
            read.append(images[0].shape)

        def create_infer_request(self):
            return self

        def input(self, _):
            return np.empty((1, 4, 4, 3))

        def read_model(self, graph):
            return graph

        def compile_model(self, *_):
            return self

    monkeypatch.setitem(sys.modules, "openvino", SimpleNamespace(Core=Compiled))
    OPENVINO.make(Graph(b"", joined=True), "float32", 2)
    assert read == [(1, 4, 4, 3)]


@pytest.mark.parametrize("name", [needs("openvino")])
def test_bfloat16_by_openvino_is_asked_for_and_is_not_float32(make, images, name):
    if "bfloat16" not in installed_backends()[name].precisions():
        pytest.skip("this processor has no bfloat16")
    exact = make(**CONV).extract(images)
    reduced = make(**CONV, backend=name, precision="bfloat16").extract(images)
    assert 1e-4 < relative(exact.patches, reduced.patches) < 0.03


@pytest.mark.parametrize("name", [needs("onnxruntime")])
def test_a_precision_that_a_backend_lacks_is_refused(name):
    with pytest.raises(SuiteError, match="cannot compute in bfloat16 here, only in float32"):
        TIMM.make(TimmParams(**CONV, backend=name, precision="bfloat16"))


@pytest.mark.parametrize("name", [needs(name) for name in OURS])
def test_what_ran_is_named_by_the_parameters_the_fingerprint_and_the_versions(make, name):
    plain, other = make(**CONV), make(**CONV, backend=name)
    assert other.fingerprint() != plain.fingerprint()
    assert other.chosen.identity() == {**plain.chosen.identity(), "backend": name}
    assert (plain.made_with, other.made_with) == ((), (name,))


def test_features_that_torch_made_are_called_what_they_always_were(make):
    assert "backend" not in TimmParams().identity()
    assert "choices" not in TimmParams(choices="somewhere").identity()
    known = "75891c665191cbfd27d49510ab229c04fc27cca262079c92e90ff7d07b8f5be5"
    assert make().fingerprint() == known  # of before there was a choice


def test_an_unknown_backend_is_answered_with_the_nearest():
    said = "there is no backend 'onnxruntme'; did you mean onnxruntime?"
    with pytest.raises(ValidationError, match=re.escape(said)):
        TimmParams(**CONV, backend="onnxruntme")
    with pytest.raises(ValidationError, match="there are auto, torch, torch-compile, onnxruntime"):
        TimmParams(**CONV, backend="xyz")


def test_a_backend_whose_library_is_missing_is_answered_with_what_to_install(monkeypatch):
    monkeypatch.setattr(backends, "_is_installed", lambda _: False)
    with pytest.raises(SuiteError, match="it or onnx is not installed") as caught:
        TIMM.make(TimmParams(**CONV, backend="openvino"))
    assert "pip install onnx openvino" in str(caught.value.hint)


def test_an_entry_point_that_gives_no_backend_is_told_of(monkeypatch):
    point = metadata.EntryPoint("odd", "adharness_timm:TIMM", backends.GROUP)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [point])
    with pytest.raises(PluginError, match="backend 'odd' is a ExtractorSpec, not a `Backend`"):
        installed_backends()


def test_a_backend_whose_entry_point_has_another_name_is_told_of(monkeypatch):
    point = metadata.EntryPoint(
        "ort", "adharness_timm.onnxruntime_backend:ONNXRUNTIME", backends.GROUP
    )
    monkeypatch.setattr(metadata, "entry_points", lambda group: [point])
    with pytest.raises(PluginError, match="backend 'ort' calls itself 'onnxruntime'"):
        installed_backends()


def test_a_backend_of_another_distribution_is_found_by_its_entry_point(monkeypatch):
    point = metadata.EntryPoint(
        "onnxruntime", "adharness_timm.onnxruntime_backend:ONNXRUNTIME", backends.GROUP
    )
    monkeypatch.setattr(metadata, "entry_points", lambda group: [point])
    monkeypatch.setattr(backends, "_is_installed", lambda _: True)
    assert list(installed_backends()) == ["onnxruntime"]


def test_the_fastest_that_agrees_is_chosen_and_torch_where_none_does():
    trials = {
        "torch": Trial(0.0, 10),
        "a": Trial(1e-6, 30),
        "b": Trial(2e-3, 90),
        "c": Trial(0.2, 99),
    }
    assert fastest(trials, "float32") == "a"
    assert fastest(trials, "bfloat16") == "b"
    assert fastest({"torch": Trial(0.0, 10), "a": Trial(1e-6, 10)}, "float32") == "torch"
    assert fastest({"torch": Trial(0.5, 10)}, "float32") == "torch"


@pytest.fixture
def contestants(monkeypatch):
    def enter(**those):
        known = {name: one.backend(name) for name, one in those.items()}
        monkeypatch.setattr("adharness_timm.contest.installed_backends", lambda: known)

    return enter


def test_auto_takes_none_that_differs_from_torch_or_fails(contestants, tmp_path, images):
    wrong, broken = Slow(factor=7.0), Slow(error=RuntimeError("no such operation"))
    contestants(wrong=wrong, broken=broken)
    found = TIMM.make(TimmParams(**CONV, backend="auto", choices=tmp_path))
    assert wrong.made == broken.made == 1
    plain = TIMM.make(TimmParams(**CONV))
    assert found.chosen.identity() == plain.chosen.identity()
    assert found.fingerprint() == plain.fingerprint()
    told = next(tmp_path.glob("*.json")).read_text()
    assert "RuntimeError: no such operation" in told


def test_what_auto_chose_is_remembered_until_what_it_depends_on_changes(
    contestants, tmp_path, monkeypatch
):
    one = Slow(factor=7.0)
    contestants(one=one)
    params = TimmParams(**CONV, backend="auto", choices=tmp_path)
    TIMM.make(params)
    TIMM.make(params)
    assert one.made == 1
    TIMM.make(params.model_copy(update={"seed": 1}))  # other weights
    assert one.made == 2
    monkeypatch.setattr("adharness_timm.contest.version", lambda _: "99")
    TIMM.make(params)
    assert one.made == 3
    for place in tmp_path.glob("*.json"):
        place.write_text("{")  # damaged: chosen again
    TIMM.make(params)
    assert one.made == 4


def test_a_remembered_choice_is_taken_whatever_is_faster_now(contestants, tmp_path, monkeypatch):
    contestants(one=Slow())
    monkeypatch.setattr(
        "adharness_timm.contest.tried",
        lambda extract, images, expected: Trial(0.0, 1.0),
    )
    monkeypatch.setattr(choice, "fastest", lambda trials, precision: "one")
    params = TimmParams(**CONV, backend="auto", choices=tmp_path)
    assert TIMM.make(params).chosen.backend == "one"
    monkeypatch.setattr(choice, "fastest", lambda trials, precision: "torch")
    again = TIMM.make(params)
    assert again.chosen.backend == "one"
    assert again.made_with == ("numpy",)


def test_a_difference_that_is_no_number_does_not_agree():
    bad = np.full((1, 2, 2, 3), np.nan, dtype=np.float32)
    good = FeatureGrid(np.ones((1, 2, 2, 3), dtype=np.float32), None)
    images = np.zeros((1, 4, 4, 3), dtype=np.uint8)
    assert choice.tried(lambda _: FeatureGrid(bad, None), images, good).error == float("inf")


def test_a_network_that_torch_cannot_write_is_told_of(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no such operator")

    one = Slow()
    monkeypatch.setattr("adharness_timm.contest.find_backend", lambda *_: one.backend("one"))
    monkeypatch.setattr(torch.onnx, "export", broken)
    with pytest.raises(PluginError, match="cannot write this network as ONNX: no such operator"):
        TIMM.make(TimmParams(**CONV).model_copy(update={"backend": "one"}))


def test_a_library_that_cannot_run_a_network_is_told_of(monkeypatch):
    one = Slow(error=RuntimeError("bad\n  combination"))
    monkeypatch.setattr("adharness_timm.contest.find_backend", lambda *_: one.backend("one"))
    with pytest.raises(PluginError, match="here: RuntimeError: bad combination"):
        TIMM.make(TimmParams(**CONV).model_copy(update={"backend": "one"}))


def no_library():
    raise ImportError("libgomp.so.1 is missing")


def test_a_library_that_is_installed_and_broken_is_told_of(monkeypatch):
    broken = replace(Slow().backend("onnxruntime"), precisions=no_library)
    monkeypatch.setattr(backends, "installed_backends", lambda: {"onnxruntime": broken})
    with pytest.raises(PluginError, match="cannot be used: ImportError: libgomp") as caught:
        TIMM.make(TimmParams(**CONV, backend="onnxruntime"))
    assert caught.value.hint == "install numpy again, or backend: torch"


def test_auto_leaves_a_broken_library_alone(monkeypatch, tmp_path):
    error = ImportError("libgomp.so.1 is missing")
    broken = replace(Slow(error=error).backend("broken"), precisions=no_library)
    monkeypatch.setattr("adharness_timm.contest.installed_backends", lambda: {"broken": broken})
    found = TIMM.make(TimmParams(**CONV, backend="auto", choices=tmp_path))
    assert found.chosen.backend == "torch"
    assert "libgomp" in next(tmp_path.glob("*.json")).read_text()


def test_finding_backends_imports_none_of_their_libraries():
    code = (
        "import sys, adharness_timm.backends as b; b.installed_backends();"
        "print({'onnxruntime', 'openvino', 'onnx'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_network_is_not_changed_by_writing_it(make, images):
    from adharness_timm.graphs import exported

    extractor = make(**CONV)
    before = extractor.extract(images).patches
    network: Network = extractor._network
    exported(network, extractor.chosen)
    np.testing.assert_array_equal(before, extractor.extract(images).patches)
