"""Images decoded and resized ahead of the extractor, in threads and in order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np

from adharness.arrays import UInt8
from adharness.contracts import Sample
from adharness.data.images import resize_image, turn_image
from adharness.engine.extraction_job import ExtractionJob
from adharness.errors import DataError
from adharness.threads import allowed, in_order


@dataclass
class Batch:
    """Native sizes of the images of one call, those that could not be read, and the time taken."""

    sizes: list[tuple[int, int]] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)
    decode_s: float | None = None
    """Time of a thread to decode and resize; None where nothing was."""
    network_s: float | None = None
    """Wall time of the extractor, for `computed` images."""
    computed: int = 1


class _Seen(NamedTuple):
    """An image as the extractor is to see it, or why it cannot be read; its size; the time."""

    pixels: UInt8 | None
    size: tuple[int, int]
    why: str
    seconds: float


def decoded(job: ExtractionJob, count: int) -> Iterator[tuple[int, list[UInt8], Batch]]:
    """Give `count` images at a time, in order, those of the next two calls decoded meanwhile.

    The first one's position, the images (`preprocess.seen_size`; black where one cannot be read
    and `on_error` is `skip`), and their batch.

    Notes
    -----
    Half of the threads that a step may use decode: the network wants the others. At most
    2 x `count` resized images wait, and as many native ones are held as there are threads.

    Raises
    ------
    DataError
        An image cannot be read, and `on_error` is `fail`.
    """
    black = np.zeros((*job.extractor.preprocess.seen_size, 3), dtype=np.uint8)
    workers = max(1, allowed() // 2)
    seen = in_order(partial(_see, job), job.samples, workers=workers, ahead=2 * count)
    for start in range(0, len(job.samples), count):
        some = list(islice(seen, count))
        images = [black if one.pixels is None else one.pixels for one in some]
        batch = Batch(
            sizes=[one.size for one in some],
            skipped={i: one.why for i, one in enumerate(some) if one.pixels is None},
            decode_s=sum(one.seconds for one in some),
        )
        yield start, images, batch


def _see(job: ExtractionJob, sample: Sample) -> _Seen:
    begun = time.perf_counter()
    try:
        native = job.dataset.image(sample)
    except DataError as error:
        if job.on_error == "fail":
            raise _with_hint(error) from error
        return _Seen(None, (1, 1), error.message, time.perf_counter() - begun)
    pixels = resize_image(turn_image(native, job.degrees), job.extractor.preprocess)
    return _Seen(pixels, (native.shape[0], native.shape[1]), "", time.perf_counter() - begun)


def _with_hint(error: DataError) -> DataError:
    advice = "mend or remove the file, or set `on_error: skip` in the suite to go on without it"
    hint = f"{error.hint}; {advice}" if error.hint else advice
    return DataError(error.message, hint=hint, where=error.where)
