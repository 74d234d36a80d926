"""The `split:` section of a suite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class CalibrationShares(BaseModel):
    """Shares held out to fit normalizers and thresholds: of training images, of test anomalies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    normal: Share = 0.2
    anomalous: Share = 0.3


class SplitSettings(BaseModel):
    """Who trains, calibrates and is tested; `docs/splits.md` tells each policy.

    `holdout`: the harness draws shares. `official`: the set's owners say. `study`: the rule of the
    study this project grew from. `k-fold`: one of `folds` parts of the normals calibrates. `file`:
    as `path` says, a file, or a folder with a `<data set>.json` for each, from the current folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Literal["holdout", "official", "study", "k-fold", "file"] = "holdout"
    calibration: CalibrationShares = CalibrationShares()
    seed: Seed = 42
    folds: Annotated[int, Field(ge=2, le=1000)] = 5
    fold: Annotated[int, Field(ge=0)] = 0
    path: Path | None = None

    def told(self) -> dict[str, Any]:
        """Give the policy and the keys that it reads, as JSON values."""
        every = self.model_dump(mode="json")
        return {
            name: {key: every[name][key] for key in keys} if keys else every[name]
            for name, keys in {"policy": (), **READ[self.policy]}.items()
        }

    def share(self, kind: Literal["normal", "anomalous"]) -> float | None:
        """Share of images of a kind held out for calibration; None where the policy reads none."""
        read = READ[self.policy].get("calibration", ())
        return getattr(self.calibration, kind) if kind in read else None


READ: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "holdout": {"calibration": ("normal", "anomalous"), "seed": ()},
        "official": {},
        "study": {"seed": ()},
        "k-fold": {"folds": (), "fold": (), "calibration": ("anomalous",), "seed": ()},
        "file": {"path": ()},
    }
)
"""What each policy reads besides its name, and of `calibration` which shares."""
