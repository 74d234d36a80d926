"""Extraction: order, padding, what the cache shares, and what no accident can leave behind."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adharness.contracts import ContentHash, FeatureGrid, Preprocess, Sample
from adharness.engine import shard_writers
from adharness.engine.batches import BATCH
from adharness.engine.extract import rounded
from adharness.engine.extraction_job import ExtractionJob
from adharness.engine.features import CachedFeatures
from adharness.engine.shard_entry import Shard, open_shard
from adharness.engine.shards import ensure_shard, opened_shard
from adharness.errors import ContractError, DataError, StoreError
from adharness.progress import listening
from adharness.store.files import explained


class Pictures:
    """Image i is grey with value i."""

    licence = None

    def __init__(self, broken: tuple[int, ...] = ()) -> None:
        self.broken = broken

    def image(self, sample: Sample) -> np.ndarray:
        i = int(sample.path)
        if i in self.broken:
            raise DataError(f"cannot read {sample.path}", hint="look at it")
        return np.full((4, 4 + i % 2, 3), i, np.uint8)


@dataclass
class Means:
    """The mean of the image in every patch; remembers what it was given."""

    change: Callable[[FeatureGrid, int], FeatureGrid] = lambda grid, call: grid
    seen: list[int] = field(default_factory=list)
    preprocess = Preprocess(4, 4)

    def fingerprint(self) -> str:
        return "means"

    def extract(self, images: np.ndarray) -> FeatureGrid:
        self.seen.append(len(images))
        means = images.mean(axis=(1, 2, 3), dtype=np.float32)
        patches = np.broadcast_to(means[:, None, None, None], (len(images), 2, 2, 3)).copy()
        return self.change(FeatureGrid(patches, means[:, None]), len(self.seen))


def job(count: int = 20, extractor: Means | None = None, **changes: Any) -> ExtractionJob:
    made = ExtractionJob(
        dataset=Pictures(),
        samples=[Sample(str(i), "c", "train", 0) for i in range(count)],
        hashes=[ContentHash(f"hash {i}", None) for i in range(count)],
        extractor=extractor or Means(),
        identity={"use": "means"},
        on_error="fail",
    )
    return replace(made, **changes)


def quiet(count: int, reused: bool) -> None:
    """Listens to nothing."""


def values(shard: Shard) -> list[float]:
    return shard.patches()[:, 0, 0, 0].tolist()


def entries(cache: Path) -> list[str]:
    return [p.name for p in (cache / "features").iterdir() if p.suffix != ".lock"]


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_features_keep_the_order_and_the_extractor_always_sees_a_whole_batch(tmp_path, count):
    extractor = Means()
    shard = ensure_shard(tmp_path, job(count, extractor), quiet)
    assert values(shard) == list(range(count))
    assert shard.embeddings()[:, 0].tolist() == list(range(count))
    assert shard.entry.count == count
    assert shard.entry.sizes == [(4, 4 + i % 2) for i in range(count)]
    assert set(extractor.seen) == {BATCH}


@dataclass
class Lanes(Means):
    """Computes three together, and would have six."""

    together: int = 3
    at_once: int = 6


@pytest.mark.parametrize(("count", "calls"), [(1, [3]), (6, [6]), (7, [6, 3]), (16, [6, 6, 6])])
def test_an_extractor_that_says_how_many_is_given_so_many_and_no_more_black_ones(
    tmp_path, count, calls
):
    extractor = Lanes()
    shard = ensure_shard(tmp_path, job(count, extractor), quiet)
    assert values(shard) == list(range(count))
    assert extractor.seen == calls


@pytest.mark.parametrize(("together", "at_once"), [(0, 8), (4, 6), (8, 4), (-1, -1)])
def test_numbers_of_images_that_make_no_sense_are_refused(tmp_path, together, at_once):
    with pytest.raises(ContractError, match=f"asks for {at_once} images at once, {together} of"):
        ensure_shard(tmp_path, job(4, Lanes(together=together, at_once=at_once)), quiet)


class Uneven(Pictures):
    """Some images take longer; counts those that are decoded and not yet extracted."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.threads = 0, set()

    def image(self, sample: Sample) -> np.ndarray:
        self.begun += 1
        self.threads.add(threading.get_ident())
        time.sleep(0.002 * (int(sample.path) % 3))
        return super().image(sample)


def test_images_decoded_in_many_threads_keep_their_order_and_wait_in_no_great_number(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("adharness.engine.decoding.allowed", lambda: 8)
    pictures, ahead = Uneven(), []

    def look(grid: FeatureGrid, call: int) -> FeatureGrid:
        time.sleep(0.01)
        ahead.append(pictures.begun - 6 * call)
        return grid

    shard = ensure_shard(tmp_path, job(60, Lanes(change=look), dataset=pictures), quiet)
    assert values(shard) == list(range(60))
    assert len(pictures.threads) == 4
    assert max(ahead) <= 2 * 6


def test_a_stored_shard_is_reused_and_told_so(tmp_path):
    ticks: list[tuple[int, bool]] = []
    first = ensure_shard(tmp_path, job(), lambda *tick: ticks.append(tick))
    again = job()
    found = ensure_shard(tmp_path, again, lambda *tick: ticks.append(tick))
    assert ticks == [(16, False), (4, False), (20, True)]
    assert again.extractor.seen == []
    assert found == first


def test_the_same_images_under_other_names_share_a_shard(tmp_path):
    first = ensure_shard(tmp_path, job(), quiet)
    renamed = [Sample(f"elsewhere/{i}", "other", "test", 1) for i in range(20)]
    assert ensure_shard(tmp_path, job(samples=renamed), quiet) == first


@pytest.mark.parametrize("changes", [
    {"hashes": [ContentHash(f"hash {i + (i == 3)}", None) for i in range(20)]},
    {"identity": {"use": "means", "params": {"layers": [2]}}},
    {"identity": {"use": "means", "fingerprint": "other weights"}},
])  # fmt: skip
def test_another_pixel_parameter_or_weight_is_another_shard(tmp_path, changes):
    first = ensure_shard(tmp_path, job(), quiet)
    assert ensure_shard(tmp_path, job(**changes), quiet).folder != first.folder


def test_a_mask_does_not_change_the_shard():
    masked = [ContentHash(f"hash {i}", "mask") for i in range(20)]
    assert job(hashes=masked).key() == job().key()


def test_an_unreadable_image_fails_with_the_way_out(tmp_path):
    with pytest.raises(DataError, match="cannot read 17") as caught:
        ensure_shard(tmp_path, job(dataset=Pictures(broken=(17,))), quiet)
    assert "look at it; " in (caught.value.hint or "")
    assert "on_error: skip" in (caught.value.hint or "")
    assert entries(tmp_path) == []


def test_under_skip_it_is_noted_by_its_position_and_its_shard_is_not_used_under_fail(tmp_path):
    broken = job(dataset=Pictures(broken=(0, 17)), on_error="skip")
    shard = ensure_shard(tmp_path, broken, quiet)
    assert shard.entry.skipped == {0: "cannot read 0", 17: "cannot read 17"}
    assert ensure_shard(tmp_path, broken, quiet) == shard
    with pytest.raises(DataError, match="cannot read 0"):
        ensure_shard(tmp_path, replace(broken, on_error="fail"), quiet)
    mended = ensure_shard(tmp_path, job(), quiet)  # the same hashes, now readable
    assert mended.entry.skipped == {}


def nan_in_5(grid: FeatureGrid, call: int) -> FeatureGrid:
    grid.patches[5] = np.nan
    return grid


FAULTS = {
    "image alone": (lambda g, c: FeatureGrid(g.patches[:1]), "patches of extractor 'means'"),
    "flat": (lambda g, c: FeatureGrid(g.patches[:, 0]), "patches of extractor 'means'"),
    "embedding": (lambda g, c: FeatureGrid(g.patches, g.patches), "embeddings of extractor"),
    "nan": (nan_in_5, "patches of 5 holds"),
    "grid changes": (lambda g, c: FeatureGrid(g.patches[:, :c]), "changed shape"),
    "embeddings end": (lambda g, c: g if c == 1 else FeatureGrid(g.patches), "of some images"),
    "embeddings begin": (lambda g, c: g if c == 2 else FeatureGrid(g.patches), "of some images"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_features_that_break_the_contract_leave_no_entry(tmp_path, fault):
    change, says = FAULTS[fault]
    with pytest.raises(ContractError, match=says):
        ensure_shard(tmp_path, job(extractor=Means(change)), quiet)
    assert entries(tmp_path) == []


def test_features_of_the_filling_are_not_looked_at(tmp_path):
    def spoil(grid: FeatureGrid, call: int) -> FeatureGrid:
        grid.patches[3:] = np.nan
        return grid

    assert len(values(ensure_shard(tmp_path, job(3, Means(spoil)), quiet))) == 3


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_extraction_leaves_no_entry_and_the_next_one_works(tmp_path, error):
    def stop(grid: FeatureGrid, call: int) -> FeatureGrid:
        if call == 2:
            raise error
        return grid

    with pytest.raises(error):
        ensure_shard(tmp_path, job(extractor=Means(stop)), quiet)
    assert entries(tmp_path) == []
    assert values(ensure_shard(tmp_path, job(), quiet)) == list(range(20))


def test_what_a_killed_run_left_is_swept_away(tmp_path):
    left = tmp_path / "features" / f".{job().key()}.part"
    left.mkdir(parents=True)
    (left / "patches.npy").write_text("half")
    assert values(ensure_shard(tmp_path, job(), quiet)) == list(range(20))
    assert not left.exists()


def test_a_full_disk_is_a_store_error_and_leaves_no_entry(tmp_path, monkeypatch):
    def full(self: Any, name: str, array: np.ndarray) -> IO[bytes]:
        with explained(Path(name)):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shard_writers.ShardWriters, "_create", full)
    with pytest.raises(StoreError, match="No space left"):
        ensure_shard(tmp_path, job(), quiet)
    assert entries(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_a_store_error(tmp_path):
    (tmp_path / "features").write_text("a file in the way")
    with pytest.raises(StoreError, match="cannot write"):
        ensure_shard(tmp_path, job(), quiet)


def test_two_that_want_one_shard_extract_it_once(tmp_path):
    calls: list[int] = []

    def slow(grid: FeatureGrid, call: int) -> FeatureGrid:
        calls.append(call)
        time.sleep(0.05)
        return grid

    jobs = [job(extractor=Means(slow)) for _ in range(3)]
    threads = [threading.Thread(target=ensure_shard, args=(tmp_path, j, quiet)) for j in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1, 2]
    assert values(ensure_shard(tmp_path, job(), quiet)) == list(range(20))


def test_a_shard_whose_bytes_changed_is_told_of_and_extracted_again(tmp_path):
    first = ensure_shard(tmp_path, job(), quiet)
    file = first.folder / "patches.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    told: list[str] = []
    again = job()
    found = ensure_shard(tmp_path, again, quiet, told.append)
    assert len(told) == 1
    assert "patches.npy is not what was written" in told[0]
    assert again.extractor.seen
    assert (found.folder / "patches.npy").read_bytes() == whole


def test_a_shard_of_before_there_were_checksums_is_still_used(tmp_path):
    first = ensure_shard(tmp_path, job(), quiet)
    old = first.entry.model_copy(update={"sha256": {}})
    (first.folder / "entry.json").write_text(old.model_dump_json())
    again = job()
    assert ensure_shard(tmp_path, again, quiet).entry == old
    assert not again.extractor.seen


def prune(shard: Shard) -> None:
    """Do what `adharness cache prune` does to an entry."""
    marked = shard.entry.model_copy(update={"pruned": True})
    (shard.folder / "entry.json").write_text(marked.model_dump_json())
    for file in shard.folder.glob("*.npy"):
        file.unlink()


def test_an_opened_shard_is_not_read_before_somebody_asks_and_then_verified(tmp_path):
    first = ensure_shard(tmp_path, job(), quiet)
    file = first.folder / "embeddings.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    told: list[str] = []
    again = job()
    found = opened_shard(tmp_path, again, quiet, told.append)
    assert found == first
    assert not told
    assert values(found) == list(range(20))  # the other file is damaged, and still found out
    assert len(told) == 1
    assert again.extractor.seen
    assert file.read_bytes() == whole


def test_pruned_arrays_are_extracted_again_when_they_are_first_read_and_once_only(tmp_path):
    prune(ensure_shard(tmp_path, job(), quiet))
    again = job()
    ticks: list[tuple[int, bool]] = []
    found = opened_shard(tmp_path, again, lambda *tick: ticks.append(tick))
    assert found.entry.pruned
    assert (ticks, again.extractor.seen) == ([(20, True)], [])
    told: list[tuple[int, int, str]] = []
    with listening(lambda *progress: told.append(progress)):
        assert values(found) == list(range(20))
    assert told[-1] == (20, 20, "images extracted again")
    assert not found.entry.pruned
    assert found.embeddings()[:, 0].tolist() == list(range(20))
    assert len(again.extractor.seen) == 2
    assert ticks == [(20, True)]


def test_whoever_ensures_a_pruned_shard_extracts_it(tmp_path):
    first = ensure_shard(tmp_path, job(), quiet)
    prune(first)
    again = job()
    assert ensure_shard(tmp_path, again, quiet).entry.sha256 == first.entry.sha256
    assert again.extractor.seen
    assert open_shard(first.folder) is not None


def test_an_image_that_has_gone_bad_since_is_an_error_of_whoever_reads(tmp_path):
    prune(ensure_shard(tmp_path, job(), quiet))
    found = opened_shard(tmp_path, job(dataset=Pictures(broken=(3,))), quiet)
    for _ in range(2):
        with pytest.raises(DataError, match="cannot read 3"):
            found.patches()


HALF = {"identity": {"use": "means", "stored_as": "float16"}}


@given(arrays(np.float32, st.integers(1, 40), elements=st.floats(-65504, 65504, width=32)))
@settings(max_examples=200, deadline=None)
def test_rounding_to_float16_errs_by_a_2048th_at_most_and_below_that_by_2_to_the_minus_25(values):
    grid = FeatureGrid(values[None, None, None], values[None])
    half = rounded(grid, "float16")
    for kept in (half.patches.ravel(), half.embeddings.ravel()):
        assert kept.dtype == np.float32
        error = np.abs(kept.astype(np.float64) - values)
        normal = np.abs(values) >= 2.0**-14
        assert (error[normal] <= np.abs(values[normal].astype(np.float64)) * 2.0**-11).all()
        assert (error[~normal] <= 2.0**-25).all()
        assert (kept[np.abs(values) <= 2.0**-25] == 0).all()
    again = rounded(half, "float16")
    np.testing.assert_array_equal(again.patches, half.patches)
    assert rounded(grid, "float32") is grid


def noise(grid: FeatureGrid, call: int) -> FeatureGrid:
    rng = np.random.default_rng(call)
    patches = rng.normal(size=grid.patches.shape).astype(np.float32)
    return FeatureGrid(patches, patches.reshape(len(patches), -1))


def test_float16_takes_half_the_room_and_is_read_back_as_float32(tmp_path):
    wide = ensure_shard(tmp_path, job(extractor=Means(noise)), quiet)
    half = ensure_shard(tmp_path, job(extractor=Means(noise), **HALF), quiet)
    assert half.folder != wide.folder
    assert half.patches().dtype.str == "<f2"
    header = 128
    for name in ("patches.npy", "embeddings.npy"):
        assert half.entry.bytes[name] - header == (wide.entry.bytes[name] - header) // 2
    places = [("c", i) for i in range(20)]
    features = CachedFeatures.over({"c": half}, places)
    read = features.read(np.arange(20))
    expected = wide.patches().astype(np.float16).astype(np.float32)
    assert read.patches.dtype == features.rows(np.array([3])).dtype == np.float32
    np.testing.assert_array_equal(read.patches, expected)
    np.testing.assert_array_equal(features.rows(np.array([7])), expected[1, 1, 1][None])
    assert not np.array_equal(read.patches, wide.patches())
    assert features.embeddings().dtype == np.float32


@pytest.mark.parametrize("value", [65505.0, -1e9])
def test_a_feature_that_float16_cannot_hold_is_refused_with_its_image(tmp_path, value):
    def spoil(grid: FeatureGrid, call: int) -> FeatureGrid:
        grid.patches[3, 1, 1, 2] = value
        return grid

    with pytest.raises(DataError, match="patches of 3 reach") as told:
        ensure_shard(tmp_path, job(extractor=Means(spoil), **HALF), quiet)
    assert "remove `features: {dtype: float16}`" in (told.value.hint or "")
    assert entries(tmp_path) == []
    assert values(ensure_shard(tmp_path, job(extractor=Means(spoil)), quiet))[:3] == [0, 1, 2]


def test_the_largest_value_of_float16_is_held(tmp_path):
    def largest(grid: FeatureGrid, call: int) -> FeatureGrid:
        grid.patches[:] = 65504.0
        return grid

    shard = ensure_shard(tmp_path, job(extractor=Means(largest), **HALF), quiet)
    assert (shard.patches() == 65504.0).all()


def test_images_that_are_not_there_may_have_any_features(tmp_path):
    """A batch is filled up: what an extractor makes of nothing is never read."""

    def spoil(grid: FeatureGrid, call: int) -> FeatureGrid:
        grid.patches[5:] = 1e30
        return grid

    assert values(ensure_shard(tmp_path, job(5, Means(spoil), **HALF), quiet)) == [0, 1, 2, 3, 4]


class Slow(Means):
    """Takes its time in each call, the most in the first."""

    def extract(self, images: np.ndarray) -> FeatureGrid:
        time.sleep(0.16 if self.seen else 0.48)
        return super().extract(images)


@pytest.mark.parametrize(("count", "expected"), [(3 * BATCH, 10.0), (5, 30.0)])
def test_an_entry_tells_network_and_decoding_apart_without_the_first_batch(
    tmp_path: Path, count: int, expected: float
) -> None:
    entry = ensure_shard(tmp_path, job(count, Slow()), quiet).entry
    assert entry.network_ms == pytest.approx(expected, rel=0.3)  # of full batches, however few
    assert entry.decode_ms is not None
    assert 0 < entry.decode_ms < 5
    assert entry.extract_ms >= 0.9 * sum([0.48, *[0.16] * (-(-count // BATCH) - 1)]) * 1000 / count


@dataclass
class AsTheyAre(Means):
    """The images themselves, and a byte of each as its embedding."""

    def extract(self, images: np.ndarray) -> FeatureGrid:
        self.seen.append(len(images))
        given = FeatureGrid(images.astype(np.float32), images[:, 0, 0].astype(np.float32))
        return self.change(given, len(self.seen))


BYTES = {"identity": {"use": "pixels", "stored_as": "uint8"}}


def test_pixels_are_kept_as_bytes_and_read_as_they_were(tmp_path):
    shard = ensure_shard(tmp_path, job(20, AsTheyAre(), **BYTES), quiet)
    assert shard.patches().dtype == shard.embeddings().dtype == np.uint8
    assert shard.entry.bytes["patches.npy"] == 128 + 20 * 4 * 4 * 3
    features = CachedFeatures.over({0: shard}, [(0, i) for i in range(20)])
    read = features.read(np.array([7, 3]))
    assert read.patches.dtype == np.float32
    assert (read.patches.min(axis=(1, 2, 3)).tolist(), read.patches.max()) == ([7, 3], 7)
    assert features.rows(np.array([19 * 16])).tolist() == [[19, 19, 19]]
    assert features.image_vectors().dtype == np.float32


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda grid: FeatureGrid(grid.patches + np.float32(0.5), grid.embeddings), "hold 0.5"),
        (lambda grid: FeatureGrid(grid.patches - 1, grid.embeddings), "hold -1, and pixels are"),
        (lambda grid: FeatureGrid(grid.patches, grid.embeddings + 300), "embeddings of 0 hold 300"),
        (lambda grid: FeatureGrid(grid.patches[:, :2], grid.embeddings), r"expected \(16, 4, 4, 3"),
    ],
)
def test_what_is_no_pixel_is_refused_and_leaves_no_entry(tmp_path, change, says):
    extractor = AsTheyAre(lambda grid, call: change(grid))
    with pytest.raises(ContractError, match=says):
        ensure_shard(tmp_path, job(20, extractor, **BYTES), quiet)
    assert entries(tmp_path) == []
