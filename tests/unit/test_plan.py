from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adharness.plan import PROTOCOLS, Plan, expand
from adharness.suite.bind import bind
from adharness.suite.load import load_suite

Expanded = Callable[[str], Plan]


@pytest.fixture
def expanded(write_suite: Callable[[str], Path], good_suite: str, toy_registry: Any) -> Expanded:
    def expanded(more: str) -> Plan:
        text = good_suite.replace("thresholders: [{use: f1}]\n", more)
        return expand(bind(load_suite(write_suite(text)), toy_registry))

    return expanded


EVERYTHING = """\
protocols: [per-class, model-unified, absolute-unified]
seeds: [3, 5]
normalizers: [{use: raw}, {use: zscore}]
thresholders: [{use: f1}, {use: quantile}]
"""


def test_the_protocols_are_the_grid_of_the_design() -> None:
    grid = {p.name: (p.labels_at_train, p.labels_at_eval) for p in PROTOCOLS.values()}
    assert grid == {
        "per-class": (True, True),
        "model-unified": (False, True),
        "absolute-unified": (False, False),
        "routed": (True, False),
    }


def test_a_plan_has_a_cell_for_every_combination(expanded: Expanded) -> None:
    plan = expanded(EVERYTHING)
    assert len(plan.cells) == 1 * 2 * 3 * 2 * 2 * 2
    assert len(set(map(id, plan.cells))) == len(plan.cells)


def test_cells_come_in_the_order_of_the_suite(expanded: Expanded) -> None:
    cells = expanded(EVERYTHING).cells
    parts = [
        (c.method.name, c.protocol, c.seed, c.normalizer.name, c.thresholder.name) for c in cells
    ]
    assert parts[:3] == [
        ("knn", "per-class", 3, "raw", "f1"),
        ("knn", "per-class", 3, "raw", "quantile"),
        ("knn", "per-class", 3, "zscore", "f1"),
    ]
    assert parts[8][:2] == ("knn", "model-unified")
    assert parts[-1] == ("padim", "absolute-unified", 5, "zscore", "quantile")


def test_groups_share_features_and_lose_no_cell(expanded: Expanded) -> None:
    plan = expanded(EVERYTHING)
    groups = plan.by_features()
    assert len(groups) == 1
    assert groups[0] == plan.cells


def test_another_data_set_or_extractor_makes_another_group(
    write_suite: Callable[[str], Path], good_suite: str, toy_registry: Any
) -> None:
    text = good_suite.replace("  - use: toy-set", "  - use: toy-set\n  - use: other-set")
    text = text.replace("methods:", "  big: {use: net, model: big}\nmethods:")
    text = text.replace("net\n    bank: {use: grid}", "big\n    bank: {use: grid}")
    plan = expand(bind(load_suite(write_suite(text)), toy_registry))
    groups = [group[0].features for group in plan.by_features()]
    assert groups == [
        ("toy-set", "net"),
        ("toy-set", "big"),
        ("other-set", "net"),
        ("other-set", "big"),
    ]


def test_unified_protocols_share_a_fit_and_normalizers_cost_none(expanded: Expanded) -> None:
    plan = expanded(EVERYTHING)
    assert plan.fits() == (2 * 2, 2 * 2)
    assert len({cell.scoring for cell in plan.cells}) == 8
    assert expanded("protocols: [absolute-unified]\n").fits() == (2, 0)
    assert expanded("protocols: [model-unified]\n").fits() == (2, 0)
