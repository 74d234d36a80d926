"""MVTec AD, from a folder on disk."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from adharness import SETTING, DatasetSpec, Licence, Params
from adharness.data import FolderDataset, FolderSource


class Counts(NamedTuple):
    """How many images a complete copy of a class has."""

    train: int
    good: int
    anomalous: int


URL = "https://www.mvtec.com/company/research/datasets/mvtec-ad"
COUNTS = {
    "bottle": Counts(209, 20, 63),
    "cable": Counts(224, 58, 92),
    "capsule": Counts(219, 23, 109),
    "carpet": Counts(280, 28, 89),
    "grid": Counts(264, 21, 57),
    "hazelnut": Counts(391, 40, 70),
    "leather": Counts(245, 32, 92),
    "metal_nut": Counts(220, 22, 93),
    "pill": Counts(267, 26, 141),
    "screw": Counts(320, 41, 119),
    "tile": Counts(230, 33, 84),
    "toothbrush": Counts(60, 12, 30),
    "transistor": Counts(213, 60, 40),
    "wood": Counts(247, 19, 60),
    "zipper": Counts(240, 32, 119),
}
SOURCE = FolderSource(
    name="mvtec-ad",
    licence=Licence("CC BY-NC-SA 4.0", show_pixels=False),
    folder="usually called mvtec_ad or mvtec_anomaly_detection, with bottle/, cable/, ... in it",
    origin=f"MVTec gives the data away for non-commercial use: {URL}",
    classes=tuple(COUNTS),
)


class MvtecAdParams(Params):
    """Parameters of `mvtec-ad`."""

    root: Path | None = Field(
        None, description="folder that holds the classes", json_schema_extra=SETTING
    )
    classes: tuple[str, ...] | None = Field(None, description="classes to read; all 15 by default")


def _make(params: MvtecAdParams) -> FolderDataset:
    return FolderDataset(params.root, SOURCE, params.classes)


MVTEC_AD = DatasetSpec(
    name="mvtec-ad",
    params=MvtecAdParams,
    make=_make,
    summary="MVTec AD: 15 objects and textures with pixel masks, from your own copy.",
    source="Bergmann et al., MVTec AD, CVPR 2019",
    citation="Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 2021",
    url=URL,
)
