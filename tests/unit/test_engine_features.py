"""Features on disk answer like the same features in memory."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness.engine.features import CachedFeatures
from adharness.engine.shard_entry import Shard, ShardEntry, open_shard
from adharness.errors import StoreError
from adharness.testing.worlds import ToyFeatures

GRID, DIM, WIDTH = (2, 3), 4, 5


def write(folder: Path, patches: np.ndarray, embeddings: np.ndarray | None) -> Shard:
    folder.mkdir()
    arrays = {"patches": patches} | ({} if embeddings is None else {"embeddings": embeddings})
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    entry = ShardEntry(
        count=len(patches), grid=GRID, dim=DIM, sizes=[(8, 8)] * len(patches), input_size=(8, 8),
        embedding_dim=None if embeddings is None else WIDTH, skipped={}, extract_ms=1.0,
        bytes={f"{n}.npy": (folder / f"{n}.npy").stat().st_size for n in arrays}, identity={},
    )  # fmt: skip
    (folder / "entry.json").write_text(json.dumps(entry.model_dump(mode="json")))
    return Shard(folder, entry)


def world(folder: Path, seed: int, counts: list[int], embedded: bool) -> tuple:
    """The same images twice: in shards, shuffled, and in memory."""
    rng = np.random.default_rng(seed)
    total = sum(counts)
    patches = rng.normal(size=(total, *GRID, DIM)).astype(np.float32)
    embeddings = rng.normal(size=(total, WIDTH)).astype(np.float32) if embedded else None
    order = rng.permutation(total)
    owner = np.repeat(np.arange(len(counts)), counts)
    shards, places = {}, [("", 0)] * total
    for number in range(len(counts)):
        mine = order[owner == number]
        of_images = None if embeddings is None else embeddings[mine]
        shards[f"c{number}"] = write(folder / f"c{number}", patches[mine], of_images)
        for row, image in enumerate(mine):
            places[image] = (f"c{number}", row)
    return CachedFeatures.over(shards, places), ToyFeatures(patches, embeddings)


@given(
    seed=st.integers(0, 999),
    counts=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    embedded=st.booleans(),
    data=st.data(),
)
@settings(max_examples=30, deadline=None)
def test_cached_features_read_like_plain_arrays(seed, counts, embedded, data):
    with tempfile.TemporaryDirectory() as name:
        cached, plain = world(Path(name), seed, counts, embedded)
        total = sum(counts)
        images = np.array(data.draw(st.lists(st.integers(0, total - 1), max_size=8)), np.int64)
        flat = np.array(data.draw(st.lists(st.integers(0, total * 6 - 1), max_size=9)), np.int64)
        size = data.draw(st.integers(1, 5))
        assert (cached.count, cached.grid, cached.dim) == (plain.count, plain.grid, plain.dim)
        assert cached.embedding_dim == plain.embedding_dim
        pairs = [(cached.read(images), plain.read(images))]
        pairs += zip(cached.batches(size), plain.batches(size), strict=True)
        pairs.append((cached.subset(images).read(np.arange(len(images))), plain.read(images)))
        for one, other in pairs:
            np.testing.assert_array_equal(one.patches, other.patches)
            if embedded:
                np.testing.assert_array_equal(one.embeddings, other.embeddings)
            else:
                assert one.embeddings is None
        np.testing.assert_array_equal(cached.rows(flat), plain.rows(flat))
        if embedded:
            np.testing.assert_array_equal(cached.embeddings(), plain.embeddings)
        else:
            assert cached.embeddings() is None


@pytest.mark.parametrize("ask", [
    lambda features: features.read(np.array([0, 1])),
    lambda features: features.rows(np.array([6])),
    lambda features: list(features.batches()),
])  # fmt: skip
def test_a_class_that_was_not_extracted_cannot_be_read(tmp_path, ask):
    shard = write(tmp_path / "c", np.zeros((1, *GRID, DIM), np.float32), None)
    features = CachedFeatures.over({"c": shard}, [("c", 0), ("missing", 0)])
    assert features.read(np.array([0])).patches.shape == (1, *GRID, DIM)
    with pytest.raises(StoreError, match="not extracted"):
        ask(features)


@pytest.mark.parametrize("name", ["patches.npy", "embeddings.npy", "entry.json"])
def test_a_shard_with_a_cut_or_missing_file_is_not_opened(tmp_path, name):
    embeddings = np.zeros((3, WIDTH), np.float32)
    write(tmp_path / "c", np.zeros((3, *GRID, DIM), np.float32), embeddings)
    assert open_shard(tmp_path / "c") is not None
    file = tmp_path / "c" / name
    file.write_bytes(file.read_bytes()[:-1])
    assert open_shard(tmp_path / "c") is None
    file.unlink()
    assert open_shard(tmp_path / "c") is None


def test_a_shard_of_another_format_is_not_opened(tmp_path):
    write(tmp_path / "c", np.zeros((1, *GRID, DIM), np.float32), None)
    entry = tmp_path / "c" / "entry.json"
    entry.write_text(entry.read_text().replace('"count"', '"number"'))
    assert open_shard(tmp_path / "c") is None


def test_mapped_features_cannot_be_changed(tmp_path):
    shard = write(tmp_path / "c", np.zeros((1, *GRID, DIM), np.float32), None)
    with pytest.raises(ValueError, match="read-only"):
        shard.patches()[0] = 1
