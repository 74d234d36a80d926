"""The `shift:` key of a data set: its test images corrupted, one data set of the board for each."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adharness.corruptions import SEVERITIES, Shift
from adharness.suite.split import Seed

Severity = Annotated[int, Field(ge=1, le=SEVERITIES)]


class CorruptionReference(BaseModel):
    """A corruption, as `noise`, or with a severity of its own: `{use: noise, severity: 5}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: Annotated[str, Field(min_length=1)]
    severity: Severity | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"use": value} if isinstance(value, str) else value


class ShiftSettings(BaseModel):
    """Which corruptions, how strong (1 mildest, 5 strongest), and what draws them.

    Training and calibration images stay as they are: the clean set's models, normalizers and
    thresholds judge the corrupted test images. `docs/data.md` lists the corruptions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    corruptions: Annotated[tuple[CorruptionReference, ...], Field(min_length=1)]
    severity: Severity = 3
    seed: Seed = 0

    def shifts(self) -> tuple[Shift, ...]:
        """One for each corruption, in the order given."""
        return tuple(
            Shift(each.use, each.severity or self.severity, self.seed) for each in self.corruptions
        )
