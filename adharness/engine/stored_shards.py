"""The features of a data set as the cache holds them: nothing is extracted, no network loaded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from adharness.engine.extract import feature_key
from adharness.engine.parts import Part, PartKey, parts_of
from adharness.engine.shard_entry import Shard, ShardEntry, Tick, damage_of, open_shard
from adharness.engine.survey import Survey
from adharness.errors import StoreError


def stored_shards(
    survey: Survey,
    identity: Mapping[str, Any],
    cache: Path,
    on_error: Literal["fail", "skip"] = "fail",
    *,
    verified: bool = False,
) -> tuple[dict[PartKey, Shard], list[Part]]:
    """Open the shards of a data set by their entries.

    Parameters
    ----------
    identity
        Of the extractor, from `extractor_identity`.
    on_error
        `fail`: an entry that skipped images counts as not there.
    verified
        The checksums were compared a moment ago, such as by the process that extracted; otherwise
        each shard is compared before it is first read.

    Returns
    -------
    The shards, and the parts that the cache does not hold. Reading arrays that were pruned or are
    damaged raises StoreError.
    """
    shards: dict[PartKey, Shard] = {}
    missing: list[Part] = []
    for part in parts_of(survey):
        key = feature_key(identity, [part.survey.hashes[i] for i in part.positions])
        found = open_shard(cache / "features" / key)
        if found is None or (on_error == "fail" and found.entry.skipped):
            missing.append(part)
            continue
        if not verified:
            found.secure = partial(_verified, Shard(found.folder, found.entry))
        shards[part.key] = found
    return shards, missing


def _verified(shard: Shard, tick: Tick | None) -> ShardEntry:
    if tick:
        tick(shard.entry.count, True)
    damage = damage_of(shard)
    if damage:
        raise StoreError(
            f"features in the cache are damaged: {damage}",
            hint="adharness cache verify removes them, adharness run SUITE extracts them again",
            where=str(shard.folder),
        )
    return shard.entry
