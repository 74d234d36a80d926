from __future__ import annotations

import pickle  # noqa: TID251  # to forge the file that must be refused

import pytest
import timm
import torch
from safetensors.torch import save_file

from adharness import DataError
from adharness_timm import TIMM, TimmParams
from adharness_timm.weights import digest, read_state_dict

SMALL = {"model": "test_resnet", "layers": [1, 2], "resize": [96, 64]}


@pytest.fixture
def state():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return timm.create_model("test_resnet").state_dict()


def made(path):
    return TIMM.make(TimmParams(**SMALL, weights=str(path)))


def test_a_state_dict_comes_back_the_same_from_either_kind_of_file(tmp_path, state, images):
    save_file(state, tmp_path / "w.safetensors")
    torch.save(state, tmp_path / "w.pth")
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "w.pt")
    found = [made(tmp_path / name) for name in ("w.safetensors", "w.pth", "w.pt")]
    first, *others = [extractor.extract(images).patches for extractor in found]
    assert all((first == other).all() for other in others)
    assert len({extractor.fingerprint() for extractor in found}) == 1


def test_the_features_come_from_the_file_and_not_from_the_seed(tmp_path, state, images, make):
    save_file(state, tmp_path / "w.safetensors")
    loaded, random = made(tmp_path / "w.safetensors"), make(**SMALL, weights="random")
    assert not (loaded.extract(images).patches == random.extract(images).patches).all()
    assert loaded.fingerprint() != random.fingerprint()


def test_one_changed_weight_changes_the_hash(state):
    before = digest(state)
    state["conv1.0.weight"][0, 0, 0, 0] += 1e-6
    assert digest(state) != before


class Hostile:
    def __reduce__(self):
        return (open, ("touched-by-a-pickle", "w"))


def test_a_checkpoint_that_would_run_code_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Hostile()}, tmp_path / "hostile.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Hostile()))
    for name in ("hostile.pth", "plain.pth"):
        with pytest.raises(DataError, match="more than tensors, and is refused"):
            read_state_dict(tmp_path / name)
    assert not (tmp_path / "touched-by-a-pickle").exists()


def test_a_tensor_of_the_wrong_shape_is_named(tmp_path, state):
    state["layer1.0.conv1.weight"] = torch.zeros(2, 2, 3, 3)
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(DataError, match=r"'layer1.0.conv1.weight' has shape \(2, 2, 3, 3\)"):
        made(tmp_path / "w.safetensors")


def test_missing_and_unknown_tensors_are_named(tmp_path, state):
    state["stranger"] = state.pop("layer1.0.conv1.weight")
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(DataError, match=r"1 missing \(layer1.0.conv1.weight\), 1 unknown \(stran"):
        made(tmp_path / "w.safetensors")


def test_a_classifier_of_another_size_and_missing_counters_do_not_matter(tmp_path, state):
    state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    state["fc.weight"], state["fc.bias"] = torch.zeros(7, 9), torch.zeros(7)
    save_file(state, tmp_path / "w.safetensors")
    made(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.bin", b"", "neither bundled, timm, random nor a file of a known kind"),
        ("w.pth", None, "no weights file at"),
        ("w.safetensors", b"not one", "not a safetensors file"),
        ("w.pt", b"not one", "broken"),
        ("w.pth", b"", "broken"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        made(tmp_path / name)


def test_a_file_that_is_no_mapping_of_tensors_is_refused(tmp_path):
    for number, content in enumerate([torch.zeros(3), {"lr": 0.1}]):
        torch.save(content, tmp_path / f"{number}.pth")
        with pytest.raises(DataError, match="no state dict"):
            read_state_dict(tmp_path / f"{number}.pth")
