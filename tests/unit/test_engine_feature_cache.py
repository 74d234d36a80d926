"""The cache as a whole: listed, verified, pruned, and never under a run's feet."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from adharness.cli.cache import size_text
from adharness.cli.main import run as cli
from adharness.engine.feature_cache import FeatureCache
from adharness.engine.shard_entry import ShardEntry, damage_of, open_shard
from adharness.errors import StoreError
from adharness.store.files import sha256_of

DAY_S = 86_400.0


def put(cache: Path, name: str, images: int = 4, days_ago: float = 1.0) -> Path:
    folder = cache / "features" / name
    folder.mkdir(parents=True)
    np.save(folder / "patches.npy", np.full((images, 2, 2, 3), 7, np.float32))
    file = folder / "patches.npy"
    entry = ShardEntry(
        count=images,
        grid=(2, 2),
        dim=3,
        embedding_dim=None,
        sizes=[(4, 4)] * images,
        input_size=(4, 4),
        skipped={},
        extract_ms=1.0,
        bytes={file.name: file.stat().st_size},
        sha256={file.name: sha256_of(file)},
        identity={"use": "means"},
    )
    (folder / "entry.json").write_text(entry.model_dump_json())
    age(folder, days_ago)
    return folder


def age(folder: Path, days: float) -> None:
    then = time.time() - days * DAY_S
    for path in folder.iterdir():
        os.utime(path, (then, then))


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def names(cache: Path) -> set[str]:
    return {path.name for path in (cache / "features").iterdir() if path.is_dir()}


def kept(cache: Path) -> set[str]:
    """Names of the entries that still have their arrays."""
    return {path.parent.name for path in (cache / "features").glob("*/patches.npy")}


def test_a_cache_that_is_not_there_is_empty(tmp_path):
    held = FeatureCache(tmp_path / "none")
    assert held.entries() == []
    assert list(held.verify()) == []
    assert held.prune(0) == []
    assert not (tmp_path / "none").exists()


def test_the_entry_used_last_comes_first(tmp_path):
    put(tmp_path, "old", days_ago=3)
    put(tmp_path, "new", days_ago=1)
    put(tmp_path, "older", days_ago=9)
    assert [e.name for e in FeatureCache(tmp_path).entries()] == ["new", "old", "older"]


def test_one_flipped_bit_is_found_named_and_removed(tmp_path):
    put(tmp_path, "good")
    flip(put(tmp_path, "bad") / "patches.npy")
    assert open_shard(tmp_path / "features" / "bad") is not None  # its sizes are right
    found = {e.name: why for e, why in FeatureCache(tmp_path).verify()}
    assert found == {"good": None, "bad": "patches.npy is not what was written"}
    assert kept(tmp_path) == {"good"}


def test_a_missing_file_is_damage(tmp_path):
    shard = open_shard(put(tmp_path, "a"))
    assert shard is not None
    (shard.folder / "patches.npy").unlink()
    assert "cannot be read" in (damage_of(shard) or "")


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    put(tmp_path, "good")
    half = put(tmp_path, ".half.part")
    (half / "entry.json").unlink()
    assert {e.name: why for e, why in FeatureCache(tmp_path).verify()} == {
        "good": None,
        ".half.part": "not whole",
    }
    assert names(tmp_path) == {"good"}


def test_what_a_run_is_writing_is_left_alone(tmp_path):
    half = put(tmp_path, ".busy.part")
    (half / "entry.json").unlink()
    with FileLock(f"{tmp_path}/features/busy.lock"):
        assert list(FeatureCache(tmp_path).verify()) == []
        assert FeatureCache(tmp_path).prune(0) == []
    assert names(tmp_path) == {".busy.part"}
    assert len(FeatureCache(tmp_path).prune(0)) == 1


def test_pruning_removes_what_was_not_used_for_longest_until_it_fits(tmp_path):
    sizes = {name: put(tmp_path, name, days_ago=d) for name, d in (("a", 1), ("b", 2), ("c", 3))}
    one = FeatureCache(tmp_path).entries()[0].size_bytes
    assert [e.name for e in FeatureCache(tmp_path).prune(2 * one, dry_run=True)] == ["c"]
    assert kept(tmp_path) == set(sizes)
    assert [e.name for e in FeatureCache(tmp_path).prune(2 * one)] == ["c"]
    assert [e.name for e in FeatureCache(tmp_path).prune(2 * one - 1)] == ["b"]
    assert FeatureCache(tmp_path).prune(one) == []
    assert [e.name for e in FeatureCache(tmp_path).prune(0)] == ["a"]
    assert FeatureCache(tmp_path).prune(0) == []
    assert (kept(tmp_path), names(tmp_path)) == (set(), set(sizes))


def test_the_record_of_what_is_pruned_stays_and_nobody_reads_its_arrays(tmp_path):
    before = open_shard(put(tmp_path, "a", days_ago=3))
    used = FeatureCache(tmp_path).entries()[0].used
    FeatureCache(tmp_path).prune(0)
    shard = open_shard(tmp_path / "features" / "a")
    assert before
    assert shard
    assert shard.entry == before.entry.model_copy(update={"pruned": True})
    assert damage_of(shard) is None
    with pytest.raises(StoreError, match="were pruned from the cache"):
        shard.patches()
    (entry,) = FeatureCache(tmp_path).entries()
    assert (entry.pruned, entry.used) == (True, used)
    assert list(FeatureCache(tmp_path).verify()) == []


def test_a_pruning_that_was_killed_half_way_is_ended_by_the_next(tmp_path):
    folder = put(tmp_path, "a")
    entry = json.loads((folder / "entry.json").read_text())
    (folder / "entry.json").write_text(json.dumps(entry | {"pruned": True}))
    age(folder, 1)
    assert [e.pruned for e in FeatureCache(tmp_path).entries()] == [False]
    assert [e.name for e in FeatureCache(tmp_path).prune(0)] == ["a"]
    assert not (folder / "patches.npy").exists()


def test_what_was_used_within_the_hour_stays(tmp_path):
    put(tmp_path, "fresh", days_ago=0)
    assert FeatureCache(tmp_path).prune(0) == []
    assert names(tmp_path) == {"fresh"}


def test_the_commands_say_what_they_did(tmp_path, capsys):
    flip(put(tmp_path, "bad") / "patches.npy")
    put(tmp_path, "good", days_ago=2)
    where = ["--cache-dir", str(tmp_path)]
    assert cli(["cache", "list", "--json", *where]) == 0
    told = json.loads(capsys.readouterr().out)["entries"]
    assert [each["entry"] for each in told] == ["bad", "good"]
    assert told[0]["extractor"] == {"use": "means"}
    assert cli(["cache", "verify", *where]) == 1
    assert "1 sound, 1 damaged and removed" in capsys.readouterr().out
    assert cli(["cache", "verify", *where]) == 0
    assert "1 sound, 0 damaged and removed, 1 pruned" in capsys.readouterr().out
    assert cli(["cache", "prune", "--keep", "0", *where]) == 0
    printed = capsys.readouterr().out
    assert "removed good: means" in printed
    assert "0 B left" in printed
    assert cli(["cache", "list", "--json", *where]) == 0
    told = json.loads(capsys.readouterr().out)["entries"]
    assert [each["pruned"] for each in told] == [True, True]
    assert cli(["cache", "list", *where]) == 0
    assert capsys.readouterr().out.count("pruned") == 2


@pytest.mark.parametrize("text", ["fast", "12 furlongs", "-1GB", "", "1e9", "GB"])
def test_a_size_that_is_none_is_refused(tmp_path, capsys, text):
    assert cli(["cache", "prune", f"--keep={text}", "--cache-dir", str(tmp_path)]) == 2
    assert "is no size: write 50GB, 500MB or 20GiB" in capsys.readouterr().err


@pytest.mark.parametrize(("count", "text"), [
    (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (56_100_000, "56.1 MB"), (2e12, "2.0 TB"),
])  # fmt: skip
def test_sizes_are_written_as_disks_are_sold(count, text):
    assert size_text(count) == text
