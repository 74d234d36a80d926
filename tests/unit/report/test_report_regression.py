"""When a metric has fallen too far."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.report.regression import Rule

shares = st.floats(0, 1, allow_nan=False)
ends = st.tuples(shares, shares).map(lambda two: (min(two) - 0.5, max(two) - 0.5))
directions = st.sampled_from(["higher", "lower"])


@pytest.mark.parametrize(
    ("before", "after", "interval", "direction", "verdict"),
    [
        (0.99, 0.98, (-0.02, -0.001), "higher", "regression"),
        (0.99, 0.98, (-0.02, 0.001), "higher", "fine"),
        (0.99, 0.98, (-0.02, 0.0), "higher", "fine"),
        (0.99, 0.98, None, "higher", "regression"),
        (0.99, 0.985, None, "higher", "fine"),
        (0.99, 0.9849, None, "higher", "regression"),
        (0.98, 0.99, (0.001, 0.02), "higher", "fine"),
        (0.01, 0.02, (0.001, 0.02), "lower", "regression"),
        (0.01, 0.02, (-0.001, 0.02), "lower", "fine"),
        (0.02, 0.01, None, "lower", "fine"),
        (None, 0.02, None, "higher", "undefined"),
        (math.nan, None, None, "higher", "undefined"),
        (0.02, None, None, "higher", "lost"),
        (0.02, math.nan, None, "lower", "lost"),
    ],
)
def test_the_verdict_is(
    before: float | None,
    after: float | None,
    interval: tuple[float, float] | None,
    direction: str,
    verdict: str,
) -> None:
    assert Rule().verdict(before, after, interval, direction) == verdict  # type: ignore[arg-type]


def test_a_fall_within_chance_counts_where_it_is_asked_for() -> None:
    told = (0.99, 0.98, (-0.02, 0.001), "higher")
    assert Rule(at_all=True).verdict(*told) == "regression"
    assert Rule(1.5, at_all=True).verdict(*told) == "fine"


def test_an_equal_number_is_fine_at_no_tolerance_at_all() -> None:
    assert Rule(0.0, at_all=True).verdict(0.7, 0.7, (0.0, 0.0), "higher") == "fine"


@given(shares, shares, st.none() | ends, directions, st.floats(0, 100), st.booleans())
def test_more_tolerance_never_makes_a_regression(before, after, interval, direction, more, at_all):
    strict = Rule(0.5, at_all).verdict(before, after, interval, direction)
    mild = Rule(0.5 + more, at_all).verdict(before, after, interval, direction)
    assert strict == "regression" or mild == "fine"


@given(shares, shares, st.none() | ends, directions, st.booleans())
def test_only_what_got_worse_is_a_regression(before, after, interval, direction, at_all):
    found = Rule(0.0, at_all).verdict(before, after, interval, direction)
    better = after >= before if direction == "higher" else after <= before
    assert not (better and found == "regression")


@given(shares, shares, st.none() | ends, st.booleans())
def test_the_direction_is_a_mirror(before, after, interval, at_all):
    turned = None if interval is None else (-interval[1], -interval[0])
    rule = Rule(0.5, at_all)
    upward = rule.verdict(before, after, interval, "higher")
    assert upward == rule.verdict(after, before, turned, "lower")
