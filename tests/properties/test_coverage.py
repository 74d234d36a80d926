"""Intervals against a truth that is known; the long table is `benchmarks/bench_coverage.py`."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy.special import ndtr

import populations as known
from adharness.statistics import Drawn


@lru_cache
def population(name: str) -> known.Population:
    return known.images(2.5) if name == "images" else getattr(known, name)()


def covered(name: str, interval: object, images: int = 60) -> dict[str, float]:
    found = known.coverage(
        population(name), images=images, draws=150, interval=interval, resamples=200, seed=5
    )
    return {statistic: share for statistic, (share, _) in found.items()}


@pytest.mark.parametrize("name", ["images", "difference", "views", "classes", "more_classes"])
def test_intervals_of_95_percent_hold_the_truth_about_that_often(name):
    """Of 150 draws of a true 95 %, 89 % to 99.5 % but once in a thousand."""
    for statistic, share in covered(name, Drawn.interval).items():
        assert 0.89 <= share <= 0.995, (statistic, share)


def test_half_the_width_is_noticed():
    def half(drawn: Drawn) -> tuple[float, float]:
        low, high = drawn.interval()
        return (3 * low + high) / 4, (low + 3 * high) / 4

    assert max(covered("images", half).values()) < 0.85


def test_the_percentile_interval_is_too_low_where_few_images_are_near_the_top():
    found = covered("images", lambda drawn: drawn.interval(0.95, "percentile"))
    assert found["image_ap"] < 0.89


def test_views_that_are_drawn_apart_are_noticed(monkeypatch):
    alone = lambda groups, classes=None: np.arange(len(groups))  # noqa: E731
    monkeypatch.setattr(known, "units_of", alone)
    assert max(covered("views", Drawn.interval).values()) < 0.85


def test_classes_that_are_not_drawn_do_not_speak_of_others(monkeypatch):
    monkeypatch.setattr(known, "over_drawn_classes", lambda found, _: known.over_classes(found))
    assert max(covered("more_classes", Drawn.interval, images=600).values()) < 0.8


def test_the_truth_of_the_simulation_is_the_closed_form():
    assert population("images").truth["image_auroc"] == pytest.approx(ndtr(2.5 / 2**0.5), abs=1e-3)
    gap = population("difference").truth["paired difference of image_auroc"]
    assert gap == pytest.approx(ndtr(1.6 / 2**0.5) - ndtr(1.2 / 2**0.5), abs=2e-3)
