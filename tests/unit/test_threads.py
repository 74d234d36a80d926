from __future__ import annotations

import threading

import pytest

from adharness.threads import allowed, in_order


def test_results_come_in_order_whatever_finishes_first():
    second_done = threading.Event()

    def work(number):
        if number == 0:
            assert second_done.wait(10)
        else:
            second_done.set()
        return number

    assert list(in_order(work, range(5), workers=2, ahead=2)) == list(range(5))


def test_no_more_is_begun_than_asked_for_and_ahead():
    given = []

    def told():
        for number in range(10):
            given.append(number)
            yield number

    results = in_order(abs, told(), workers=1, ahead=2)
    assert next(results) == 0
    assert given == [0, 1, 2]
    results.close()
    assert given == [0, 1, 2]


def test_the_first_error_is_raised_in_its_place():
    def work(number):
        if number >= 1:
            raise ValueError(f"{number} is wrong")
        return number

    results = in_order(work, range(4), workers=2, ahead=4)
    assert next(results) == 0
    with pytest.raises(ValueError, match="1 is wrong"):
        next(results)


def test_nothing_gives_nothing():
    assert list(in_order(abs, [], workers=1, ahead=1)) == []


@pytest.mark.parametrize(("asked", "count"), [("3", 3), ("1", 1)])
def test_the_variable_of_the_numeric_libraries_is_followed(monkeypatch, asked, count):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert allowed() == count


@pytest.mark.parametrize("asked", ["", "0", "-2", "many", "2,1"])
def test_without_a_number_there_it_is_the_cores_of_the_process(monkeypatch, asked):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = allowed()
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert allowed() == cores >= 1
