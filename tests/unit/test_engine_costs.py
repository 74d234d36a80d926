"""What a model costs, and what the models of a cell cost together."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.contracts import Bag
from adharness.engine.costs import (
    HIGHEST,
    SUMMED,
    TYPICAL,
    FitSpent,
    ScoreSpent,
    Workplace,
    library_threads,
    model_costs,
    total,
)
from adharness.engine.meter import Spent, warm
from adharness.store.records import Circumstances, Costs

AMOUNTS = st.floats(0, 1e6)
MAYBE = st.none() | AMOUNTS
PLACES = st.builds(
    Circumstances,
    cpu=st.sampled_from(["one", "other"]),
    threads=st.integers(1, 3),
    at_once=st.integers(1, 2),
)
OWN = {"fit_s", "score_ms"}  # every record has them
COSTS = st.builds(
    Costs,
    fit_s=AMOUNTS,
    score_ms=AMOUNTS,
    extract_ms=MAYBE,
    bank_rows=st.none() | st.integers(0, 10**6),
    bank_mb=MAYBE,
    **{name: MAYBE for name in (*SUMMED, *HIGHEST, *TYPICAL) if name not in OWN},
    measured=st.lists(PLACES, max_size=2),
)
SPENT = st.builds(
    lambda wall, cpu, peak, share: Spent(wall, cpu, peak, share * peak),
    *(AMOUNTS, AMOUNTS, AMOUNTS, st.floats(0, 1)),
)
ADDED = ("bank_rows", "bank_mb")


def together(costs: list[Costs]) -> Costs:
    found = total(costs)
    assert found is not None
    return found


def same(one: Costs, other: Costs, *names: str) -> None:
    for name in names:
        expected = getattr(other, name)
        assert getattr(one, name) == (None if expected is None else pytest.approx(expected)), name


@given(st.lists(COSTS, min_size=1, max_size=4), st.lists(COSTS, min_size=1, max_size=4))
def test_sums_and_peaks_of_parts_are_those_of_the_whole(one: Any, other: Any) -> None:
    parts, whole = together([together(one), together(other)]), together([*one, *other])
    same(parts, whole, *SUMMED, *HIGHEST, *ADDED)
    assert parts.measured == whole.measured


@given(st.data(), st.lists(COSTS, min_size=1, max_size=5))
def test_the_order_of_the_models_changes_nothing(data: st.DataObject, costs: list[Costs]) -> None:
    whole, turned = together(costs), together(data.draw(st.permutations(costs)))
    same(whole, turned, *SUMMED, *HIGHEST, *TYPICAL, *ADDED, "extract_ms")
    assert whole.measured == turned.measured


@given(COSTS, st.integers(1, 4))
def test_equal_models_have_the_times_and_the_peak_of_one_and_the_sums_of_all(
    one: Costs, count: int
) -> None:
    found = together([one] * count)
    same(found, one, *HIGHEST, *TYPICAL)
    for name in (*SUMMED, *ADDED):
        value = getattr(one, name)
        assert getattr(found, name) == (value and pytest.approx(count * value))


@given(st.lists(COSTS, min_size=1, max_size=4))
def test_a_part_never_passes_for_the_whole(costs: list[Costs]) -> None:
    found = together(costs)
    for names, pick in ((SUMMED, math.fsum), (HIGHEST, max), (TYPICAL, median)):
        for name in names:
            values = [getattr(one, name) for one in costs]
            assert getattr(found, name) == (None if None in values else pick(values))
    assert found.judge_s is None


def test_no_model_costs_nothing_that_could_be_told() -> None:
    assert total([]) is None


@given(SPENT, SPENT, SPENT, st.lists(AMOUNTS, min_size=1, max_size=6))
def test_the_peak_of_a_model_is_the_most_that_was_there_at_once(
    bank: Spent, scorer: Spent, whole: Spent, times: list[float]
) -> None:
    memory = Bag(np.zeros((5, 4), np.float32), np.zeros(5, np.int64))
    found = model_costs(memory, [], FitSpent(bank, scorer), ScoreSpent(times, whole))
    model = bank.held_mb + scorer.held_mb
    moments = [bank.peak_mb, bank.held_mb + scorer.peak_mb, model + whole.peak_mb]
    assert found.peak_memory_mb == max(moments)
    assert found.score_memory_mb == moments[2]
    assert found.fit_s == bank.wall_s + scorer.wall_s
    assert (found.bank_s, found.scorer_fit_s) == (bank.wall_s, scorer.wall_s)
    assert found.fit_cpu_s == bank.cpu_s + scorer.cpu_s
    assert (found.score_s, found.score_cpu_s) == (whole.wall_s, whole.cpu_s)
    assert (found.bank_rows, found.bank_mb) == (5, pytest.approx(80e-6))
    assert (found.extract_ms, found.decode_ms, found.network_ms) == (None, None, None)
    assert found.first_score_ms == times[0]
    assert found.score_ms == median(times[1:] or times)


def test_the_first_is_no_part_of_a_typical_time() -> None:
    assert warm([900.0, 2.0, 4.0]) == 3.0
    assert warm([7.0]) == 7.0
    assert warm([]) is None


def test_a_workplace_tells_processor_threads_and_cells_at_once() -> None:
    found = Workplace(at_once=3).circumstances
    assert found.cpu
    assert found.threads == library_threads() >= 1
    assert found.at_once == 3


def test_threads_are_those_that_numeric_libraries_may_use() -> None:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        assert library_threads() == 1


def test_costs_of_before_load_and_say_that_the_rest_is_not_recorded() -> None:
    old = {"fit_s": 1.5, "score_ms": 2.0, "extract_ms": None, "bank_rows": None, "bank_mb": None}
    found = Costs.model_validate(old)
    assert {name for name, value in found if value in (None, [])} == set(Costs.model_fields) - {
        "fit_s",
        "score_ms",
    }
