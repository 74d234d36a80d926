"""Data sets: `elpv` (solar cells, from a package) and `mvtec-ad` (from your disk)."""

from __future__ import annotations

from collections.abc import Iterator

from adharness import DatasetSpec, hookimpl
from adharness_datasets.elpv import ELPV
from adharness_datasets.mvtec import MVTEC_AD

__all__ = ["ELPV", "MVTEC_AD", "adharness_datasets"]


@hookimpl
def adharness_datasets() -> Iterator[DatasetSpec]:
    """Yield the data sets of this distribution."""
    yield ELPV
    yield MVTEC_AD
