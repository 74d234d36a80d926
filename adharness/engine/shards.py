"""Shards of features: found in the cache and sound, or written so that none is ever half there.

`ensure_shard` has the arrays of a class on disk when it returns. `opened_shard` is content with the
entry: the arrays are verified, or extracted again where they were pruned, before they are read.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from adharness.contracts import FeatureGrid
from adharness.engine.decoding import Batch
from adharness.engine.extract import extracted
from adharness.engine.extraction_job import ExtractionJob
from adharness.engine.meter import warm
from adharness.engine.shard_entry import Shard, ShardEntry, Tick, damage_of, open_shard
from adharness.engine.shard_writers import ShardWriters
from adharness.progress import tell
from adharness.store.files import explained, write_json
from adharness.threads import in_order


def opened_shard(
    cache: Path,
    job: ExtractionJob,
    tick: Tick,
    mended: Callable[[str], None] = lambda _: None,
) -> Shard:
    """Open the shard of these images by its entry; where there is none, extract it now.

    `tick` is told as by `ensure_shard`. What is extracted when the arrays are first read is told to
    whoever makes sure of them, or as progress of the step that runs.

    Raises
    ------
    DataError, ContractError, StoreError
        As `ensure_shard`, which it is where there is no entry.
    """

    def secure(told: Tick | None) -> ShardEntry:
        return ensure_shard(cache, job, told or _teller(job), mended).entry

    found = open_shard(folder_of(cache, job.key()))
    if found is None or not found.entry.serves(job.on_error):
        return ensure_shard(cache, job, tick, mended)
    _touch(found)
    tick(len(job.samples), True)
    return Shard(found.folder, found.entry, secure)


def _teller(job: ExtractionJob) -> Tick:
    done = 0

    def tick(count: int, reused: bool) -> None:
        nonlocal done
        done += count
        if not reused:
            tell(done, len(job.samples), "images extracted again")

    return tick


def ensure_shard(
    cache: Path,
    job: ExtractionJob,
    tick: Tick,
    mended: Callable[[str], None] = lambda _: None,
) -> Shard:
    """Open the shard of these images, extracting it first if it is not in the cache, or pruned.

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
        if found is not None and found.entry.serves(job.on_error) and not found.entry.pruned:
            damage = damage_of(found)
            if damage is None:
                _touch(found)
                tick(len(job.samples), True)
                return found
            mended(f"{folder}: {damage}; extracting it again")
        return _extract_into(folder, job, tick)


def _touch(found: Shard) -> None:
    """Note the use: what was used last is pruned last."""
    with suppress(OSError):  # a cache that may only be read is never pruned from here
        (found.folder / "entry.json").touch()


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


def _extract_into(folder: Path, job: ExtractionJob, tick: Tick) -> Shard:
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


def _write_shard(folder: Path, job: ExtractionJob, tick: Tick) -> ShardEntry:
    sizes: list[tuple[int, int]] = []
    skipped: dict[int, str] = {}
    batches: list[Batch] = []
    begun = time.perf_counter()
    with ExitStack() as files:
        writers = ShardWriters(folder, len(job.samples), files, job.stored_as)

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
        input_size=job.extractor.preprocess.seen_size,
        margins=job.extractor.preprocess.margins,
        pad=job.extractor.preprocess.pad,
        skipped=skipped,
        extract_ms=1000 * seconds / len(job.samples),
        decode_ms=_typical_ms([(b.decode_s, len(b.sizes)) for b in batches]),
        network_ms=_typical_ms([(b.network_s, b.computed) for b in batches]),
        bytes={file.name: file.stat().st_size for file in sorted(folder.glob("*.npy"))},
        sha256=writers.sha256,
        identity=job.identity,
    )


def _typical_ms(batches: Sequence[tuple[float | None, int]]) -> float | None:
    """Give the milliseconds an image from the seconds and images of each batch."""
    return warm([1000 * seconds / images for seconds, images in batches if seconds is not None])
