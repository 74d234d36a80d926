"""What normalizers and thresholders are shown, and what they may give back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from adharness.contracts import (
    Calibration,
    ImageContext,
    NormalizerSpec,
    Params,
    Threshold,
    ThresholderSpec,
)
from adharness.engine.pixel_threshold import choose_pixel_threshold
from adharness.engine.protocols import Held, Normalized, choose_threshold, normalize
from adharness.errors import ContractError, DataError
from adharness.registry import Component
from adharness.suite.bound import Bound

SCORES = np.array([1.0, 9.0, 2.0, 8.0])
LABELS = np.array([0, 1, 0, 1])


class NoParams(Params):
    """Nothing to set."""


class Spy:
    """Both roles: remembers what it was fitted on, and answers as it is told."""

    def __init__(self, answer: Any = None) -> None:
        self.answer, self.fitted_on, self.applied_to = answer, [], []

    def fit(self, calibration: Calibration) -> Spy:
        self.fitted_on.append(calibration)
        return self

    def apply(self, values: np.ndarray, context: ImageContext) -> np.ndarray:
        self.applied_to.append((values.tolist(), context.classes))
        return self.answer(values) if self.answer else values

    def threshold(self, calibration: Calibration) -> Any:
        self.fitted_on.append(calibration)
        return self.answer


def bound(spec: Callable[..., Any], spy: Spy, **traits: Any) -> Bound:
    made = spec(name="spy", params=NoParams, make=lambda _: spy, summary="", **traits)
    return Bound(Component(made, "tests", "0"), NoParams())


def held(scores: np.ndarray = SCORES, classes: list[str] | None = None) -> Held:
    embeddings = scores[:, None].astype(np.float32)
    return Held(scores, ImageContext(classes, embeddings))


def normalized() -> Normalized:
    return Normalized(SCORES, LABELS, np.array([100.0, 200.0]), Spy())


def test_a_normalizer_is_fitted_on_held_out_normals_without_labels():
    spy = Spy()
    normalize(bound(NormalizerSpec, spy), held(classes=["a", "b", "c", "d"]), LABELS, held())
    (calibration,) = spy.fitted_on
    assert calibration.scores.tolist() == [1.0, 2.0]
    assert calibration.labels is None
    assert calibration.context.classes == ["a", "c"]
    assert calibration.context.embeddings.tolist() == [[1.0], [2.0]]


def test_a_normalizer_sees_one_image_at_a_time():
    spy = Spy()
    test = held(np.array([5.0, 6.0]), ["x", "y"])
    normalize(bound(NormalizerSpec, spy), held(), LABELS, test)
    assert spy.applied_to[-2:] == [([5.0], ["x"]), ([6.0], ["y"])]


def test_where_the_class_is_hidden_none_is_in_the_context():
    spy = Spy()
    normalize(bound(NormalizerSpec, spy), held(), LABELS, held())
    assert spy.fitted_on[0].context.classes is None
    assert {classes for _, classes in spy.applied_to} == {None}


def test_classes_told_at_the_fit_are_those_of_held_out_normals_and_are_not_told_again():
    spy = Spy()
    told = ["a", "b", "c", "d"]
    normalize(bound(NormalizerSpec, spy), held(), LABELS, held(), told_at_fit=told)
    assert spy.fitted_on[0].context.classes == ["a", "c"]
    assert {classes for _, classes in spy.applied_to} == {None}


def test_a_normalizer_cannot_change_the_raw_scores():
    def spoil(values: np.ndarray) -> np.ndarray:
        values[:] = 0
        return values

    mine = held(SCORES.copy())
    normalize(bound(NormalizerSpec, Spy(spoil)), mine, LABELS, mine)
    assert mine.scores.tolist() == SCORES.tolist()


@pytest.mark.parametrize(("answer", "says"), [
    (lambda v: np.concatenate([v, v]), r"has shape \(2,\), expected \(1\)"),
    (lambda v: v[0], r"scores of normalizer 'spy' has shape \(\)"),
    (lambda v: v * np.nan, "not finite"),
    (lambda v: v + np.inf, "not finite"),
])  # fmt: skip
def test_a_normalizer_that_breaks_the_contract_is_named(answer, says):
    with pytest.raises(ContractError, match=says):
        normalize(bound(NormalizerSpec, Spy(answer)), held(), LABELS, held())


def test_without_a_held_out_normal_image_nothing_is_normalized():
    with pytest.raises(DataError, match="no normal image is held out"):
        normalize(bound(NormalizerSpec, Spy()), held(), np.ones(4, np.int64), held())


def test_a_thresholder_sees_labels_only_if_it_declares_so():
    shown, hidden = (Spy(Threshold(1.0, 2, 0)) for _ in range(2))
    choose_threshold(bound(ThresholderSpec, shown, needs_labels=True), normalized())
    choose_threshold(bound(ThresholderSpec, hidden), normalized())
    assert shown.fitted_on[0].scores.tolist() == SCORES.tolist()
    assert shown.fitted_on[0].labels.tolist() == LABELS.tolist()
    assert hidden.fitted_on[0].scores.tolist() == [1.0, 2.0]
    assert hidden.fitted_on[0].labels is None


@pytest.mark.parametrize(("answer", "says"), [
    (Threshold(float("nan"), 1, 0), "gave the threshold nan"),
    (Threshold(float("inf"), 1, 0), "gave the threshold inf"),
    (0.5, "gave a float, not a Threshold"),
    (None, "gave a NoneType"),
])  # fmt: skip
def test_a_thresholder_that_gives_no_threshold_is_named(answer, says):
    with pytest.raises(ContractError, match=f"thresholder 'spy' {says}"):
        choose_threshold(bound(ThresholderSpec, Spy(answer)), normalized())


class BatchSpy(Spy):
    """A batch thresholder that remembers what it was fitted on and what it decided over."""

    def rule(self, calibration: Calibration) -> BatchSpy:
        self.fitted_on.append(calibration)
        return self

    def decide(self, scores: np.ndarray) -> Any:
        self.applied_to.append(scores.tolist())
        return self.answer


def test_a_batch_rule_is_fitted_on_calibration_and_decides_over_test_scores_alone():
    spy = BatchSpy(Threshold(3.0, 2, 0, batch=2))
    chosen = choose_threshold(bound(ThresholderSpec, spy, batch=True), normalized())
    assert (chosen.value, chosen.batch) == (3.0, 2)
    assert spy.fitted_on[0].scores.tolist() == [1.0, 2.0]
    assert spy.fitted_on[0].labels is None
    assert spy.applied_to == [[100.0, 200.0]]


@pytest.mark.parametrize("batch", [0, 3])
def test_a_batch_rule_that_counts_another_batch_is_named(batch):
    spy = BatchSpy(Threshold(3.0, 2, 0, batch=batch))
    with pytest.raises(ContractError, match=f"'spy' counts a batch of {batch}, not 2"):
        choose_threshold(bound(ThresholderSpec, spy, batch=True), normalized())


def test_a_thresholder_that_sees_no_batch_cannot_claim_one():
    with pytest.raises(ContractError, match="'spy' counts a batch of 5, not 0"):
        choose_threshold(bound(ThresholderSpec, Spy(Threshold(1.0, 2, 0, batch=5))), normalized())


class PixelSpy(Spy):
    """Remembers the maps that it was given."""

    def pixel_threshold(self, maps: Any) -> Any:
        self.fitted_on.append(len(maps))
        return self.answer


def test_the_suites_pixel_thresholder_chooses_and_without_one_the_rule_of_the_referee():
    maps = [np.full((2, 2), 0.25, np.float32)] * 3
    spy = PixelSpy(Threshold(7.0, 3, 0))
    chosen = choose_pixel_threshold(bound(ThresholderSpec, spy, levels=("pixel",)), maps)
    assert chosen is not None
    assert (chosen.value, spy.fitted_on) == (7.0, [3])
    own = choose_pixel_threshold(None, maps)
    assert own is not None
    assert own.value == 0.25
    wrong = bound(ThresholderSpec, PixelSpy(Threshold(float("nan"), 3, 0)), levels=("pixel",))
    with pytest.raises(ContractError, match="'spy' gave the threshold nan"):
        choose_pixel_threshold(wrong, maps)
