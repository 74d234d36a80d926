"""Two runs on one machine are equal to the byte; threads and batches move scores by under 1e-5.

What is relative to what, and what was measured, is in docs/determinism.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness import Params, ScorerSpec, Scores
from adharness.arrays import Float32
from adharness.contracts import FeatureGrid, Memory
from adharness.reproduction import TOLERANCE
from adharness.threads import allowed
from determined import (
    BANKS_AND_SCORERS,
    RANDOM,
    apart,
    batches_of,
    rules_suite,
    run_here,
    scorers_suite,
    threads_of,
)

pytest.importorskip("torch")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
TIMES = ("costs",)
NO_DISTANCE = {"random-scores"}
"""Its scores are drawn by a digest of the features: any other bit gives all others."""


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every scorer and bank, extracted and scored by one thread, 8 images at once."""
    with threads_of(1):
        return run_here(tmp_path_factory.mktemp("once"), scorers_suite())


def arrays_of(run: Path) -> dict[str, bytes]:
    """Bytes of every array that a run stored."""
    return {str(p.relative_to(run)): p.read_bytes() for p in sorted(run.rglob("*.npz"))}


def records_of(run: Path) -> dict[str, Any]:
    """Every record of a cell and a model, but for times."""
    read = {str(p.relative_to(run)): json.loads(p.read_text()) for p in run.rglob("result.json")}
    return {
        name: {key: value for key, value in record.items() if key not in TIMES}
        for name, record in read.items()
    }


def test_two_runs_store_the_same_bytes_for_every_scorer_and_bank(once, tmp_path):
    with threads_of(1):
        again = run_here(tmp_path, scorers_suite())
    assert arrays_of(again) == arrays_of(once)
    assert records_of(again) == records_of(once)
    assert len(arrays_of(once)) > 2 * len(BANKS_AND_SCORERS)


def test_two_runs_store_the_same_bytes_for_every_normalizer_and_thresholder(tmp_path):
    with threads_of(2):
        first, second = (run_here(tmp_path / name, rules_suite()) for name in ("a", "b"))
    assert arrays_of(first) == arrays_of(second)
    assert records_of(first) == records_of(second)


def far(first: Path, second: Path) -> dict[str, float]:
    """Methods that are further apart than is promised."""
    return {
        name: one.relative
        for name, one in apart(first, second).items()
        if not one.within(TOLERANCE) and name not in NO_DISTANCE
    }


def test_the_number_of_threads_moves_no_score_by_more_than_is_promised(once, tmp_path):
    with threads_of(2):
        other = run_here(tmp_path, scorers_suite())
    assert far(once, other) == {}


@pytest.mark.parametrize(("size", "chunk"), [(1, 1), (64, 64)])
def test_the_size_of_a_batch_moves_no_score_by_more_than_is_promised(once, tmp_path, size, chunk):
    with threads_of(1), batches_of(size, chunk):
        other = run_here(tmp_path, scorers_suite())
    assert far(once, other) == {}


def test_rules_keep_the_promise_where_scores_do(tmp_path):
    with threads_of(1):
        first = run_here(tmp_path / "a", rules_suite())
    with threads_of(2), batches_of(64, 64):
        second = run_here(tmp_path / "b", rules_suite())
    assert far(first, second) == {}


class NoParams(Params):
    """None."""


@dataclass(frozen=True)
class Hostile:
    """A scorer that is not the same every time: by numbers nobody seeded, or by its threads."""

    by: str

    def fit(self, memory: Memory, rng: np.random.Generator) -> Hostile:
        return self

    def score(self, features: FeatureGrid) -> Scores:
        plain: Float32 = features.patches.mean(axis=3)
        if self.by == "chance":
            plain += np.float32(np.random.default_rng().random() * 1e-4)  # a fault: unseeded
        else:
            plain *= np.float32(1 + 3e-5 * allowed())
        return Scores(patches=plain)


def hostile(by: str) -> ScorerSpec:
    return ScorerSpec(name=f"by-{by}", params=NoParams, make=lambda _: Hostile(by), needs="bag",
                      deterministic=True, summary="Hostile.", source="none")  # fmt: skip


def hostile_runs(folder: Path, by: str) -> Iterator[Path]:
    suite = scorers_suite({by: (RANDOM, {"use": f"by-{by}"}), "knn": BANKS_AND_SCORERS["knn"]})
    for threads in (1, 2):
        with threads_of(threads):
            yield run_here(folder / str(threads), suite, [hostile(by)], cache=folder / "cache")


@pytest.mark.parametrize("by", ["chance", "threads"])
def test_a_scorer_that_draws_unseeded_or_counts_its_threads_is_caught(tmp_path, by):
    first, second = hostile_runs(tmp_path, by)
    assert list(far(first, second)) == [by]
    assert arrays_of(first) != arrays_of(second)


def test_on_the_same_features_threads_alone_change_no_more_than_is_promised(tmp_path):
    first, second = (
        run_threaded(tmp_path / str(n), n, tmp_path / "cache") for n in (1, 2)
    )  # fmt: skip
    assert far(first, second) == {}
    assert apart(first, second)["random-scores"].relative == 0.0


def run_threaded(folder: Path, threads: int, cache: Path) -> Path:
    with threads_of(threads):
        return run_here(folder, scorers_suite(), cache=cache)
