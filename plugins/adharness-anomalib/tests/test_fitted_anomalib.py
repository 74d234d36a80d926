"""Scores and stored states, with a stand-in for one of anomalib's models."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from adharness import ContractError, FeatureGrid
from adharness_anomalib.fitted import FittedAnomalib
from adharness_anomalib.states import put_back


class Flow(nn.Module):
    """Draws, prints and grows as anomalib's models do: a bank of no rows until it has learnt."""

    def __init__(self, gives: str = "both") -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.register_buffer("bank", torch.empty(0))
        self.gives = gives

    def forward(self, images: torch.Tensor) -> SimpleNamespace:
        sys.stderr.write("a progress bar")
        sys.stdout.write("a log line")
        if not self.bank.numel():
            raise RuntimeError("the bank is empty")
        area = torch.einsum("nchw,c->nhw", images, self.weight)[:, None] + self.bank.sum()
        noise = 1e-3 * torch.rand(1)
        score = area.amax(dim=(1, 2, 3)) + noise
        return SimpleNamespace(
            anomaly_map=area if self.gives in ("both", "map") else None,
            pred_score=score if self.gives in ("both", "score") else None,
        )


def module(learnt: bool = True, gives: str = "both") -> SimpleNamespace:
    model = Flow(gives)
    if learnt:
        model.bank = torch.arange(6.0).reshape(2, 3)
        model.weight.data *= 1.5
    return SimpleNamespace(model=model.eval(), pre_processor=SimpleNamespace(transform=abs))


def fitted(**fields) -> FittedAnomalib:
    return FittedAnomalib("flow", module(**fields), (8, 8))


def test_maps_and_scores_are_the_models_own(pictures) -> None:
    images = pictures(2, 8)
    scores = fitted().score(FeatureGrid(images))
    expected = 1.5 * images.sum(axis=-1) / 255 + 15
    np.testing.assert_allclose(scores.patches, expected, rtol=1e-6)
    assert scores.images.shape == (2,)
    assert (np.abs(scores.images - expected.max(axis=(1, 2))) < 2e-3).all()


@pytest.mark.parametrize(("gives", "missing"), [("map", "images"), ("score", "patches")])
def test_what_a_model_does_not_give_is_left_to_the_suite(pictures, gives, missing) -> None:
    scores = fitted(gives=gives).score(FeatureGrid(pictures(1, 8)))
    assert getattr(scores, missing) is None


def test_a_model_that_gives_nothing_is_refused(pictures) -> None:
    with pytest.raises(ContractError, match="neither a map nor a score"):
        fitted(gives="nothing").score(FeatureGrid(pictures(1, 8)))


def test_an_image_scores_alone_as_in_company(pictures) -> None:
    images = pictures(3, 8)
    together = fitted().score(FeatureGrid(images)).images
    alone = [fitted().score(FeatureGrid(images[i : i + 1])).images[0] for i in (2, 1, 0)]
    assert together.tolist() == alone[::-1]  # though the model draws while it scores


def test_nothing_is_said_and_no_shared_generator_moves(pictures, capfd) -> None:
    before = torch.get_rng_state()
    fitted().score(FeatureGrid(pictures(1, 8)))
    assert capfd.readouterr() == ("", "")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("shape", [(1, 8, 9, 3), (1, 8, 8, 4)])
def test_images_of_another_size_are_refused(shape) -> None:
    with pytest.raises(ContractError):
        fitted().score(FeatureGrid(np.zeros(shape, dtype=np.float32)))


def test_a_score_that_is_not_finite_is_refused(pictures) -> None:
    made = fitted()
    made.module.model.bank = torch.tensor([float("nan")])
    with pytest.raises(ContractError, match="scores of anomalib's flow of image 0"):
        made.score(FeatureGrid(pictures(1, 8)))


def test_a_model_that_fails_says_which_it_is(pictures) -> None:
    with pytest.raises(ContractError, match="anomalib's flow could not score"):
        fitted(learnt=False).score(FeatureGrid(pictures(1, 8)))


def restored(state: dict) -> FittedAnomalib:
    made, size = put_back(state, lambda _size: module(learnt=False), title="flow")
    return FittedAnomalib("flow", made, size)


def test_a_stored_state_scores_as_before_though_its_bank_has_grown(pictures) -> None:
    made = fitted()
    again = restored(made.state())
    assert again.size == (8, 8)
    images = FeatureGrid(pictures(2, 8, seed=1))
    assert (again.score(images).images == made.score(images).images).all()
    assert (again.score(images).patches == made.score(images).patches).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("size"), "lacks 'size'"),
        (lambda s: s.pop("layout"), "lacks 'layout'"),
        (lambda s: s.pop("tensor.bank"), "lacks 'tensor.bank'"),
        (lambda s: s.update({"tensor.more": np.ones(1)}), "has 'tensor.more'"),
        (lambda s: s.update({"tensor.weight": np.ones(3)}), "'tensor.weight'.* its layout says"),
        (lambda s: s.update({"tensor.bank": s["tensor.bank"][:1]}), "'tensor.bank'.* its layout"),
        (lambda s: s.update({"tensor.bank": s["tensor.bank"] * np.float32("nan")}), "not finite"),
        (lambda s: s.update(size=np.array([8.0, 8.0])), "'size'"),
        (lambda s: s.update(layout=s["layout"][:-1]), "no JSON"),
        (lambda s: s.update(layout=s["layout"].astype("f4")), "no object in UTF-8"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_by_name(change, said: str) -> None:
    state = dict(fitted().state())
    change(state)
    with pytest.raises(ContractError, match=said):
        restored(state)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda m: setattr(m, "weight", torch.nn.Parameter(torch.ones(4))), "expected \\(4,\\)"),
        (lambda m: m.half(), "expected torch.float16"),
        (lambda m: m.register_buffer("more", torch.ones(1)), "lacks 'more'"),
    ],
)
def test_a_state_of_another_model_is_refused(other, said: str) -> None:
    def build(_size: tuple[int, int]) -> SimpleNamespace:
        made = module(learnt=False)
        other(made.model)
        return made

    with pytest.raises(ContractError, match=said):
        put_back(fitted().state(), build, title="flow")
