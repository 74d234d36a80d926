"""Shards of features: found in the cache and sound, or written so that none is ever half there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from adharness.contracts import FeatureGrid
from adharness.engine.extract import BATCH, Batch, ExtractionJob, extracted
from adharness.engine.features import Shard, ShardEntry, damage_of, open_shard
from adharness.engine.meter import warm
from adharness.engine.shard_writers import ShardWriters
from adharness.store.files import explained, write_json
from adharness.threads import in_order


def ensure_shard(
    cache: Path,
    job: ExtractionJob,
    tick: Callable[[int, bool], None],
    mended: Callable[[str], None] = lambda _: None,
) -> Shard:
    """Open the shard of these images, extracting it first if it is not in the cache.

    `tick(images, reused)` is called as images are done. Two runs that want one shard wait for each
    other, and the second reads what the first wrote. A stored shard is read whole and compared with
    its checksums; where it is damaged, `mended` is told and it is extracted again.

    Raises
    ------
    DataError
        An image cannot be read and `on_error` is `fail`; names the file.
    ContractError
        The extractor gave a wrong shape or a value that is not finite; names the image.
    StoreError
        The cache cannot be written.
    """
    folder = folder_of(cache, job.key())
    with _locked(folder):
        found = open_shard(folder)
        usable = found and (job.on_error == "skip" or not found.entry.skipped)
        damage = damage_of(found) if found and usable else None
        if found and usable and damage is None:
            with suppress(OSError):  # a cache that may only be read is never pruned from here
                (found.folder / "entry.json").touch()  # what was used last is pruned last
            tick(len(job.samples), True)
            return found
        if damage:
            mended(f"{folder}: {damage}; extracting it again")
        return _extract_into(folder, job, tick)


def folder_of(cache: Path, key: str) -> Path:
    """Where a cache keeps a shard."""
    return cache / "features" / key


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = FileLock(f"{folder}.lock")
    with explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _extract_into(folder: Path, job: ExtractionJob, tick: Callable[[int, bool], None]) -> Shard:
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with explained(folder):
            temporary.mkdir()
        entry = _write_shard(temporary, job, tick)
        write_json(temporary / "entry.json", entry.model_dump(mode="json"))
        with explained(folder):
            shutil.rmtree(folder, ignore_errors=True)
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Shard(folder, entry)


def _write_shard(folder: Path, job: ExtractionJob, tick: Callable[[int, bool], None]) -> ShardEntry:
    sizes: list[tuple[int, int]] = []
    skipped: dict[int, str] = {}
    batches: list[Batch] = []
    begun = time.perf_counter()
    with ExitStack() as files:
        writers = ShardWriters(folder, len(job.samples), files)

        def write(item: tuple[int, FeatureGrid, Batch]) -> tuple[int, Batch]:
            start, grid, batch = item
            writers.append(grid, len(batch.sizes))
            return start, batch

        # A batch is written while the network works on the next.
        for start, batch in in_order(write, extracted(job), workers=1, ahead=2):
            sizes += batch.sizes
            batches.append(batch)
            skipped |= {start + i: why for i, why in batch.skipped.items()}
            tick(len(batch.sizes), False)
    seconds = time.perf_counter() - begun
    return ShardEntry(
        count=len(job.samples),
        grid=writers.grid,
        dim=writers.dim,
        embedding_dim=writers.embedding_dim,
        sizes=sizes,
        input_size=job.extractor.preprocess.input_size,
        margins=job.extractor.preprocess.margins,
        skipped=skipped,
        extract_ms=1000 * seconds / len(job.samples),
        decode_ms=_typical_ms([(b.decode_s, len(b.sizes)) for b in batches]),
        network_ms=_typical_ms([(b.network_s, BATCH) for b in batches]),
        bytes={file.name: file.stat().st_size for file in sorted(folder.glob("*.npy"))},
        sha256=writers.sha256,
        identity=job.identity,
    )


def _typical_ms(batches: Sequence[tuple[float | None, int]]) -> float | None:
    """Give the milliseconds an image from the seconds and images of each batch."""
    return warm([1000 * seconds / images for seconds, images in batches if seconds is not None])
