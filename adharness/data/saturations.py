"""Declared regions from a file each and the saturations of a class, as MVTec LOCO keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adharness.arrays import Bool
from adharness.contracts import DeclaredRegions
from adharness.data.images import read_image
from adharness.errors import DataError


@dataclass(frozen=True, slots=True)
class Saturation:
    """How much of a kind of defect counts as all of it: a share of its area, or pixels."""

    threshold: float
    relative: bool

    def pixels(self, area: int) -> int:
        """Give the number of pixels, from 1 to `area`; a share is rounded down."""
        wanted = int(self.threshold * area) if self.relative else int(self.threshold)
        return min(max(wanted, 1), area)


def declared_regions(masks: Sequence[Path], config: Path) -> DeclaredRegions:
    """Read one region a file; its one grey value that is not 0 names its defect in `config`.

    Raises
    ------
    DataError
        Where a file cannot be read, is empty, holds several grey values, or one that `config` does
        not name; or where `config` is not the list that it should be.

    References
    ----------
    Bergmann et al., Beyond Dents and Scratches, IJCV 2022, section 4.1; `defects_config.json` of
    MVTec LOCO AD.
    """
    saturations = read_saturations(config)
    regions, pixels = [], []
    for path in masks:
        region, value = _region(path)
        if value not in saturations:
            raise DataError(
                f"the grey value {value} of mask {path} is not in {config.name}",
                hint=f"it names {', '.join(map(str, sorted(saturations)))}",
                where=str(path),
            )
        regions.append(region)
        pixels.append(saturations[value].pixels(int(np.count_nonzero(region))))
    return DeclaredRegions(regions, pixels)


def read_saturations(config: Path) -> dict[int, Saturation]:
    """Read each defect's saturation by its grey value. Raises DataError naming the file."""
    try:
        return {
            int(one["pixel_value"]): Saturation(
                float(one["saturation_threshold"]), bool(one["relative_saturation"])
            )
            for one in json.loads(config.read_text(encoding="utf-8"))
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"cannot read the saturations in {config}: {type(error).__name__} {error}",
            hint="a list of {pixel_value, saturation_threshold, relative_saturation}",
            where=str(config),
        ) from error


def _region(path: Path) -> tuple[Bool, int]:
    grey = read_image(path)[:, :, 0]
    values = [int(value) for value in np.unique(grey) if value]
    if len(values) != 1:
        fact = f"holds the grey values {', '.join(map(str, values))}" if values else "is empty"
        raise DataError(
            f"mask {path} {fact}", hint="each file of this set marks one region", where=str(path)
        )
    return np.asarray(grey > 0), values[0]
