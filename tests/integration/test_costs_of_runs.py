"""What a run records of its costs: for every cell, by stage; what is reused keeps its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness.contracts import Bag, FeatureGrid, Params, ScorerSpec, Scores
from adharness.store.folder import RunFolder
from adharness.store.records import Costs

MB = 10**6
HELD, FITTING, SCORING = 32, 96, 48
METHOD = {"name": "heavy", "extractor": "px", "bank": {"use": "random", "ratio": 0.5},
          "scorer": {"use": "heavy"}}  # fmt: skip
KNN = {**METHOD, "name": "knn", "scorer": {"use": "knn-faiss"}}
FEW: dict[str, Any] = {
    "protocols": ["per-class", "absolute-unified"],
    "thresholders": [{"use": "f1"}],
    "metrics": ["image_auroc", "pixel_auroc"],
    "statistics": {"bootstrap": 0},
    "methods": [METHOD],
}
SLACK = 15.0


class NoParams(Params):
    """Nothing to set."""


class Heavy:
    """Needs memory to fit, keeps some of it, and needs some more to score."""

    def fit(self, memory: Bag, rng: np.random.Generator) -> Heavy:
        needed = np.ones(FITTING * MB, np.uint8)
        self.kept = needed[: HELD * MB].copy()
        return self

    def score(self, features: FeatureGrid) -> Scores:
        passing = np.ones(SCORING * MB, np.uint8)
        return Scores(patches=features.patches.mean(axis=-1) * passing[0])


HEAVY = ScorerSpec(
    name="heavy", params=NoParams, make=lambda _: Heavy(), summary="Heavy.", needs="bag"
)


def results(folder: Path, kind: str) -> dict[str, Any]:
    """Give the stored records without their costs, and their files."""
    found = {}
    for path in sorted((folder / kind).glob("*/result.json")):
        record = json.loads(path.read_text())
        assert record.pop("costs") is not None
        found[path.parent.name] = record
    return found


@pytest.mark.timeout(120)
def test_a_cell_records_each_stage_and_the_memory_of_its_worst_model(bench: Any) -> None:
    _, cells = bench.run(**FEW, extra=[HEAVY])
    for cell in cells:
        found = cell.costs
        assert found is not None
        assert {name for name, value in found if value is None} == set()
        # The most of any model, however many there are, since one is fitted after the other.
        assert len(cell.scorings) == (1 if cell.protocol == "absolute-unified" else 3)
        assert found.peak_memory_mb == pytest.approx(FITTING + HELD, abs=SLACK)
        assert found.score_memory_mb == pytest.approx(HELD + SCORING, abs=SLACK)
        assert found.fit_s == pytest.approx(found.bank_s + found.scorer_fit_s)
        assert found.fit_cpu_s > 0
        assert found.score_s > found.score_ms / 1000 > 0
        assert found.judge_s > 0
        assert [one.at_once for one in found.measured] == [1]


def test_two_fresh_runs_differ_in_their_costs_alone(bench: Any) -> None:
    for out in ("one", "other"):
        bench.run(**FEW, extra=[HEAVY], out=out, cache=f"cache of {out}")
    for kind in ("cells", "scorings"):
        one, other = (results(bench.folder / out, kind) for out in ("one", "other"))
        assert one == other
        assert one


def test_results_that_are_reused_keep_the_costs_of_when_they_were_made(bench: Any) -> None:
    _, first = bench.run(**FEW, extra=[HEAVY])
    _, again = bench.run(**FEW, extra=[HEAVY])
    assert [cell.costs for cell in again] == [cell.costs for cell in first]
    more = {**FEW, "thresholders": [{"use": "youden"}]}
    _, judged = bench.run(**more, extra=[HEAVY])
    assert [made(cell) for cell in judged] == [made(cell) for cell in first]
    assert all(c.costs.judge_s != d.costs.judge_s for c, d in zip(first, judged, strict=True))


@pytest.mark.timeout(120)
def test_processes_tell_how_many_of_them_there_were_and_measure_as_one_does(bench: Any) -> None:
    few = {**FEW, "methods": [KNN], "protocols": ["absolute-unified"]}
    assert bench.cli("--jobs", "2", "-q", **few) == 0
    cells = [RunFolder(bench.out).cell(path.name) for path in (bench.out / "cells").iterdir()]
    assert len(cells) == 2
    for cell in cells:
        found = cell.costs
        assert [one.at_once for one in found.measured] == [2]
        assert {name for name, value in found if value is None} == set()
        assert 0 < found.peak_memory_mb < 400


def test_a_map_that_no_metric_reads_is_not_drawn_and_has_no_time(bench: Any) -> None:
    _, cells = bench.run(**{**FEW, "metrics": ["image_auroc"]}, extra=[HEAVY])
    assert {cell.costs.map_ms for cell in cells} == {None}


def made(cell: Any) -> dict[str, Any]:
    """What the cell's models cost, judging apart."""
    costs: Costs = cell.costs
    return costs.model_dump(exclude={"judge_s", "map_ms"})


def test_what_cells_share_in_judging_is_divided_among_them(bench: Any) -> None:
    run, cells = bench.run(**{**FEW, "thresholders": [{"use": "f1"}, {"use": "youden"}]},
                           extra=[HEAVY])  # fmt: skip
    told = sum(cell.costs.judge_s for cell in cells)
    assert 0.2 * run.stages_s["judge"] < told <= run.stages_s["judge"]
