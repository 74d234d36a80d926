"""Shared ranks: which methods of a ranking cannot be told apart."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness.report import write_report
from adharness.report.leaderboard import Group, Leaderboard, Standing, leaderboard
from adharness.report.page import build_page
from adharness.report.paired import Resampler, Resampling
from adharness.report.reading import ImageScores, read_run, read_scores
from adharness.report.seeds import Score
from adharness.report.seeds_apart import seeds_apart
from adharness.report.significance_view import significance_tables, told_ties
from adharness.report.ties import Lead, Ranking, find_rankings, with_ties
from adharness.statistics import over_alike

HEADLINE = "image_auroc"


def compared(folder: Path, draws: int = 400, **changes: Any) -> tuple[Leaderboard, list[Ranking]]:
    board = leaderboard(*read_run(folder))
    read = lambda cell: read_scores(folder, cell)  # noqa: E731
    how = Resampling(draws, 0.95, 0, **changes)
    return board, find_rankings(board, Resampler(read, [HEADLINE], how), read)


@pytest.fixture(scope="module")
def found(run_folder: Path) -> tuple[Leaderboard, list[Ranking]]:
    return compared(run_folder)


def test_the_rank_is_one_more_than_the_methods_that_are_significantly_better(found):
    board, rankings = found
    shared = with_ties(board, rankings)
    assert [s.method for s in shared.standings] == [s.method for s in board.standings]
    for before, after in zip(board.standings, shared.standings, strict=True):
        assert after.order == before.rank
        if before.rank is None:
            assert after.rank is None
            continue
        leads = next(r.leads for r in rankings if r.group == after.group)
        beaten = [one for one in leads if one.worse == after.method and one.adjusted < 0.05]
        assert after.rank == 1 + len(beaten) <= before.rank
        others = {m for one in leads for m in (one.better, one.worse)} - {after.method}
        assert set(after.tied) <= others
    assert any(s.tied for s in shared.standings)
    assert any(s.rank not in (None, 1) for s in shared.standings)


def test_the_better_of_a_pair_is_ahead_and_its_interval_holds_the_lead(found):
    board, rankings = found
    values = {(s.group, s.method): s.headline.value for s in board.standings}
    for ranking in rankings:
        for one in ranking.leads:
            ahead = values[ranking.group, one.better] - values[ranking.group, one.worse]
            assert one.difference == pytest.approx(ahead, abs=1e-12)
            assert ahead >= 0
            assert one.low <= one.difference <= one.high
            assert one.p <= one.adjusted <= 1


def test_delong_agrees_with_the_bootstrap_on_every_pair(found):
    _, rankings = found
    leads = [one for ranking in rankings for one in ranking.leads]
    assert leads
    for one in leads:
        assert one.delong is not None
        assert one.delong == pytest.approx(one.p, abs=0.12)
    assert not any("DeLong" in said for said in told_ties(found[0], rankings))


def test_without_draws_ranks_go_by_the_number(run_folder):
    board, rankings = compared(run_folder, draws=0)
    assert all(not ranking.leads and ranking.detectable is None for ranking in rankings)
    plain = with_ties(board, rankings)
    assert [s.rank for s in plain.standings] == [s.rank for s in board.standings]
    assert told_ties(plain, rankings) == []
    assert significance_tables(plain, rankings, []) == []


def test_too_few_draws_for_so_many_pairs_fall_back_to_the_normal_and_say_so(run_folder):
    board, rankings = compared(run_folder, draws=100)
    assert {r.test for r in rankings if len(r.leads) >= 3} == {"normal approximation"}
    assert any(one.p < 2 / 101 for r in rankings for one in r.leads)
    tables = significance_tables(with_ties(board, rankings), rankings, [])
    assert any("normal approximation" in line.why for table in tables for line in table.lines)


def scored(*gains: float, seeds: int = 1, groups: bool = False) -> tuple[Any, Any]:
    """A board of methods m0, m1... whose images share noise; half of the 80 are anomalous."""
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    objects = np.repeat(np.arange(20), 4)
    labels = objects % 2 if groups else labels
    shared = rng.normal(size=20)[objects] if groups else rng.normal(size=80)
    answers: dict[str, ImageScores] = {}
    standings = []
    group = Group("set", "per-class", "raw", "f1")
    for place, gain in enumerate(gains):
        cells = []
        for seed in range(seeds):
            scores = shared + 0.3 * rng.normal(size=80) + gain * labels
            name = f"m{place}/{seed}"
            answers[name] = ImageScores(
                np.array([f"{i:02d}" for i in range(80)]),
                np.full(80, "a"),
                labels,
                scores,
                np.zeros(80),
                np.array([f"o{o}" if groups else "" for o in objects]),
            )
            cells.append(_Cell(name, seed))
        standings.append((f"m{place}", tuple(cells)))
    resampler = Resampler(lambda cell: answers[cell.id], [HEADLINE], Resampling(999, 0.95, 0))
    made = []
    for method, cells in standings:
        value = over_alike([resampler.of(c, (HEADLINE, "macro")) for c in cells]).estimate
        made.append((method, cells, value))
    made.sort(key=lambda one: -one[2])
    ranked = tuple(
        Standing(group, method, cells, Score(value), rank=place)
        for place, (method, cells, value) in enumerate(made, 1)
    )
    board: Any = Leaderboard(run=None, rows=(), standings=ranked, missing=())  # type: ignore[arg-type]
    return board, (resampler, lambda cell: answers[cell.id])


class _Cell:
    def __init__(self, identity: str, seed: int) -> None:
        self.id, self.seed, self.protocol = identity, seed, "per-class"


def test_equal_methods_share_a_rank_and_a_far_worse_one_does_not():
    board, tools = scored(2.0, 2.0, 2.0, 0.0)
    (ranking,) = find_rankings(board, *tools)
    shared = with_ties(board, [ranking])
    assert [s.rank for s in shared.standings] == [1, 1, 1, 4]
    assert [s.order for s in shared.standings] == [1, 2, 3, 4]
    assert len(shared.standings[0].tied) == 2
    assert shared.standings[-1].tied == ()


def test_shared_noise_makes_pairs_surer_than_single_intervals():
    """Pairs drawn apart would have the spread of two methods that share nothing."""
    board, tools = scored(2.0, 1.0)
    (ranking,) = find_rankings(board, *tools)
    resampler = tools[0]
    single = [resampler.of(s.cells[0], (HEADLINE, "macro")) for s in board.standings]
    apart = np.sqrt(sum(np.var(one.replicates) for one in single))
    assert ranking.leads[0].deviation < 0.75 * apart
    assert ranking.detectable == pytest.approx(2.80 * ranking.leads[0].deviation, abs=1e-3)


def test_seeds_are_paired_and_averaged():
    board, tools = scored(2.0, 1.5, seeds=3)
    (ranking,) = find_rankings(board, *tools)
    (lead,) = ranking.leads
    first, second = board.standings
    assert lead.difference == pytest.approx(first.headline.value - second.headline.value)
    assert lead.delong is None


def test_the_image_interval_of_a_mean_over_seeds_stands_beside_their_spread():
    board, tools = scored(1.5, seeds=3)
    (one,) = seeds_apart(board, tools[0]).standings
    assert one.headline.low < one.headline.value < one.headline.high
    single = tools[0].of(one.cells[0], (HEADLINE, "macro")).interval()
    assert one.headline.high - one.headline.low > 0.7 * (single[1] - single[0])


def test_views_of_one_object_are_drawn_together_and_delong_keeps_out():
    board, tools = scored(2.0, 1.5, groups=True)
    alone = scored(2.0, 1.5)[1][0]
    key = (HEADLINE, "macro")
    cell = board.standings[0].cells[0]
    grouped, apart = (np.std(r.of(cell, key).replicates) for r in (tools[0], alone))
    assert grouped > 1.3 * apart
    (ranking,) = find_rankings(board, *tools)
    assert ranking.leads[0].delong is None


def test_a_clear_disagreement_with_delong_is_told(found):
    board, rankings = found
    group = rankings[0].group
    lead = Lead("a", "b", 0.1, 0.02, 0.2, 0.001, 0.002, 0.03, delong=0.5)
    said = told_ties(board, [Ranking(group, (lead,), 0.95)])
    assert any(one.startswith("DeLong's test and the bootstrap disagree on 1 pair") for one in said)
    alike = replace(lead, delong=0.04, p=0.06)
    assert not any("DeLong" in s for s in told_ties(board, [Ranking(group, (alike,), 0.95)]))


def test_the_page_the_json_and_the_csv_say_who_shares_a_rank(run_folder):
    paths = write_report(run_folder)
    document = json.loads(paths.json.read_text("utf-8"))
    assert any(one["rank"] != one["order"] for one in document["ranks"])
    for one in document["ranks"]:
        assert (one["rank"] is None) == (one["order"] is None)
    keys = ("better", "worse", "difference", "low", "high", "p", "p_adjusted", "p_delong")
    assert all(set(keys) < set(pair) for pair in document["pairs"])
    lines = list(csv.DictReader(paths.csv.read_text("utf-8").splitlines()))
    ranks = {(one["method"], one["rank"], one["order"]) for one in lines if one["rank"]}
    assert ranks == {
        (one["method"], str(one["rank"]), str(one["order"]))
        for one in document["ranks"]
        if one["rank"] is not None
    }
    assert {one["class"] for one in lines if one["rank"]} == {"macro", "pooled"}
    text = paths.html.read_text("utf-8")
    assert "cannot be told from the best" in text
    assert 'id="significance-title"' in text


def test_a_page_without_comparisons_has_no_such_section(found):
    assert build_page(found[0], []).significance == ()
