from __future__ import annotations

import numpy as np
import pytest

from adharness.report.leaderboard import Group, Leaderboard, Standing
from adharness.report.promises import chance_of, told_promises
from adharness.report.seeds import Score
from adharness.store.records import CellRecord, Row, ThresholdRecord, Value
from adharness.store.run_record import DatasetRecord, RunRecord


def standing(method, fpr, *, promised=0.05, normals=99, **group):
    threshold = ThresholdRecord(
        class_name=None, value=1.0, normals=normals, anomalies=0, promised_fpr=promised
    )
    rows = [Row(class_name="pooled", status="ok", metrics={"image_fpr": Value(value=fpr)})]
    settings = {
        "dataset": "cells",
        "protocol": "absolute-unified",
        "normalizer": "raw",
        "thresholder": "quantile",
        **group,
    }
    cell = CellRecord.model_construct(
        id=method, protocol=settings["protocol"], thresholds=[threshold], rows=rows
    )
    return Standing(Group(**settings), method, (cell,), Score(0.5))


def board(*standings, normal_images=100):
    data = DatasetRecord.model_construct(name="cells", counts={"a": {"test_normal": normal_images}})
    return Leaderboard(RunRecord.model_construct(datasets=[data]), (), tuple(standings), ())


def test_a_promise_that_chance_cannot_explain_is_told_with_both_numbers():
    (said,) = told_promises(board(standing("knn", 0.30), standing("padim", 0.45)))
    assert "promises at most 5.0 % false alarms and gives 30.0 to 45.0 %" in said
    assert "2 of 2 methods" in said


def test_a_method_that_keeps_its_promise_is_not_counted_among_those_that_break_it():
    (said,) = told_promises(board(standing("knn", 0.05), standing("padim", 0.45)))
    assert "gives 45.0 % (1 of 2 methods" in said


@pytest.mark.parametrize(
    "kept",
    [
        standing("knn", 0.10),  # twice the promise, within chance for 100 images
        standing("knn", 0.45, promised=None),
        standing("knn", None),
        standing("knn", 0.45, protocol="per-class"),
        standing("knn", 0.45, normalizer="zscore"),
        standing("knn", 0.45, dataset="others"),
    ],
)
def test_what_is_no_broken_promise_is_not_told(kept):
    assert told_promises(board(kept)) == []


def test_without_normal_test_images_nothing_can_be_said():
    assert told_promises(board(standing("knn", 0.45), normal_images=0)) == []


@pytest.mark.parametrize(("normals", "promised"), [(19, 0.05), (39, 0.1), (9, 1 / 10), (4, 1 / 5)])
def test_the_chance_is_that_of_exchangeable_images(normals, promised):
    """Drawn 4,000 times; the tolerance is five standard errors of a share."""
    rng = np.random.default_rng(0)
    images, draws = 30, 4000
    rank = min(int(np.ceil((normals + 1) * (1 - promised) - 1e-9)), normals)
    thresholds = np.sort(rng.normal(size=(draws, normals)), axis=1)[:, rank - 1]
    counts = (rng.normal(size=(draws, images)) > thresholds[:, None]).sum(axis=1)
    for flagged in (1, 3, 6):
        seen = (counts >= flagged).mean()
        chance = chance_of(flagged, images, normals, promised)
        assert abs(seen - chance) < 5 * np.sqrt(0.25 / draws)
    assert chance_of(0, images, normals, promised) == pytest.approx(1.0)
