"""The extractor `timm`. Importing this module imports neither torch nor timm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, field_validator, model_validator

from adharness import SETTING, Extractor, ExtractorSpec, Params, hookimpl
from adharness_timm import backends, presets

__version__ = "0.1.0"
__all__ = ["TIMM", "TimmParams", "adharness_extractors"]


_LATER = (
    ("final_norm", True),
    ("pooling", "auto"),
    ("pad", False),
    ("tile", None),
    ("backend", "torch"),
)
"""Parameters added since, and what they do by default: the features that were kept before them."""


def _square(value: Any) -> Any:
    """One number stands for a square, so that 256 and [256, 256] are one cell."""
    return (value, value) if isinstance(value, int) else value


class TimmTile(Params):
    """How large images are seen: in overlapping tiles, their features laid into one grid."""

    size: Annotated[tuple[PositiveInt, PositiveInt], BeforeValidator(_square)] = Field(
        description="of a tile in pixels of the resized image: one number, or [height, width]"
    )
    overlap: int = Field(
        0, ge=0, description="pixels that neighbouring tiles share at least; less than a side"
    )
    blend: Literal["linear", "nearest"] = Field(
        "linear",
        description="where tiles overlap a patch is the mean of theirs, by the distance to the "
        "tile's border, or that of the tile whose border is farthest",
    )

    @model_validator(mode="after")
    def _overlap_inside(self) -> Self:
        if self.overlap >= min(self.size):
            raise ValueError(f"overlap {self.overlap} is no less than a tile of {list(self.size)}")
        return self


class TimmParams(Params):
    """Parameters of `timm`. The defaults run without a download."""

    preset: str | None = Field(
        None,
        description="settings of a published method, for all that is not written: "
        + presets.listed(),
        json_schema_extra=SETTING,  # its values count, its name does not
    )
    model: str = Field("tf_efficientnet_lite0", description="any timm model name")
    weights: str = Field(
        "bundled",
        min_length=1,
        description="bundled (EfficientNet-Lite 0, 1, 2), timm (downloads), random, or the path of "
        "a state dict in timm's naming (.safetensors, .pth, .pt)",
    )
    layers: tuple[int, ...] = Field(
        (2, 4),
        min_length=1,
        description="feature stages of a convolutional net, blocks of a transformer; ascending, "
        "from 0, or from -1 for the last",
    )
    final_norm: bool = Field(
        True,
        description="apply a transformer's final normalization to every chosen block, as DINOv2's "
        "own code does; no effect on models whose stages differ in width",
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
    pad: bool = Field(
        False,
        description="keep the shape of images: resized until they touch two sides, and their edges "
        "repeated up to the others; else they are squashed",
    )
    tile: TimmTile | None = Field(
        None,
        description="see the image in overlapping tiles: {size, overlap, blend}; none: at once",
    )
    interpolation: Literal["bilinear", "bicubic"] = Field(
        "bilinear", description="how images are scaled; both are antialiased on the way down"
    )
    embedding: bool = Field(True, description="also give one vector an image")
    pooling: Literal["auto", "token", "mean", "gem"] = Field(
        "auto",
        description="what that vector is, of the deepest chosen layer: the class token, the mean, "
        "or the generalized mean (power 3) of its patches; auto: the token, or else the mean",
    )
    seed: int = Field(0, ge=0, description="of the random weights; no effect on others")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="of the network's products; bfloat16 is faster where the device has it, moves "
        "features (by 0.3 % of the largest in a large network, 7 % in lite0), and differs between "
        "devices; features stay float32",
    )
    backend: str = Field(
        "torch",
        min_length=1,
        description="what runs the network: torch, torch-compile, onnxruntime, openvino, or one of "
        "another distribution; auto: the fastest here of those that agree with float32 torch, "
        "torch-compile left out. What ran is part of a result's identity",
    )
    choices: Path | None = Field(
        None,
        description="folder where auto remembers what it chose; by default "
        "~/.cache/adharness/backends",
        json_schema_extra=SETTING,
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="where the network runs; auto: on the GPU where there is one",
        json_schema_extra=SETTING,
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        return presets.filled(values)

    @field_validator("preset")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        return presets.require_known(name)

    @field_validator("backend")
    @classmethod
    def _offered(cls, name: str) -> str:
        return backends.require_known(name)

    @field_validator("layers")
    @classmethod
    def _ascending(cls, layers: tuple[int, ...]) -> tuple[int, ...]:
        if list(layers) != sorted(set(layers)):
            raise ValueError(f"layers must ascend without repeats, got {list(layers)}")
        if layers[0] < 0 <= layers[-1]:
            raise ValueError(f"layers count from the start or from the end, got {list(layers)}")
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

    @model_validator(mode="after")
    def _tile_inside(self) -> Self:
        seen = self.crop or self.resize
        if self.tile and (self.tile.size[0] > seen[0] or self.tile.size[1] > seen[1]):
            whole = "crop" if self.crop else "resize"
            raise ValueError(
                f"a tile of {list(self.tile.size)} is larger than {whole} {list(seen)}"
            )
        return self

    def identity(self) -> dict[str, Any]:
        """JSON values of every field but the settings, without `_LATER` where it is as it was."""
        known = super().identity().items()
        return {name: value for name, value in known if (name, value) not in _LATER}

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) in pixels of what the model is given."""
        if self.tile is not None:
            return self.tile.size
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
