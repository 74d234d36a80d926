"""What a run's own `leaderboard.json` says, for its page and the site must say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adharness.errors import StoreError
from adharness.report.leaderboard import Standing
from adharness.report.seeds import finite
from adharness.store.files import read_json
from adharness.store.records import CellRecord

BOARD = "leaderboard.json"


@dataclass(frozen=True, slots=True)
class Told:
    """Ranks and origins as the page of a run has them."""

    folder: Path
    ranks: Mapping[tuple[str, ...], Mapping[str, Any]]
    origins: Mapping[str, str]
    """Cell -> whether and by whom it was submitted; empty but on a merged board."""

    def line_of(self, standing: Standing) -> Mapping[str, Any]:
        """Give its line of `ranks`; methods that cannot be told apart share a rank there.

        Raises
        ------
        StoreError
            If the page does not know the method or has another number: it is not of these records.
        """
        found = self.ranks.get((*standing.group, standing.method))
        if found is None or found.get("value") != finite(standing.headline.value):
            raise StoreError(
                f"{self.folder / BOARD} is not the board of these results: "
                f"{standing.method} under {standing.group.protocol} differs",
                hint=f"adharness report {self.folder}",
            )
        return found

    def origin_of(self, cells: Sequence[CellRecord]) -> str:
        """Say where the results of a merged board come from; empty on a board of one run."""
        found = (self.origins.get(cell.id, "") for cell in cells)
        return ", ".join(filter(None, dict.fromkeys(found)))


def read_board(folder: Path) -> Told:
    """Read the board that was written beside a run's page.

    Raises
    ------
    StoreError
        If there is none, or it is not what `adharness report` writes.
    """
    if not (folder / BOARD).is_file():
        raise StoreError(f"{folder} has no {BOARD}", hint=f"adharness report {folder}")
    document = read_json(folder / BOARD)
    try:
        ranks = {_key(one): dict(one) for one in document["ranks"]}
        origins = {row["cell"]: _origin(row["origin"]) for row in document["rows"]
                   if "origin" in row}  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{folder / BOARD} is not what adharness writes", hint=f"adharness report {folder}"
        ) from error
    return Told(folder, ranks, origins)


def _key(one: Mapping[str, Any]) -> tuple[str, ...]:
    group = ("dataset", "protocol", "normalizer", "thresholder")
    return (*(one[name] for name in group), one.get("apart", ""), one["method"])


def _origin(one: Mapping[str, Any]) -> str:
    return f"{one['status']} · {one['source']}"
