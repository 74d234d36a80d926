"""How long trials may take, and when a method is tried no further."""

from __future__ import annotations

from typing import Any

from adharness.engine.calibration import Budget
from adharness.engine.method_trials import _sizes, _Trial


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_counts_what_is_not_paused():
    clock = Clock()
    budget = Budget(10.0, clock)
    clock.now += 3
    with budget.paused():
        clock.now += 50
    clock.now += 1
    assert (budget.spent, budget.left) == (4.0, 6.0)
    clock.now += 20
    assert budget.left == 0.0


def test_a_share_is_counted_from_when_it_was_given():
    clock = Clock()
    budget = Budget(10.0, clock)
    clock.now += 4
    share = budget.share(3)
    assert (share.spent, share.left) == (0.0, 2.0)
    clock.now += 1
    assert (share.left, budget.left) == (1.0, 5.0)


def test_a_method_whose_next_trial_takes_more_than_its_share_stays_where_it_is():
    clock, nothing = Clock(), Any
    budget = Budget(10.0, clock)
    slow: Any = _Trial(nothing, fit_s={8: 1.0}, last_s=1.3)  # the next takes about 5.2 s
    slow.go(nothing, 16, budget, share=2)
    assert slow.stopped
    alone: Any = _Trial(nothing, fit_s={8: 1.0}, last_s=1.3)
    alone.go(nothing, 16, budget, share=1)  # tried, and fails: there is no method
    assert not alone.stopped
    assert alone.problem


def test_sizes_double_up_to_all_there_are():
    assert _sizes(64) == [8, 16, 32, 64]
    assert _sizes(50) == [6, 12, 25, 50]
    assert _sizes(11) == [5, 11]
    assert _sizes(3) == [3]
