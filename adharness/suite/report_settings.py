"""`report:` of a suite: what the page shows beside the numbers of the run. It changes no cell."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class ReportSettings(BaseModel):
    """What stands beside the measured rows.

    `reference`: published numbers of the same data sets under the same protocols, greyed and never
    ranked: `primary` ones, read from their authors' own files; `all`; or `none`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    reference: Literal["primary", "all", "none"] = "primary"
