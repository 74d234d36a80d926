"""Pictures of the feature space: seeded, and true to what they are drawn from."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.contracts import Sample
from adharness.engine.projections import project
from adharness.engine.views import drawn
from adharness.errors import DataError


def clusters(seed: int = 0, *, each: int = 20, dim: int = 8) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = 20.0 * np.eye(dim)[:3]
    return (np.repeat(centres, each, axis=0) + rng.normal(size=(3 * each, dim))).astype(np.float32)


def purity(points: np.ndarray, each: int = 20) -> float:
    """Share of points whose nearest other point is of their own cluster."""
    gaps = np.square(points[:, None] - points[None]).sum(axis=2)
    np.fill_diagonal(gaps, np.inf)
    own = np.repeat(np.arange(3), each)
    return float((own[gaps.argmin(axis=1)] == own).mean())


@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_clusters_stay_apart_and_a_seed_gives_one_picture(projection: str) -> None:
    first, second = (project(projection, clusters(), 3).points for _ in range(2))
    assert first.shape == (60, 2)
    assert np.isfinite(first).all()
    assert purity(first) == 1.0
    assert np.array_equal(first, second)


@given(st.integers(0, 1000))
def test_pca_keeps_the_shares_of_the_variance_and_its_axes_are_uncorrelated(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(12, 4)).astype(np.float32)
    plane = project("pca", values, 0)
    assert plane.explained is not None
    whole = np.var(values.astype(np.float64), axis=0).sum()
    assert plane.points.var(axis=0) / whole == pytest.approx(plane.explained)
    assert plane.explained[0] >= plane.explained[1] >= 0
    assert np.cov(plane.points.T)[0, 1] == pytest.approx(0, abs=1e-9)


def test_pca_of_equal_or_one_dimensional_embeddings_is_drawn() -> None:
    assert np.array_equal(project("pca", np.ones((6, 3), np.float32), 0).points, np.zeros((6, 2)))
    line = project("pca", np.arange(6, dtype=np.float32)[:, None], 0)
    assert line.explained == (1.0, 0.0)
    assert np.array_equal(line.points[:, 1], np.zeros(6))


def test_turning_the_sign_of_an_embedding_mirrors_no_axis_at_random() -> None:
    values = clusters(1)
    assert np.array_equal(project("pca", values, 0).points, project("pca", values.copy(), 1).points)


@pytest.mark.parametrize("projection", ["pca", "tsne", "umap"])
def test_four_images_are_too_few(projection: str) -> None:
    with pytest.raises(DataError, match="4 images are too few"):
        project(projection, np.zeros((4, 3), np.float32), 0)


def test_tsne_draws_the_fewest_images_it_takes() -> None:
    assert project("tsne", clusters(each=2)[:5], 0).points.shape == (5, 2)


def test_without_umap_the_reason_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DataError, match="umap-learn is not installed"):
        project("umap", clusters(), 0)


def test_with_umap_it_is_seeded_and_single_threaded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    class Umap:
        def __init__(self, **options: Any) -> None:
            asked.update(options)

        def fit_transform(self, values: np.ndarray) -> np.ndarray:
            return values[:, :2]

    module = ModuleType("umap")
    module.UMAP = Umap  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "umap", module)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    plane = project("umap", clusters(), 7)
    assert plane.points.shape == (60, 2)
    assert asked == {"n_neighbors": 15, "min_dist": 0.1, "random_state": 7, "n_jobs": 1}


def survey(counts: dict[tuple[str, int], int]) -> Any:
    samples = [
        Sample(f"{name}{label}/{i}", name, "train", label)
        for (name, label), count in counts.items()
        for i in range(count)
    ]
    portions = {"train": np.arange(len(samples)), "calibration": np.zeros(0, np.int64),
                "test": np.zeros(0, np.int64)}  # fmt: skip
    return SimpleNamespace(samples=samples, portion=portions.__getitem__)


def test_few_images_are_all_drawn() -> None:
    assert drawn(survey({("a", 0): 3, ("a", 1): 2}), 10, 0).tolist() == [0, 1, 2, 3, 4]


def test_a_small_class_is_not_lost_beside_a_large_one() -> None:
    here = survey({("a", 0): 500, ("a", 1): 5, ("b", 0): 40})
    chosen = drawn(here, 60, 0)
    kinds = [(here.samples[i].class_name, here.samples[i].label) for i in chosen]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert len(chosen) == 60
    assert counts[("a", 1)] == 5
    assert abs(counts[("a", 0)] - counts[("b", 0)]) <= 1


@given(st.integers(2, 30), st.integers(0, 100))
def test_the_draw_is_seeded_and_repeats_nothing(images: int, seed: int) -> None:
    here = survey({("a", 0): 9, ("b", 1): 4, ("b", 0): 7})
    first = drawn(here, images, seed)
    assert np.array_equal(first, drawn(here, images, seed))
    assert len(set(first.tolist())) == len(first) == min(images, 20)
