"""From the records of a run to the leaderboard that people read: HTML, JSON and CSV."""

from __future__ import annotations

from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.write import ReportPaths, write_report

__all__ = ["Leaderboard", "ReportPaths", "leaderboard", "write_report"]
