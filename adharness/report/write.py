"""Write `leaderboard.html`, `.json` and `.csv` into a run's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adharness.report.drops import Drops, without_shifts
from adharness.report.export import to_csv, to_json
from adharness.report.gallery import galleries
from adharness.report.gap import unification_gaps
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.metric_names import compared, metric_name
from adharness.report.page import build_page, render_page
from adharness.report.paired import Resample, paired_intervals
from adharness.report.reading import read_run, read_scores
from adharness.store.files import write_text


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """The files of a report."""

    html: Path
    json: Path
    csv: Path


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
    board = leaderboard(*read_run(run_folder))
    paths = ReportPaths(
        html=run_folder / "leaderboard.html",
        json=run_folder / "leaderboard.json",
        csv=run_folder / "leaderboard.csv",
    )
    resample = _resample(run_folder, board)
    drops = Drops(board, resample)
    write_text(paths.json, to_json(board, drops))
    write_text(paths.csv, to_csv(board, drops))
    write_text(paths.html, _html(run_folder, without_shifts(board), resample, drops))
    return paths


def _html(run_folder: Path, board: Leaderboard, resample: Resample, drops: Drops) -> str:
    gaps = unification_gaps(board, resample)
    return render_page(build_page(board, gaps, galleries(run_folder, board), resample, drops))


def _resample(run_folder: Path, board: Leaderboard) -> Resample:
    statistics = board.run.statistics
    return paired_intervals(
        lambda cell: read_scores(run_folder, cell),
        [m for m in compared(board.run.metrics) if metric_name(m).level == "image"],
        draws=int(statistics.get("bootstrap") or 0),
        level=float(statistics.get("level", 0.95)),
        seed=int(statistics.get("seed", 0)),
    )
