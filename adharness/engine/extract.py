"""Extraction: decode, resize, extract, batch by batch and in order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from adharness.arrays import Float32, Int64, UInt8, require_finite, require_shape
from adharness.contracts import (
    ContentHash,
    Dataset,
    Extractor,
    FeatureGrid,
    Headed,
    ImageName,
    LookupExtractor,
    Sample,
)
from adharness.data.images import resize_image, turn_image
from adharness.errors import ContractError, DataError
from adharness.store.identity import digest
from adharness.suite.feature_settings import StoredType
from adharness.threads import in_order

BATCH = 16
"""Images a call of `extract`. Always this many: the last batch is filled up, so that the features
of an image do not depend on how many images come after it."""
FLOAT16_MAX = 65504.0


@dataclass(frozen=True)
class ExtractionJob:
    """Images, such as those of one class, and what turns them into features."""

    dataset: Dataset
    samples: Sequence[Sample]
    hashes: Sequence[ContentHash]
    extractor: Extractor | LookupExtractor
    identity: dict[str, Any]
    """The extractor as declared, its fingerprint and its versions."""
    on_error: Literal["fail", "skip"]
    degrees: float = 0.0
    """How far each image is turned first, counter-clockwise."""

    def narrowed(self, images: Int64) -> ExtractionJob:
        """Keep the images at these positions, in this order."""
        return replace(
            self,
            samples=[self.samples[i] for i in images],
            hashes=[self.hashes[i] for i in images],
        )

    @property
    def stored_as(self) -> StoredType:
        """What features are kept as: a part of the identity, and float32 where it says none."""
        known: StoredType = self.identity.get("stored_as", "float32")
        return known

    def key(self) -> str:
        """Name of the shard: a digest of all that can change a feature."""
        return shard_key(self.identity, [h.image for h in self.hashes], self.degrees)


def shard_key(identity: dict[str, Any], images: Sequence[str], degrees: float = 0.0) -> str:
    """Name the shard of images, by their hashes, under an extractor of this identity."""
    turned = {"degrees": degrees} if degrees else {}
    return digest({"extractor": identity, "images": list(images)} | turned, length=32)


@dataclass
class Batch:
    """Native sizes of the images of one call, those that could not be read, and the time taken."""

    sizes: list[tuple[int, int]] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)
    decode_s: float | None = None
    """Wall time to decode and resize; None where nothing was."""
    network_s: float | None = None
    """Wall time of the extractor, for `BATCH` images."""


def extracted(job: ExtractionJob) -> Iterator[tuple[int, FeatureGrid, Batch]]:
    """Extract the images in order: the first one's position, features of a full batch, the batch.

    Features are float32, and rounded to what they are stored as. Those beyond `len(batch.sizes)`
    belong to no image. Features that are looked up by the names of the images need no pixel:
    nothing is decoded, and `on_error` means nothing.

    Raises
    ------
    DataError, ContractError
        As `ensure_shard`.
    """
    if isinstance(job.extractor, LookupExtractor):
        yield from _looked_up(job, job.extractor)
        return
    for start, images, batch in _decoded(job):
        begun = time.perf_counter()
        grid = job.extractor.extract(images)
        batch.network_s = time.perf_counter() - begun
        _check(grid, job, start, BATCH, len(batch.sizes))
        yield start, rounded(grid, job.stored_as), batch


def _looked_up(
    job: ExtractionJob, extractor: LookupExtractor
) -> Iterator[tuple[int, FeatureGrid, Batch]]:
    """Features made elsewhere, image by image; a row that is missing fails the class."""
    if job.degrees:
        raise ContractError(
            f"extractor '{job.identity['use']}' has no pixels to turn",
            hint="leave `rotations` of the bank at 1",
        )
    for start, sample in enumerate(job.samples):
        grid = extractor.look_up(ImageName(sample.path, sample.class_name))
        _check(grid, job, start, 1, 1)
        yield start, rounded(grid, job.stored_as), Batch([native_size(job.dataset, sample)])


def native_size(dataset: Dataset, sample: Sample) -> tuple[int, int]:
    """(height, width) from the header where the data set can tell it."""
    if isinstance(dataset, Headed):
        return dataset.image_size(sample)
    shape = dataset.image(sample).shape
    return shape[0], shape[1]


def _decoded(job: ExtractionJob) -> Iterator[tuple[int, UInt8, Batch]]:
    """Batches in order, the next one decoded while the caller works on this one."""
    starts = range(0, len(job.samples), BATCH)
    made = in_order(partial(_decode, job), starts, workers=1, ahead=2)
    for start, (images, batch) in zip(starts, made, strict=True):
        yield start, images, batch


def _decode(job: ExtractionJob, start: int) -> tuple[UInt8, Batch]:
    preprocess = job.extractor.preprocess
    images = np.zeros((BATCH, *preprocess.input_size, 3), dtype=np.uint8)
    batch, begun = Batch(), time.perf_counter()
    for i, sample in enumerate(job.samples[start : start + BATCH]):
        try:
            native = job.dataset.image(sample)
        except DataError as error:
            if job.on_error == "fail":
                raise _with_hint(error) from error
            batch.skipped[i] = error.message
            batch.sizes.append((1, 1))
            continue
        images[i] = resize_image(turn_image(native, job.degrees), preprocess)
        batch.sizes.append((native.shape[0], native.shape[1]))
    batch.decode_s = time.perf_counter() - begun
    return images, batch


def _with_hint(error: DataError) -> DataError:
    advice = "mend or remove the file, or set `on_error: skip` in the suite to go on without it"
    hint = f"{error.hint}; {advice}" if error.hint else advice
    return DataError(error.message, hint=hint, where=error.where)


def _check(grid: FeatureGrid, job: ExtractionJob, start: int, count: int, used: int) -> None:
    """Check features of `count` images, of which the first `used` are of the job."""
    name = job.identity["use"]
    require_shape(grid.patches, (count, None, None, None), name=f"patches of extractor '{name}'")
    if job.stored_as == "uint8":
        size = job.extractor.preprocess.input_size
        require_shape(grid.patches, (count, *size, 3), name=f"pixels of extractor '{name}'")
    parts = {"patches": grid.patches}
    if grid.embeddings is not None:
        require_shape(grid.embeddings, (count, None), name=f"embeddings of extractor '{name}'")
        parts["embeddings"] = grid.embeddings
    for i in range(used):
        path = job.samples[start + i].path
        for part, values in parts.items():
            require_finite(values[i], name=f"extractor '{name}': {part} of {path}")
            if job.stored_as == "float16":
                _require_float16(values[i], f"extractor '{name}': {part} of {path}")
            if job.stored_as == "uint8":
                _require_bytes(values[i], f"extractor '{name}': {part} of {path}")


def _require_float16(values: Float32, name: str) -> None:
    largest = float(np.abs(values).max(initial=0.0))
    if largest > FLOAT16_MAX:
        raise DataError(
            f"{name} reach {largest:g}, and float16 holds {FLOAT16_MAX:g} at most",
            hint="remove `features: {dtype: float16}` from the suite",
        )


def _require_bytes(values: Float32, name: str) -> None:
    """Refuse what is no pixel: kept as a byte it would become another number."""
    wrong = values[(values < 0) | (values > 255) | (values != np.rint(values))]
    if len(wrong):
        raise ContractError(
            f"{name} hold {wrong[0]:g}, and pixels are whole numbers from 0 to 255",
            hint="an extractor whose record says `gives` pixels gives its input as it is",
        )


def rounded(grid: FeatureGrid, stored_as: StoredType) -> FeatureGrid:
    """Round features, float32, to the nearest values that the cache can hold, ties to even.

    Notes
    -----
    float16: relative error at most 2^-11 from 2^-14 (6.1e-5) up; below, an absolute error of at
    most 2^-25 (3e-8), and 0 for what is no larger than that. Features beyond an image that is
    there may become infinite: nobody reads them. Pixels, kept as uint8, are whole numbers already.
    """
    if stored_as != "float16":
        return grid
    with np.errstate(over="ignore"):
        embeddings = None if grid.embeddings is None else _half(grid.embeddings)
        return FeatureGrid(_half(grid.patches), embeddings)


def _half(values: Float32) -> Float32:
    return values.astype(np.float16).astype(np.float32)
