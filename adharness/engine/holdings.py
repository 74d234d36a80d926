"""Features that a plan needs: which the cache holds, and exactly how large the others will be."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from adharness.contracts import Extractor, LookupExtractor
from adharness.engine.extraction import OnError, extractor_identity, make_extractor, part_job
from adharness.engine.extraction_job import ExtractionJob
from adharness.engine.parts import PartKey, parts_of
from adharness.engine.shard_entry import Shard, open_shard
from adharness.engine.shards import ensure_shard, folder_of
from adharness.engine.survey import Survey
from adharness.store.provenance import Installed
from adharness.suite.bound import Bound

Sizes = Mapping[str, tuple[int, int]]
"""Of each array file of a shard: the bytes of its header, and those of an image."""


@dataclass(frozen=True)
class LoadedExtractor:
    """An extractor, and everything about it that can change a feature."""

    name: str
    extractor: Extractor | LookupExtractor
    identity: dict[str, Any]

    @classmethod
    def load(cls, name: str, bound: Bound) -> LoadedExtractor:
        """Build an extractor; takes as long as its network takes to load, and raises as it does."""
        made = make_extractor(bound)
        return cls(name, made, extractor_identity(bound, made, Installed()))


@dataclass(frozen=True)
class Holding:
    """Features of one data set under one extractor, part by part.

    Parameters
    ----------
    jobs
        The extraction of each part, such as a class.
    shards
        Of the parts that the cache holds; their checksums are not read.
    """

    survey: Survey
    loaded: LoadedExtractor
    jobs: Mapping[PartKey, ExtractionJob]
    shards: Mapping[PartKey, Shard]

    @property
    def images(self) -> int:
        """How many images are needed."""
        return sum(len(job.samples) for job in self.jobs.values())

    @property
    def cached(self) -> int:
        """How many of them the cache holds."""
        return sum(len(self.jobs[key].samples) for key in self.shards)

    @property
    def missing(self) -> dict[str, int]:
        """Images of each shard that is still to be extracted, by its key in the cache."""
        lacking = [job for key, job in self.jobs.items() if key not in self.shards]
        return {job.key(): len(job.samples) for job in lacking}


def look_up(survey: Survey, loaded: LoadedExtractor, cache: Path, on_error: OnError) -> Holding:
    """Find which features of a data set the cache holds. Reads no feature and writes nothing."""
    jobs = {
        part.key: part_job(part, loaded.extractor, loaded.identity, on_error)
        for part in parts_of(survey)
    }
    found = {key: open_shard(folder_of(cache, job.key())) for key, job in jobs.items()}
    usable = {k: s for k, s in found.items() if s and _usable(s, on_error)}
    return Holding(survey, loaded, jobs, usable)


def _usable(shard: Shard, on_error: OnError) -> bool:
    """Whether its arrays are there, and no image was skipped where none may be."""
    there = all((shard.folder / name).exists() for name in shard.entry.bytes)
    return there and shard.entry.serves(on_error)


def sizes_of(holding: Holding, within: Path | None = None) -> Sizes:
    """Measure what an image takes: in a shard that is there, else by extracting one image.

    Parameters
    ----------
    within
        An existing folder for a temporary one, removed at once; the system's own if not given.

    Raises
    ------
    DataError, ContractError, StoreError
        As extraction does; or whatever the extractor raises.
    """
    for shard in holding.shards.values():
        return stored_sizes(shard)
    first = next(iter(holding.jobs.values()))
    with tempfile.TemporaryDirectory(dir=within) as folder:
        one = replace(first, samples=first.samples[:1], hashes=first.hashes[:1])
        return stored_sizes(ensure_shard(Path(folder), one, lambda *_: None))


def stored_sizes(shard: Shard) -> Sizes:
    """Read the sizes off a shard of any number of images.

    A header has the same length whatever the number, as NumPy leaves room for more digits.
    """
    entry = shard.entry
    shapes = {
        "patches.npy": (*entry.grid, entry.dim),
        "embeddings.npy": (entry.embedding_dim or 0,),
    }
    arrays = {"patches.npy": shard.patches, "embeddings.npy": shard.embeddings}
    found = {}
    for name, size in entry.bytes.items():
        image = prod(shapes[name]) * arrays[name]().dtype.itemsize
        found[name] = size - image * entry.count, image
    return found


def bytes_of(sizes: Sizes, images: Iterable[int]) -> int:
    """Give the bytes of the array files of shards of so many images each; exact."""
    return sum(header + count * image for count in images for header, image in sizes.values())


def image_bytes(sizes: Sizes) -> int:
    """Give the bytes that one more image takes."""
    return sum(image for _, image in sizes.values())


def left_out(
    holdings: Sequence[Holding], seen: set[str]
) -> Iterator[tuple[Holding, tuple[int, ...]]]:
    """Give for each holding the images of the shards that nothing before it extracts.

    The clean images of a shifted set are those of the clean set, and two names of one extractor
    share their features.

    Parameters
    ----------
    seen
        Keys of the shards that something before extracts; those of these holdings are added.
    """
    for holding in holdings:
        new = {key: n for key, n in holding.missing.items() if key not in seen}
        seen |= set(new)
        yield holding, tuple(new.values())
