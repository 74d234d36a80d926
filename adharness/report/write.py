"""Write `leaderboard.html`, `.json` and `.csv` into a run's folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from adharness.errors import StoreError
from adharness.report.export import to_csv, to_json
from adharness.report.gallery import galleries
from adharness.report.gap import paired_auroc, unification_gaps
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.page import build_page, render_page
from adharness.report.reading import read_run, read_scores


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
    _replace(paths.json, to_json(board))
    _replace(paths.csv, to_csv(board))
    _replace(paths.html, _html(run_folder, board))
    return paths


def _html(run_folder: Path, board: Leaderboard) -> str:
    statistics = board.run.statistics
    resample = paired_auroc(
        lambda cell: read_scores(run_folder, cell),
        draws=int(statistics.get("bootstrap") or 0),
        level=float(statistics.get("level", 0.95)),
        seed=int(statistics.get("seed", 0)),
    )
    gaps = unification_gaps(board, resample)
    return render_page(build_page(board, gaps, galleries(run_folder, board)))


def _replace(file: Path, text: str) -> None:
    beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8", newline="")
        beside.replace(file)
    except OSError as error:
        raise StoreError(
            f"could not write {file.name}: {error.strerror}",
            where=str(file),
            hint="check the folder's permissions and the free space",
        ) from error
    finally:
        beside.unlink(missing_ok=True)
