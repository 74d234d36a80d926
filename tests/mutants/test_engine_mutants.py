"""Engines that are wrong in one choice, each rejected by a property that ours has.

A mutant is our engine with one function replaced. `holds` runs the property on whatever engine is
in place; it must be true of ours and false of the mutant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from adharness.contracts import (
    Calibration,
    ContentHash,
    FeatureGrid,
    ImageContext,
    NormalizerSpec,
    Params,
    Preprocess,
    Sample,
    Threshold,
    ThresholderSpec,
)  # fmt: skip
from adharness.engine import cells, family, measured, protocols, shards
from adharness.engine.batches import Batches
from adharness.engine.extraction_job import ExtractionJob
from adharness.engine.protocols import Held
from adharness.metrics import MetricValue
from adharness.registry import Component
from adharness.store.identity import digest
from adharness.suite.bound import Bound
from adharness.suite.schema import MapSettings, StatisticsSettings


class NoParams(Params):
    """Nothing to set."""


class MinMax:
    """Cheats where it can: scales by the smallest and the largest of what it is shown."""

    def fit(self, calibration: Calibration) -> MinMax:
        return self

    def apply(self, values: np.ndarray, context: ImageContext) -> np.ndarray:
        return (values - values.min()) / max(float(np.ptp(values)), 1e-9)


class Highest:
    """A threshold at the highest score it is shown."""

    def threshold(self, calibration: Calibration) -> Threshold:
        return Threshold(float(calibration.scores.max()), len(calibration.scores), 0)


class Identity(MinMax):
    def apply(self, values: np.ndarray, context: ImageContext) -> np.ndarray:
        return values


def bound(spec: Any, role: Any, name: str = "toy") -> Bound:
    made = spec(name=name, params=NoParams, make=lambda _: role, summary="")
    return Bound(Component(made, "tests", "0"), NoParams())


def normalized(normalizer: Any, test: list[float]) -> Any:
    calibration = Held(np.array([1.0, 2.0, 3.0]), ImageContext())
    tested = Held(np.array(test), ImageContext())
    made = bound(NormalizerSpec, normalizer)
    return protocols.normalize(made, calibration, np.zeros(3, np.int64), tested)


# --- properties -----------------------------------------------------------------------------


def a_test_score_does_not_depend_on_the_other_test_images(_: Path) -> bool:
    few, many = normalized(MinMax(), [4.0, 5.0]), normalized(MinMax(), [4.0, 5.0, 99.0])
    return bool(np.array_equal(few.test, many.test[:2]))


def a_threshold_does_not_depend_on_test_scores(_: Path) -> bool:
    made = bound(ThresholderSpec, Highest())
    groups = [normalized(Identity(), [4.0, top]) for top in (5.0, 99.0)]
    return len({protocols.choose_threshold(made, group).value for group in groups}) == 1


def macro_is_undefined_where_a_class_is(_: Path) -> bool:
    of_class = {
        "a": {"m": measured.Measured(MetricValue(1.0))},
        "b": {"m": measured.Measured(MetricValue(float("nan"), "no anomalous image"))},
    }
    return bool(np.isnan(measured.macro_of(of_class, StatisticsSettings())["m"].value.value))


class Batchy:
    """Features that depend on how many images a call holds, as those of real networks do."""

    preprocess = Preprocess(2, 2)

    def fingerprint(self) -> str:
        return "batchy"

    def extract(self, images: np.ndarray) -> FeatureGrid:
        return FeatureGrid(np.full((len(images), 1, 1, 1), 1 / len(images), np.float32))


def job(count: int, fingerprint: str = "one") -> ExtractionJob:
    dataset: Any = SimpleNamespace(image=lambda sample: np.zeros((2, 2, 3), np.uint8))
    return ExtractionJob(
        dataset=dataset,
        samples=[Sample(str(i), "c", "train", 0) for i in range(count)],
        hashes=[ContentHash(str(i), None) for i in range(count)],
        extractor=Batchy(),
        identity={"use": "batchy", "fingerprint": fingerprint},
        on_error="fail",
    )


def features_do_not_depend_on_how_many_images_follow(cache: Path) -> bool:
    few, many = (shards.ensure_shard(cache, job(n), lambda *_: None) for n in (3, 16))
    return bool(np.array_equal(few.patches()[0], many.patches()[0]))


def other_weights_are_another_cache_entry(_: Path) -> bool:
    return job(3, "one").key() != job(3, "two").key()


def cell(normalizer: str, protocol: str = "absolute-unified") -> Any:
    bank = bound(NormalizerSpec, Identity(), "bank")
    method = SimpleNamespace(
        name="m", extractor_name="e", bank=bank, scorer=bank, maps=MapSettings()
    )
    return SimpleNamespace(
        dataset=SimpleNamespace(name="d"), method=method, protocol=protocol, seed=0,
        pixel_thresholder=None, normalizer=bound(NormalizerSpec, Identity(), normalizer),
        thresholder=bank,
    )  # fmt: skip


def cells_that_differ_in_the_normalizer_have_two_ids(_: Path) -> bool:
    survey = SimpleNamespace(truth=lambda p: "t", portion=lambda name: [])
    group: Any = SimpleNamespace(survey=survey)
    unused: Any = None
    worker = cells.CellWorker(unused, group, unused, unused, unused)
    ids = {digest(worker.identity(cell(name), [])) for name in ("raw", "z")}
    return len(ids) == 2


class Spy(Identity):
    """Remembers which classes it is told, when it is fitted and when it is applied."""

    def __init__(self) -> None:
        self.at_fit: list[Any] = []
        self.at_apply: list[Any] = []

    def fit(self, calibration: Calibration) -> Spy:
        self.at_fit.append(calibration.context.classes)
        return self

    def apply(self, values: np.ndarray, context: ImageContext) -> np.ndarray:
        self.at_apply.append(context.classes)
        return values


def shown_in_absolute_unified(**traits: Any) -> Spy:
    """Open a family of two held-out and two test images of class `a`, with one normalizer."""
    spy = Spy()

    survey: Any = SimpleNamespace(
        classes=("a",), portion=lambda name, of: np.array([0, 1]),
        labels=lambda p: np.zeros(len(p), np.int64), class_names=lambda p: ["a"] * len(p),
    )  # fmt: skip
    subset = SimpleNamespace(embeddings=lambda: None)
    group: Any = SimpleNamespace(survey=survey, features=SimpleNamespace(subset=lambda p: subset))
    scores: Any = SimpleNamespace(
        failures={}, positions=np.arange(2), raw=np.array([1.0, 2.0]), rows=lambda p: p
    )
    one = cell("raw")
    made = NormalizerSpec(name="spy", params=NoParams, make=lambda _: spy, summary="", **traits)
    one.normalizer = Bound(Component(made, "tests", "0"), NoParams())
    opened = family.open_family(one, group, scores)
    assert not opened.failures
    assert len(spy.at_apply) == 4
    return spy


def the_class_is_hidden_in_absolute_unified(_: Path) -> bool:
    spy = shown_in_absolute_unified()
    return spy.at_fit == [None] and set(map(str, spy.at_apply)) == {"None"}


def the_class_that_is_told_at_the_fit_is_hidden_at_every_decision(_: Path) -> bool:
    spy = shown_in_absolute_unified(needs_class=lambda _: "at-fit")
    return spy.at_fit == [["a", "a"]] and set(map(str, spy.at_apply)) == {"None"}


# --- mutants --------------------------------------------------------------------------------


def apply_to_all(fitted: Any, held: Held, name: str) -> np.ndarray:
    return np.asarray(fitted.apply(held.scores.copy(), held.context))


def threshold_from_test(thresholder: Bound, group: Any) -> Threshold:
    chosen: Threshold = thresholder.make().threshold(Calibration(group.test))
    return chosen


def mean_of_what_is_defined(by_class: dict[str, measured.Measured], _: object) -> measured.Measured:
    values = [m.value.value for m in by_class.values() if np.isfinite(m.value.value)]
    return measured.Measured(MetricValue(float(np.mean(values))))


OUR_HELD, OUR_IDENTITY = family._held, cells.CellWorker.identity


def filled_with_nothing(self: Batches, images: int) -> int:
    return images


def key_without_weights(self: ExtractionJob) -> str:
    identity = {k: v for k, v in self.identity.items() if k != "fingerprint"}
    return digest({"extractor": identity, "images": [h.image for h in self.hashes]})


def identity_without_normalizer(self: Any, one: Any, outcomes: Any) -> dict[str, Any]:
    whole = OUR_IDENTITY(self, one, outcomes)
    names = {k: v for k, v in whole["names"].items() if k != "normalizer"}
    return {k: v for k, v in whole.items() if k != "normalizer"} | {"names": names}


def held_with_class(cell: Any, group: Any, gathered: Any, rows: Any, shows_class: bool) -> Held:
    return OUR_HELD(cell, group, gathered, rows, True)


@dataclass(frozen=True)
class Trial:
    """What is replaced by what, and the property that must notice."""

    holds: Callable[[Path], bool]
    mutant: Callable[..., Any]
    owner: Any
    name: str


TRIALS = [
    Trial(a_test_score_does_not_depend_on_the_other_test_images, apply_to_all,
          protocols, "_apply"),
    Trial(a_threshold_does_not_depend_on_test_scores, threshold_from_test,
          protocols, "choose_threshold"),
    Trial(macro_is_undefined_where_a_class_is, mean_of_what_is_defined, measured, "_mean"),
    Trial(features_do_not_depend_on_how_many_images_follow, filled_with_nothing, Batches, "filled"),
    Trial(other_weights_are_another_cache_entry, key_without_weights, ExtractionJob, "key"),
    Trial(cells_that_differ_in_the_normalizer_have_two_ids, identity_without_normalizer,
          cells.CellWorker, "identity"),
    Trial(the_class_is_hidden_in_absolute_unified, held_with_class, family, "_held"),
    Trial(the_class_that_is_told_at_the_fit_is_hidden_at_every_decision, held_with_class,
          family, "_held"),
]  # fmt: skip


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.mutant.__name__)
def test_a_wrong_engine_is_rejected_by_the_property_that_ours_has(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trial.holds(tmp_path / "ours")
    monkeypatch.setattr(trial.owner, trial.name, trial.mutant)
    assert not trial.holds(tmp_path / "mutant")
