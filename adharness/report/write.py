"""Write a run's board into its folder: one page, its numbers as JSON and CSV, gaps, crossings."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adharness.report.across import across_classes
from adharness.report.charts import charts_of, cost_charts
from adharness.report.costs import told_circumstances
from adharness.report.cross_class import cross_rates
from adharness.report.cross_class_view import cross_csv
from adharness.report.drawings import Charts
from adharness.report.drops import Drops, without_shifts
from adharness.report.export import json_chunks, to_csv
from adharness.report.gallery import galleries
from adharness.report.gap import gap_csv, unification_gaps
from adharness.report.kept_scores import KeptScores
from adharness.report.leaderboard import HEADLINE_METRIC, Leaderboard, leaderboard
from adharness.report.leading import leading, of_detail
from adharness.report.metric_names import MetricName, metric_name
from adharness.report.page import build_page, render_page
from adharness.report.paired import Resampler, Resampling
from adharness.report.rank_diagram import rank_diagram
from adharness.report.reading import read_replicates, read_run, read_scores
from adharness.report.seeds_apart import seeds_apart
from adharness.report.significance import class_ranks, without_thresholds
from adharness.report.significance_view import significance_tables, told_ties
from adharness.report.ties import Ranking, find_rankings, with_ties
from adharness.report.view import Page, by_label
from adharness.store.files import write_chunks, write_text


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """The files of a report."""

    html: Path
    json: Path
    csv: Path
    gap_csv: Path
    cross_csv: Path


def write_report(run_folder: Path) -> ReportPaths:
    """Read a run's records and write its leaderboard beside them.

    Parameters
    ----------
    run_folder
        What `adharness run` wrote: `run.json`, `cells/` and `gallery/`. A run that is not finished
        gives a board of the cells that are there.

    Returns
    -------
    ReportPaths
        Files that were replaced whole: a reader never sees half of one.

    Raises
    ------
    StoreError
        If `run.json` is missing, a record cannot be read, or a file cannot be written.
    """
    with uncollected():
        return _written(run_folder)


@contextmanager
def uncollected() -> Iterator[None]:
    """Let the garbage collector rest: of 10,000 cells it took a sixth of the time.

    Records hold no cycles, so memory is given back as ever.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _written(run_folder: Path) -> ReportPaths:
    board = leaderboard(*read_run(run_folder))
    read = KeptScores(lambda cell: read_scores(run_folder, cell))
    headlines = Resampler(read, [HEADLINE_METRIC], Resampling.of(board.run))
    rankings = find_rankings(board, headlines, read)
    board = seeds_apart(with_ties(board, rankings), headlines)
    resample = _resampler(run_folder, board, read).intervals
    drops = Drops(board, resample)
    shown = without_shifts(board)
    gaps = unification_gaps(shown, resample)
    rates = cross_rates(shown, read)
    detailed = leading(shown)
    detail = detailed.board
    across = across_classes(run_folder, detail, of_detail(rates, detailed), read)
    page = build_page(shown, gaps, galleries(run_folder, detail), resample, across, drops)
    page = replace(page, charts=_charts(run_folder, shown, detail, read))
    page = _with_significance(page, shown, rankings)
    paths = ReportPaths(
        html=run_folder / "leaderboard.html",
        json=run_folder / "leaderboard.json",
        csv=run_folder / "leaderboard.csv",
        gap_csv=run_folder / "unification_gap.csv",
        cross_csv=run_folder / "cross_class.csv",
    )
    write_chunks(paths.json, json_chunks(board, drops, rankings))
    write_text(paths.csv, to_csv(board, drops))
    write_text(paths.gap_csv, gap_csv(gaps))
    write_text(paths.cross_csv, cross_csv(rates))
    write_text(paths.html, render_page(page))
    return paths


def _with_significance(page: Page, board: Leaderboard, rankings: Sequence[Ranking]) -> Page:
    """Add what is said of ties, where methods were compared."""
    ranks = without_thresholds(class_ranks(board))
    return replace(
        page,
        findings=(*told_ties(board, rankings), *page.findings),
        significance=by_label(significance_tables(board, rankings, ranks)),
        rank_diagrams=tuple(rank_diagram(one) for one in ranks),
    )


def _charts(run_folder: Path, shown: Leaderboard, detail: Leaderboard, read: KeptScores) -> Charts:
    """Draw the scores of what is shown in detail, and the costs of all."""
    drawn = charts_of(run_folder, detail, read)
    return replace(drawn, costs=cost_charts(shown), measured=told_circumstances(shown))


def _resampler(run_folder: Path, board: Leaderboard, read: KeptScores) -> Resampler:
    return Resampler(
        read,
        [m for m in board.run.metrics if _drawn_here(metric_name(m))],
        Resampling.of(board.run),
        lambda cell: read_replicates(run_folder, cell),
    )


def _drawn_here(name: MetricName) -> bool:
    """Whether a metric is made again from image scores."""
    return name.level == "image" and name.dialect is None
