"""Your own images in any folders, told by patterns."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from adharness.contracts import DatasetSpec, Portion
from adharness.data.draws import Draw
from adharness.data.folder import FolderDataset, FolderParams
from adharness.data.layout import ImageRule, Label, TreeLayout
from adharness.data.patterns import Pattern
from adharness.data.source import FolderSource


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _checked(patterns: tuple[str, ...]) -> tuple[str, ...]:
    known = {"class", "defect", "group", "stem"}
    for text in patterns:
        unknown = sorted(set(Pattern(text).named) - known)
        if unknown:
            raise ValueError(f"pattern {text!r} names {unknown[0]!r}, known are {sorted(known)}")
    return patterns


def _paired(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for text in patterns:
        if "stem" not in Pattern(text).named:
            raise ValueError(f"pattern {text!r} of masks has no {{stem}} to pair it with an image")
    return patterns


Patterns = Annotated[tuple[str, ...], AfterValidator(_checked), BeforeValidator(_listed)]
MaskPatterns = Annotated[
    tuple[str, ...], AfterValidator(_paired), AfterValidator(_checked), BeforeValidator(_listed)
]


class GlobsParams(FolderParams):
    """Parameters of `globs`."""

    normal: Patterns = Field(
        min_length=1, description="patterns of normal images, such as '{class}/ok/*.png'"
    )
    normal_test: Patterns = Field(
        (), description="patterns of the normal images that test; where there are none, it is drawn"
    )
    validation: Patterns = Field((), description="patterns of the normal images that calibrate")
    anomalous: Patterns = Field((), description="patterns such as '{class}/ng/{defect}/*'")
    mask: MaskPatterns = Field((), description="patterns such as '{class}/masks/{stem}_mask.png'")
    train: float = Field(
        0.7, gt=0, lt=1, description="share of the normals that train, without `normal_test`"
    )
    seed: int = Field(0, description="draws them")
    class_name: str = Field(
        "images", min_length=1, description="the class where patterns have no {class}"
    )


def _layout(params: GlobsParams) -> TreeLayout:
    kinds: tuple[tuple[tuple[str, ...], Portion, Label], ...] = (
        (params.anomalous, "test", 1),
        (params.normal_test, "test", 0),
        (params.validation, "validation", 0),
        (params.normal, "train", 0),
    )
    return TreeLayout(
        images=tuple(ImageRule(text, portion, label) for texts, portion, label in kinds
                     for text in texts),
        masks=params.mask,
        one_class=params.class_name,
        draw=None if params.normal_test else Draw("globs", params.train, params.seed),
    )  # fmt: skip


def _make(params: GlobsParams) -> FolderDataset:
    source = FolderSource(
        "globs", params.terms, _layout(params), folder="where your patterns start"
    )
    return FolderDataset(params.root, source, params.classes)


GLOBS = DatasetSpec(
    name="globs",
    params=GlobsParams,
    make=_make,
    summary="Your own images in any folders, told by patterns for normal, anomalous and masks.",
)
"""The reader `globs`."""
