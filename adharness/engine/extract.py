"""Extraction: decode, resize, extract, batch by batch and in order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from adharness.arrays import Float32, UInt8, require_finite, require_shape
from adharness.contracts import Extractor, FeatureGrid, ImageName, LookupExtractor, Tile
from adharness.engine.batches import Batches, batches_of
from adharness.engine.decoding import Batch, decoded
from adharness.engine.extraction_job import ExtractionJob, native_size
from adharness.engine.stored_values import require_bytes, require_float16
from adharness.engine.tiles import Canvas, cut
from adharness.errors import ContractError
from adharness.suite.feature_settings import StoredType


def extracted(job: ExtractionJob) -> Iterator[tuple[int, FeatureGrid, Batch]]:
    """Extract the images in order: the first one's position, features of a call, the batch.

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
    if job.extractor.preprocess.tile is not None:
        yield from _tiled(job, job.extractor, job.extractor.preprocess.tile)
        return
    batches = batches_of(job.extractor)
    for start, images, batch in decoded(job, batches.most):
        call = _call(job.extractor, images, batches)
        batch.network_s, batch.computed = call.seconds, call.computed
        _check(call.grid, job, start, call.computed, len(batch.sizes))
        yield start, rounded(call.grid, job.stored_as), batch


class _Call(NamedTuple):
    """What an extractor gave, the wall time it took, and of how many images."""

    grid: FeatureGrid
    seconds: float
    computed: int


def _call(extractor: Extractor, images: Sequence[UInt8], batches: Batches) -> _Call:
    """Call the extractor for these images, filled up with black ones."""
    computed = batches.filled(len(images))
    given = np.zeros((computed, *extractor.preprocess.input_size, 3), dtype=np.uint8)
    for place, image in zip(given, images, strict=False):
        place[:] = image
    begun = time.perf_counter()
    grid = extractor.extract(given)
    return _Call(grid, time.perf_counter() - begun, computed)


def _tiled(
    job: ExtractionJob, extractor: Extractor, tile: Tile
) -> Iterator[tuple[int, FeatureGrid, Batch]]:
    """Features of images seen tile by tile, image by image; a call may span several of them."""

    def tiles() -> Iterator[tuple[UInt8, Canvas, int, Batch]]:
        for start, images, batch in decoded(job, 1):
            canvas = Canvas(extractor.preprocess, tile)
            yield from ((one, canvas, start, batch) for one in cut(images[0], tile))

    left, batches = tiles(), batches_of(extractor)
    while some := list(islice(left, batches.most)):
        call = _call(extractor, [one for one, *_ in some], batches)
        grid = call.grid
        _check_shapes(grid, job, call.computed, extractor.preprocess.input_size)
        for i, (_, canvas, start, batch) in enumerate(some):
            canvas.add(grid.patches[i], None if grid.embeddings is None else grid.embeddings[i])
            if canvas.is_full:
                batch.network_s, batch.computed = canvas.count * call.seconds, call.computed
                whole = canvas.features()
                _check(whole, job, start, 1, 1)
                yield start, rounded(whole, job.stored_as), batch


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


def _check(grid: FeatureGrid, job: ExtractionJob, start: int, count: int, used: int) -> None:
    """Check features of `count` images, of which the first `used` are of the job."""
    name = job.identity["use"]
    _check_shapes(grid, job, count, job.extractor.preprocess.seen_size)
    parts = {"patches": grid.patches}
    if grid.embeddings is not None:
        parts["embeddings"] = grid.embeddings
    for i in range(used):
        path = job.samples[start + i].path
        for part, values in parts.items():
            require_finite(values[i], name=f"extractor '{name}': {part} of {path}")
            if job.stored_as == "float16":
                require_float16(values[i], f"extractor '{name}': {part} of {path}")
            if job.stored_as == "uint8":
                require_bytes(values[i], f"extractor '{name}': {part} of {path}")


def _check_shapes(grid: FeatureGrid, job: ExtractionJob, count: int, size: tuple[int, int]) -> None:
    name = job.identity["use"]
    require_shape(grid.patches, (count, None, None, None), name=f"patches of extractor '{name}'")
    if job.stored_as == "uint8":
        require_shape(grid.patches, (count, *size, 3), name=f"pixels of extractor '{name}'")
    if grid.embeddings is not None:
        require_shape(grid.embeddings, (count, None), name=f"embeddings of extractor '{name}'")


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
