"""Ranks over classes, and which methods do not differ there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import friedmanchisquare, wilcoxon

from adharness.report.leaderboard import Group, leaderboard
from adharness.report.page import build_page, render_page
from adharness.report.rank_diagram import rank_diagram
from adharness.report.reading import read_run
from adharness.report.significance import class_ranks, rank_over_classes, without_thresholds
from adharness.report.significance_view import significance_tables

GROUP = Group("set", "per-class", "raw", "f1")
CLASSES = [f"c{i}" for i in range(12)]


def world(*shifts: float, noise: float = 0.01) -> np.ndarray:
    rng = np.random.default_rng(0)
    hard = rng.uniform(0.5, 0.8, len(CLASSES))
    return np.array([hard + shift + noise * rng.normal(size=len(CLASSES)) for shift in shifts])


def test_average_ranks_and_p_values_are_those_of_scipy():
    values = world(0.0, 0.1, 0.02)
    found = rank_over_classes(GROUP, CLASSES, ["x", "y", "z"], values, 0.95)
    assert found.methods == ("y", "z", "x")
    assert found.average_ranks[0] == 1.0
    assert sum(found.average_ranks) == pytest.approx(6.0)
    assert found.friedman_p == pytest.approx(friedmanchisquare(*values).pvalue)
    raw = [wilcoxon(values[1] - values[other]).pvalue for other in (2, 0)]
    assert min(found.adjusted.values()) == pytest.approx(3 * min(raw))


def test_methods_that_do_not_differ_are_joined_and_far_ones_are_not():
    values = world(0.1, 0.1, 0.0, 0.0)
    found = rank_over_classes(GROUP, CLASSES, ["a", "b", "c", "d"], values, 0.95)
    assert {frozenset(one) for one in found.cliques} == {frozenset("ab"), frozenset("cd")}


def test_a_clique_holds_no_pair_that_differs_and_is_in_no_other():
    values = world(0.06, 0.05, 0.04, 0.03, 0.0, noise=0.03)
    found = rank_over_classes(GROUP, CLASSES, list("abcde"), values, 0.95)
    for clique in found.cliques:
        pairs = [p for pair, p in found.adjusted.items() if set(pair) <= set(clique)]
        assert min(pairs) >= 0.05
        assert not any(set(clique) < set(other) for other in found.cliques)


def test_equal_methods_do_not_differ():
    values = np.tile(world(0.0), (3, 1))
    found = rank_over_classes(GROUP, CLASSES, list("abc"), values, 0.95)
    assert found.friedman_p == 1.0
    assert found.average_ranks == (2.0, 2.0, 2.0)
    assert set(found.adjusted.values()) == {1.0}
    assert found.cliques == (("a", "b", "c"),)


def test_two_methods_have_no_friedman_test():
    assert rank_over_classes(GROUP, CLASSES, ["a", "b"], world(0, 1), 0.95).friedman_p is None


def test_three_classes_say_nothing(run_folder: Path):
    assert class_ranks(leaderboard(*read_run(run_folder))) == []


def test_the_table_gives_methods_that_do_not_differ_a_letter(run_folder: Path):
    board = leaderboard(*read_run(run_folder))
    values = world(0.1, 0.1, 0.0, 0.0)
    ranks = rank_over_classes(GROUP, CLASSES, ["a", "b", "c", "d"], values, 0.95)
    twice = rank_over_classes(GROUP._replace(thresholder="youden"), CLASSES, list("abcd"), values,
                              0.95)  # fmt: skip
    assert without_thresholds([ranks, twice]) == [ranks]
    (table,) = significance_tables(board, [], without_thresholds([ranks, twice]))
    letters = {line.method: line.numbers[1].text for line in table.lines}
    assert letters["a"] == letters["b"] != letters["c"] == letters["d"]
    assert "12 classes" in table.caption


def test_the_diagram_has_the_best_on_the_left_and_joins_what_does_not_differ(run_folder: Path):
    values = world(0.1, 0.1, 0.0, 0.0)
    ranks = rank_over_classes(GROUP, CLASSES, ["<a>", "b", "c", "d"], values, 0.95)
    drawing = rank_diagram(ranks)
    starts = [float(mark.path[1:].split()[0]) for mark in drawing.marks]
    assert starts == sorted(starts)
    assert [mark.anchor for mark in drawing.marks] == ["end", "end", "start", "start"]
    for (left, right, _), clique in zip(drawing.joined, ranks.cliques, strict=True):
        inside = [m.label for m, x in zip(drawing.marks, starts, strict=True) if left < x < right]
        assert tuple(inside) == clique
    page = build_page(leaderboard(*read_run(run_folder)), [])
    tables = (("Per class", tuple(significance_tables(leaderboard(*read_run(run_folder)), [],
                                                      [ranks]))),)  # fmt: skip
    text = render_page(replace(page, significance=tables, rank_diagrams=(drawing,)))
    assert "average ranks" in text
    assert "<a>" not in text
