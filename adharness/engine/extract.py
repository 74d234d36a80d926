"""Extraction: decode, resize, extract, batch by batch and in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from adharness.arrays import Int64, UInt8, require_finite, require_shape
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
from adharness.threads import in_order

BATCH = 16
"""Images a call of `extract`. Always this many: the last batch is filled up, so that the features
of an image do not depend on how many images come after it."""


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

    def key(self) -> str:
        """Name of the shard: a digest of all that can change a feature."""
        return shard_key(self.identity, [h.image for h in self.hashes], self.degrees)


def shard_key(identity: dict[str, Any], images: Sequence[str], degrees: float = 0.0) -> str:
    """Name the shard of images, by their hashes, under an extractor of this identity."""
    turned = {"degrees": degrees} if degrees else {}
    return digest({"extractor": identity, "images": list(images)} | turned, length=32)


@dataclass
class Batch:
    """Native sizes of the images of one call, and those that could not be read."""

    sizes: list[tuple[int, int]] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)


def extracted(job: ExtractionJob) -> Iterator[tuple[int, FeatureGrid, Batch]]:
    """Extract the images in order: the first one's position, features of a full batch, the batch.

    Features beyond `len(batch.sizes)` belong to no image. Features that are looked up by the names
    of the images need no pixel: nothing is decoded, and `on_error` means nothing.

    Raises
    ------
    DataError, ContractError
        As `ensure_shard`.
    """
    if isinstance(job.extractor, LookupExtractor):
        yield from _looked_up(job, job.extractor)
        return
    for start, images, batch in _decoded(job):
        grid = job.extractor.extract(images)
        _check(grid, job, start, BATCH, len(batch.sizes))
        yield start, grid, batch


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
        yield start, grid, Batch([_native_size(job.dataset, sample)])


def _native_size(dataset: Dataset, sample: Sample) -> tuple[int, int]:
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
    batch = Batch()
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
    return images, batch


def _with_hint(error: DataError) -> DataError:
    advice = "mend or remove the file, or set `on_error: skip` in the suite to go on without it"
    hint = f"{error.hint}; {advice}" if error.hint else advice
    return DataError(error.message, hint=hint, where=error.where)


def _check(grid: FeatureGrid, job: ExtractionJob, start: int, count: int, used: int) -> None:
    """Check features of `count` images, of which the first `used` are of the job."""
    name = job.identity["use"]
    require_shape(grid.patches, (count, None, None, None), name=f"patches of extractor '{name}'")
    parts = {"patches": grid.patches}
    if grid.embeddings is not None:
        require_shape(grid.embeddings, (count, None), name=f"embeddings of extractor '{name}'")
        parts["embeddings"] = grid.embeddings
    for i in range(used):
        path = job.samples[start + i].path
        for part, values in parts.items():
            require_finite(values[i], name=f"extractor '{name}': {part} of {path}")
