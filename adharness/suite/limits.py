"""`limits:` of a suite: what the process of a cell may use. They change no number."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class LimitSettings(BaseModel):
    """What fitting and scoring with one model, or judging one cell, may use.

    With any of them, each has a process of its own, so that what goes beyond fails alone.

    Parameters
    ----------
    time_s
        Wall time.
    memory_mb
        Memory that its process and what it starts hold, in MB (10^6 bytes), without mapped files.
    retries
        How often one whose process died is begun again. A limit that was met, and an error that
        was raised, would come again: they are not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_s: Annotated[float, Field(gt=0.0, le=1e7)] | None = None
    memory_mb: Annotated[float, Field(gt=0.0, le=1e9)] | None = None
    retries: Annotated[int, Field(ge=0, le=10)] = 0
