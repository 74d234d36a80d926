"""Tiles: every pixel is seen, every feature lies where it was seen, and little is in memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness import ContentHash, FeatureGrid, Preprocess, Sample, Tile
from adharness.engine import features as feature_sets
from adharness.engine.batches import BATCH
from adharness.engine.extract import extracted
from adharness.engine.extraction_job import ExtractionJob
from adharness.engine.features import CachedFeatures
from adharness.engine.shards import ensure_shard
from adharness.engine.tiles import Canvas, cut, shares
from adharness.errors import ContractError, DataError

CELL = 4


@dataclass
class Pictures:
    """Noise by number, of any size; some cannot be read."""

    size: tuple[int, int] = (40, 56)
    broken: tuple[int, ...] = ()
    licence: None = None

    def image(self, sample: Sample) -> np.ndarray:
        i = int(sample.path)
        if i in self.broken:
            raise DataError(f"cannot read {sample.path}")
        return np.random.default_rng(i).integers(0, 256, (*self.size, 3), dtype=np.uint8)


@dataclass
class Cells:
    """Means of 4 x 4 pixels, `dim` times over: what a patch sees is its own pixels alone."""

    preprocess: Preprocess
    dim: int = 1
    spoilt: bool = False
    calls: list[int] = field(default_factory=list)

    def fingerprint(self) -> str:
        return "cells"

    def extract(self, images: np.ndarray) -> FeatureGrid:
        self.calls.append(len(images))
        n, height, width, _ = images.shape
        split = images.reshape(n, height // CELL, CELL, width // CELL, CELL, 3)
        means = split.mean(axis=(2, 4, 5), dtype=np.float32)[..., np.newaxis]
        if self.spoilt:
            means[0, 0, 0] = np.nan
        return FeatureGrid(np.repeat(means, self.dim, axis=-1), means.mean(axis=(1, 2)))


def job(extractor: Cells, data: Pictures, count: int, on_error: str = "fail") -> ExtractionJob:
    samples = [Sample(str(i), "c", "train", 0) for i in range(count)]
    hashes = [ContentHash(str(i), None) for i in range(count)]
    return ExtractionJob(data, samples, hashes, extractor, {"use": "cells"}, on_error)  # type: ignore[arg-type]


@st.composite
def tiled(draw: st.DrawFn) -> tuple[tuple[int, int], Tile]:
    """What is seen, and a tile of it; all of whole patches."""
    tile = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    seen = tuple(CELL * (side + draw(st.integers(0, 12))) for side in tile)
    overlap = CELL * draw(st.integers(0, min(tile) - 1))
    blend = draw(st.sampled_from(["linear", "nearest"]))
    return (seen[0], seen[1]), Tile(CELL * tile[0], CELL * tile[1], overlap, blend)


@given(tiled(), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_where_a_patch_sees_only_itself_tiles_give_what_the_whole_gives(geometry, count):
    seen, tile = geometry
    data = Pictures(seen)
    whole = Cells(Preprocess(*seen))
    parts = Cells(Preprocess(*seen, tile=tile))
    ((_, expected, _),) = extracted(job(whole, data, count))
    found = list(extracted(job(parts, data, count)))
    assert [start for start, *_ in found] == list(range(count))
    for i, (_, grid, batch) in enumerate(found):
        np.testing.assert_allclose(grid.patches[0], expected.patches[i], rtol=1e-5)
        assert batch.sizes == [seen]
    assert set(parts.calls) == {BATCH}


@given(tiled())
@settings(max_examples=60, deadline=None)
def test_tiles_lie_inside_cover_everything_and_share_at_least_the_overlap(geometry):
    seen, tile = geometry
    for starts, side, long in zip(tile.starts(seen), seen, (tile.height, tile.width), strict=True):
        assert starts[0] == 0
        assert starts[-1] + long == side
        assert all(0 < b - a <= long - tile.overlap for a, b in pairwise(starts))
        shared = shares(tuple(s // CELL for s in starts), long // CELL, tile)
        np.testing.assert_allclose(shared.sum(axis=0), 1, rtol=1e-6)
    assert (
        len(cut(np.zeros((*seen, 3), np.uint8), tile))
        == Canvas(Preprocess(*seen, tile=tile), tile).count
    )


def test_of_two_tiles_the_one_whose_border_is_farther_is_taken():
    nearest = shares((0, 2), 4, Tile(32, 32, 16, "nearest"))
    assert nearest.tolist() == [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]


def test_an_image_gets_the_mean_of_the_embeddings_of_its_tiles():
    seen = Preprocess(40, 56, tile=Tile(8, 8))
    ((_, grid, _),) = extracted(job(Cells(seen), Pictures(), 1))
    assert grid.embeddings is not None
    assert grid.embeddings[0, 0] == pytest.approx(grid.patches.mean(), rel=1e-5)


@pytest.mark.parametrize(("tile", "seen"), [
    (Tile(16, 16, 6), (40, 56)),  # every tile but the first begins inside a patch
    (Tile(16, 16, 0), (42, 56)),  # the last one does
])  # fmt: skip
def test_tiles_that_begin_inside_a_patch_are_refused_and_told_what_would_fit(tile, seen):
    class Sloppy(Cells):
        def extract(self, images):
            return FeatureGrid(np.zeros((len(images), 4, 4, 1), np.float32))

    with pytest.raises(ContractError, match="a patch would lie between two") as caught:
        list(extracted(job(Sloppy(Preprocess(*seen, tile=tile)), Pictures(), 1)))
    assert "4 pixels" in str(caught.value.hint)


@pytest.mark.parametrize(("fields", "said"), [
    ({"tile": (16, 16, 16)}, "tiles of 16 x 16 pixels cannot overlap by 16"),
    ({"tile": (16, 16, -1)}, "cannot overlap by -1"),
    ({"tile": (0, 16, 0)}, "cannot overlap"),
    ({"tile": (41, 16, 0)}, "a tile of 41 x 16 is larger than the 40 x 56 pixels seen"),
    ({"tile": (32, 16, 0), "crop": (16, 16)}, "larger than the 16 x 16 pixels seen"),
])  # fmt: skip
def test_mistaken_tiles_are_refused(fields, said):
    with pytest.raises(ContractError, match=said):
        Preprocess(40, 56, crop=fields.get("crop"), tile=Tile(*fields["tile"]))


def test_a_broken_image_among_tiles_is_named_or_left_out(tmp_path):
    seen, data = Preprocess(40, 56, tile=Tile(16, 16, 4)), Pictures(broken=(1,))
    with pytest.raises(DataError, match="cannot read 1"):
        ensure_shard(tmp_path, job(Cells(seen), data, 3), lambda *_: None)
    shard = ensure_shard(tmp_path, job(Cells(seen), data, 3, "skip"), lambda *_: None)
    assert list(shard.entry.skipped) == [1]
    assert shard.entry.sizes == [(40, 56), (1, 1), (40, 56)]
    sound = ensure_shard(tmp_path, job(Cells(seen), Pictures(), 3), lambda *_: None)
    assert np.array_equal(shard.patches()[[0, 2]], sound.patches()[[0, 2]])


def test_a_tile_that_is_not_finite_is_told_with_the_name_of_its_image():
    seen = Preprocess(40, 56, tile=Tile(16, 16, 4))
    with pytest.raises(ContractError, match="patches of 0"):
        list(extracted(job(Cells(seen, spoilt=True), Pictures(), 1)))


def test_features_of_an_image_do_not_depend_on_those_that_follow():
    seen = Preprocess(40, 56, tile=Tile(16, 16, 4))
    alone = list(extracted(job(Cells(seen), Pictures(), 1)))
    many = list(extracted(job(Cells(seen), Pictures(), 5)))
    assert np.array_equal(alone[0][1].patches, many[0][1].patches)


def test_what_is_in_memory_does_not_grow_with_the_number_of_images(tmp_path):
    side, dim = 512, 24
    seen = Preprocess(side, side, tile=Tile(128, 128, 32))
    image = (side // CELL) ** 2 * dim * 4  # bytes of an image's features
    peaks = []
    for count in (8, 24):
        work = job(Cells(seen, dim), Pictures((side, side)), count)
        tracemalloc.start()
        ensure_shard(tmp_path / str(count), work, lambda *_: None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Laid, checked, written and waited for: a few images, and a batch of tiles.
    assert peaks[0] < 7 * image + 3 * BATCH * 128 * 128 * 3 + 6 * side * side * 3
    assert peaks[1] < 1.1 * peaks[0]


def test_large_grids_are_read_a_few_at_a_time(tmp_path, monkeypatch):
    seen = Preprocess(40, 56, tile=Tile(16, 16, 4))
    shard = ensure_shard(tmp_path, job(Cells(seen), Pictures(), 5), lambda *_: None)
    features = CachedFeatures.over({0: shard}, [(0, i) for i in range(5)])
    for held, lengths in ((1, [1] * 5), (2 * 10 * 14 * 4, [2, 2, 1]), (2**30, [5])):
        monkeypatch.setattr(feature_sets, "TOGETHER_BYTES", held)
        assert [len(batch.patches) for batch in features.batches()] == lengths
