from __future__ import annotations

from dataclasses import replace

import pytest

from adharness.report.leaderboard import Group, Leaderboard, Standing
from adharness.report.reversals import reversals, told_reversals
from adharness.report.seeds import Score
from adharness.store.records import CellRecord, Row, Value
from adharness.store.run_record import RunRecord


def cell(macro, pooled, *, told_class=False):
    rows = [
        Row(class_name=name, status="ok", metrics={"image_auroc": Value(value=value)})
        for name, value in (("macro", macro), ("pooled", pooled))
    ]
    return CellRecord.model_construct(
        id="x", protocol="absolute-unified", class_oracle=told_class, rows=rows
    )


def standing(method, macro, pooled, *, normalizer="raw", protocol="absolute-unified", **more):
    group = Group("cells", protocol, normalizer, "f1")
    return Standing(group, method, (cell(macro, pooled, **more),), Score(pooled))


def board(*standings):
    return Leaderboard(RunRecord.model_construct(), (), tuple(standings), ())


TURNED = (standing("padim", 0.93, 0.88), standing("patchcore", 0.92, 0.90))


def test_a_pair_that_pooling_turns_is_found_and_both_leads_are_told():
    (found,) = reversals(board(*TURNED))
    assert (found.within.method, found.pooled.method) == ("padim", "patchcore")
    assert found.by_class == pytest.approx(0.01)
    assert found.by_pool == pytest.approx(0.02)
    (said,) = told_reversals(board(*TURNED))
    assert "padim leads patchcore by +1.0 points" in said
    assert "patchcore leads padim by +2.0 points" in said
    assert said.endswith("no normalizer of this suite turns it back.")


def test_the_normalizers_that_turn_it_back_are_named_and_an_upper_bound_is_called_one():
    (said,) = told_reversals(
        board(
            *TURNED,
            standing("padim", 0.93, 0.92, normalizer="zscore", told_class=True),
            standing("patchcore", 0.92, 0.91, normalizer="zscore", told_class=True),
            standing("padim", 0.93, 0.89, normalizer="conformal"),
            standing("patchcore", 0.92, 0.91, normalizer="conformal"),
            standing("padim", 0.93, 0.92, normalizer="regressed"),
            standing("patchcore", 0.92, 0.91, normalizer="regressed"),
        )
    )
    bound = "zscore (told the class: an upper bound)"
    assert said.endswith(f"turned back by {bound} and regressed.")


def test_the_largest_of_several_is_told_by_its_smaller_lead():
    found = reversals(board(*TURNED, standing("knn", 0.90, 0.91)))
    assert [(x.within.method, x.pooled.method) for x in found] == [("padim", "knn")]


@pytest.mark.parametrize(
    "second",
    [
        standing("patchcore", 0.92, 0.88),  # a tie over the pool
        standing("patchcore", 0.93, 0.90),  # a tie over the classes
        standing("patchcore", 0.94, 0.90),  # ahead in both
        standing("patchcore", 0.92, None),  # not defined
        standing("patchcore", 0.92, 0.90, normalizer="zscore"),
        standing("patchcore", 0.92, 0.90, protocol="model-unified"),
    ],
)
def test_without_two_leads_on_the_same_scores_nothing_is_told(second):
    assert told_reversals(board(TURNED[0], second)) == []


def test_seeds_are_averaged_before_they_are_compared():
    one, other = cell(0.93, 0.88), cell(0.89, 0.88)
    first = replace(TURNED[0], cells=(one, other))
    assert reversals(board(first, TURNED[1])) == []


def test_intervals_of_both_leads_are_told_where_there_are_any():
    ends = {("image_auroc", "macro"): (-0.01, 0.03), ("image_auroc", "pooled"): (0.01, 0.04)}
    (said,) = told_reversals(board(*TURNED), lambda first, second: ends)
    assert "by +1.0 points (\N{MINUS SIGN}1.0 to +3.0)" in said
    assert "by +2.0 points (+1.0 to +4.0)" in said
