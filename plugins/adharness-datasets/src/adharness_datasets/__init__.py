"""Readers of public data sets: ELPV from its package, the others from your disk."""

from __future__ import annotations

from collections.abc import Iterator

from adharness import DatasetSpec, hookimpl
from adharness_datasets.dagm import DAGM
from adharness_datasets.elpv import ELPV
from adharness_datasets.kolektor import KOLEKTOR_SDD, KOLEKTOR_SDD2
from adharness_datasets.lines import AUTOVI, BTAD, MPDD
from adharness_datasets.mvtec import MVTEC_3D_AD, MVTEC_AD, MVTEC_AD_2, MVTEC_LOCO
from adharness_datasets.real_iad import REAL_IAD
from adharness_datasets.visa import VISA

SETS = (
    ELPV, MVTEC_AD, MVTEC_AD_2, MVTEC_LOCO, MVTEC_3D_AD, VISA, BTAD, MPDD, REAL_IAD, KOLEKTOR_SDD,
    KOLEKTOR_SDD2, DAGM, AUTOVI,
)  # fmt: skip

__all__ = ["SETS", "adharness_datasets"]


@hookimpl
def adharness_datasets() -> Iterator[DatasetSpec]:
    """Yield the data sets of this distribution."""
    yield from SETS
