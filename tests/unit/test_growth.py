"""How a cost grows, and how it is written."""

from __future__ import annotations

import pytest

from adharness.cli.estimate import span_text
from adharness.engine.growth import Growth, Span


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 1.7, 2.0])
def test_a_power_law_is_found_from_two_sizes_and_followed(power):
    grown = Growth((8, 16), (8**power, 16**power))
    assert grown.exponent == pytest.approx(power)
    assert grown.at(200).likely == pytest.approx(200**power)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 1.7, 2.0])
def test_the_truth_lies_in_the_range_where_a_measurement_is_a_tenth_off(power):
    grown = Growth((8, 16), (1.1 * 8**power, 16**power))
    span = grown.at(200)
    assert span.low < 200**power < span.high
    assert span.low <= span.likely <= span.high


def test_growth_faster_than_can_be_is_noise():
    assert Growth((8, 16), (1.0, 64.0)).exponent == 2.0
    assert Growth((8, 16), (1.0, 64.0), steepest=1.0).exponent == 1.0
    assert Growth((8, 16), (2.0, 1.0)).exponent == 0.0


def test_one_size_shows_no_growth_so_the_range_reaches_to_the_steepest():
    span = Growth((8,), (1.0,)).at(80)
    assert span.likely == pytest.approx(10.0)
    assert span.high == pytest.approx(1.2 * 100)
    assert Growth((8,), (1.0,), steepest=1.0).at(80).high == pytest.approx(12.0)


def test_what_seems_fixed_may_still_grow_with_the_images():
    span = Growth((8, 16), (1.0, 1.0)).at(160)
    assert span.likely == 1.0
    assert span.high >= 10.0


def test_within_the_sizes_measured_nothing_is_extrapolated():
    grown = Growth((8, 16, 32), (1.0, 5.0, 20.0))
    assert grown.at(16) == Span.about(5.0)
    assert grown.at(4) == Span.about(1.0)
    assert 5.0 < grown.at(24).likely < 20.0


def test_what_costs_nothing_grows_to_nothing():
    assert Growth((8, 16), (0.0, 0.0)).at(1000).high == 0.0


def test_costs_add_and_the_largest_counts_where_one_follows_the_other():
    one, other = Span(1, 2, 5), Span(0, 3, 4)
    assert one + other == Span(1, 5, 9)
    assert Span.sum([]) == Span(0, 0, 0)
    assert Span.largest([one, other]) == Span(1, 3, 5)
    assert other.times(2) == Span(0, 6, 8)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0, 0, "0 s"),
        (0.1, 0.4, "< 1 s"),
        (2, 5, "2 to 5 s"),
        (40, 190, "40 s to 3.2 min"),
        (150, 400, "2.5 to 6.7 min"),
        (20, 20.2, "20 s"),
        (3600, 360_000, "60 min to 100 h"),
    ],
)
def test_a_span_is_written_for_people(low, high, text):
    assert span_text(Span(low, (low + high) / 2, high)) == text
