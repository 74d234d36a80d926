"""What a scorer promises: clauses S of docs/contracts.md, tried on small worlds."""

from __future__ import annotations

from functools import partial

import numpy as np

from adharness.arrays import AnyArray
from adharness.contracts import Bag, Informative, Restoring, Storable
from adharness.testing.alone import require_each_image_alone
from adharness.testing.check import Check, require, require_refused
from adharness.testing.scorers.memories import World, some
from adharness.testing.scorers.pixels import ON_PIXELS
from adharness.testing.scorers.refusals import REFUSALS
from adharness.testing.scorers.subject import ScorerSubject, arrays_of, image_scores
from adharness.testing.states import assert_restores, spoiled
from adharness.testing.subject import as_given


def check_gives_finite_scores(subject: ScorerSubject) -> None:
    """It gives finite patch scores (N, h, w) float32, or image scores (N,), or both."""
    features = subject.world.normal(as_given)
    scores = subject.fit().score(features)
    require(
        scores.patches is not None or scores.images is not None,
        "it gives neither patch scores nor image scores",
    )
    for level, values in arrays_of(scores).items():
        shape = features.patches.shape[: 1 if level == "image" else 3]
        if subject.kind == "pixels" and values.ndim == 3 and values.size:
            shape = len(features.patches), *values.shape[1:]  # of a grid of its own
        require(values.shape == shape, f"its {level} scores have shape {values.shape}, not {shape}")
        require(bool(np.isfinite(values).all()), f"its {level} scores are not all finite")
        types = {"patch": ["float32"], "image": ["float32", "float64"], "nearest": ["int64"]}[level]
        require(values.dtype.name in types, f"its {level} scores are {values.dtype}, not {types}")


def check_scores_anomalies_higher(subject: ScorerSubject) -> None:
    """Images with a defect of eight deviations score higher than normal ones, and so its patch."""
    world, fitted = subject.world, subject.fit()
    normal, odd = fitted.score(world.normal(as_given)), fitted.score(world.anomalous(as_given))
    low, high = image_scores(normal), image_scores(odd)
    won = float((high[:, None] > low[None]).mean())
    require(won >= 0.9, f"an anomalous image outranks a normal one in {won:.0%} of the pairs")
    if odd.patches is not None:
        defects = world.defects(odd.patches.shape[1:])
        inside, outside = odd.patches[defects], odd.patches[~defects]
        require(
            float(np.mean(inside)) > float(np.mean(outside)),
            f"defects score {np.mean(inside):.3g} on average, all else {np.mean(outside):.3g}",
        )


def check_scores_each_image_alone(subject: ScorerSubject) -> None:
    """An image scores the same alone, in a batch, and wherever it stands in it."""
    fitted, features = subject.fit(), subject.world.anomalous(as_given)

    def given_of(images: list[int]) -> dict[str, AnyArray]:
        found = arrays_of(fitted.score(some(features, images)))
        found.pop("nearest", None)  # of rows equally far either may be named
        return {f"{level} scores": values for level, values in found.items()}

    require_each_image_alone(given_of, len(features.patches))


def check_refits_are_independent(subject: ScorerSubject) -> None:
    """Fitting gives a new object; one fitted before scores as it did."""
    scorer, world, other = subject.make(), subject.world, World.drawn(subject.kind, 1)
    features = world.normal(as_given)
    first = scorer.fit(world.memory(as_given), np.random.default_rng(0))
    before = arrays_of(first.score(features))
    second = scorer.fit(other.memory(as_given), np.random.default_rng(0))
    require(first is not second, "the second fit gives the same object")
    second.score(features)
    for name, values in arrays_of(first.score(features)).items():
        require(
            np.array_equal(values, before[name]), f"a second fit changes the first's {name} scores"
        )
    again = arrays_of(scorer.fit(world.memory(as_given), np.random.default_rng(0)).score(features))
    for name, values in again.items():
        require(
            np.array_equal(values, before[name]), f"{name} scores depend on what was fitted before"
        )


def check_draws_only_if_it_says_so(subject: ScorerSubject) -> None:
    """One whose record says `deterministic` gives the same from every seed."""
    features = subject.world.normal(as_given)
    one, other = (arrays_of(subject.fit(seed=seed).score(features)) for seed in (0, 1))
    for name, values in one.items():
        require(np.array_equal(values, other[name]), f"its {name} scores depend on the seed")


def check_names_rows_that_exist(subject: ScorerSubject) -> None:
    """The nearest rows that it names are rows of the bag."""
    memory = subject.world.memory(as_given)
    nearest = subject.fit(memory).score(subject.world.normal(as_given)).nearest
    if nearest is not None and isinstance(memory, Bag):
        low, high, rows = int(nearest.min()), int(nearest.max()), len(memory.rows)
        require(0 <= low <= high < rows, f"it names rows {low} to {high}, of {rows}")


def check_tells_finite_facts(subject: ScorerSubject) -> None:
    """The facts that it tells of its fit are finite numbers."""
    fitted = subject.fit()
    facts = fitted.facts() if isinstance(fitted, Informative) else {}
    bad = [name for name, value in facts.items() if not np.isfinite(float(value))]
    require(not bad, f"its facts {', '.join(bad)} are not finite")


def check_comes_back_from_its_state(subject: ScorerSubject) -> None:
    """Restored from its state it scores the same, to the last bit; spoiled states are refused."""
    scorer, fitted = subject.make(), subject.fit()
    require(isinstance(fitted, Storable), "what it fits has no `state`, so it cannot be saved")
    require(isinstance(scorer, Restoring), "it has no `restore`, so it cannot be saved")
    assert_restores(scorer, fitted, subject.world.anomalous(as_given))
    for what, name, state in spoiled(fitted.state() if isinstance(fitted, Storable) else {}):
        if isinstance(scorer, Restoring):
            require_refused(partial(scorer.restore, state), f"states whose '{name}' has {what}")


def _keeps_state(subject: ScorerSubject) -> bool:
    return subject.kind in ("grid", "pixels")


def _says_deterministic(subject: ScorerSubject) -> bool:
    return subject.spec.deterministic


SCORER_CHECKS: tuple[Check[ScorerSubject], ...] = (
    Check("S1", check_refits_are_independent),
    Check("S2", check_gives_finite_scores),
    Check("S2", check_scores_anomalies_higher),
    Check("S3", check_scores_each_image_alone),
    *REFUSALS,
    Check("S5", check_names_rows_that_exist),
    Check("S6", check_tells_finite_facts),
    Check("S7", check_comes_back_from_its_state, _keeps_state),
    *ON_PIXELS,
    Check("S10", check_draws_only_if_it_says_so, _says_deterministic),
)
