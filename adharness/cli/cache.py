"""`adharness cache`: what the cache of features holds, whether it is sound, and making room."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from adharness.cli import exit_codes, render
from adharness.cli.run import FOLDER, cache_folder
from adharness.engine.feature_cache import CacheEntry, FeatureCache
from adharness.engine.room import size_text
from adharness.engine.shard_entry import Shard

_UNITS = {
    "": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
    "b": 1,
}
_WHERE = click.option(
    "--cache-dir", type=FOLDER, help="Folder of the features; beats ADHARNESS_CACHE."
)


def size(text: str) -> int:
    """Read a number of bytes: `50GB`, `1.5 GiB`, `0`. Raises BadParameter, which says how."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text.lower())
    if found is None or found[2] not in _UNITS:
        raise click.BadParameter(f"'{text}' is no size: write 50GB, 500MB or 20GiB")
    return int(float(found[1]) * _UNITS[found[2]])


@click.group()
def cache() -> None:
    """Look at the cached features, verify them, or make room.

    Features are extracted once for each class and extractor and shared by all methods and suites.
    Removing any of them loses time, never a result: a small record stays, and the features are
    extracted again if a model has still to be fitted on them.
    """


@cache.command("list")
@_WHERE
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_entries(cache_dir: Path | None, *, as_json: bool) -> None:
    """List what is in the cache, the features used last first."""
    held = FeatureCache(cache_dir or cache_folder())
    entries = held.entries()
    if as_json:
        told = [_facts(entry) for entry in entries]
        render.print_json({"schema": 1, "folder": str(held.folder), "entries": told})
        return
    columns = ("entry", "extractor", "images", "grid", "size", "last used")
    render.print_table(columns, [_row(entry) for entry in entries], empty="the cache is empty")
    render.print_line(f"{size_text(_total(entries))} in {held.folder}")


@cache.command()
@_WHERE
@click.pass_context
def verify(ctx: click.Context, cache_dir: Path | None) -> None:
    """Read all of it and remove what is damaged; a run that needs it makes it again. Exit 1 if any.

    A run verifies what it uses by itself.
    """
    sound, wrong = 0, 0
    held = FeatureCache(cache_dir or cache_folder())
    pruned = sum(entry.pruned for entry in held.entries())
    for entry, why in held.verify():
        if why is None:
            sound += 1
            continue
        wrong += 1
        render.print_line(f"removed {entry.name}: {why}")
    also = f", {pruned} pruned" if pruned else ""
    render.print_line(f"{sound} sound, {wrong} damaged and removed{also}")
    ctx.exit(exit_codes.CELLS_FAILED if wrong else exit_codes.FINE)


@cache.command()
@click.option("--keep", type=size, required=True, help="At most this much stays: 50GB, 20GiB, 0.")
@_WHERE
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
def prune(keep: int, cache_dir: Path | None, *, dry_run: bool) -> None:
    """Remove the features that were not used for longest; a small record of each stays.

    What a run uses now, or used within the hour, stays.
    """
    held = FeatureCache(cache_dir or cache_folder())
    gone = held.prune(keep, dry_run=dry_run)
    would = "would remove" if dry_run else "removed"
    for entry in gone:
        render.print_line(f"{would} {entry.name}: {_extractor(entry.shard)}, {_size(entry)}")
    left = _total([e for e in held.entries() if not e.pruned]) - (_total(gone) if dry_run else 0)
    render.print_line(f"{would} {size_text(_total(gone))}; {size_text(left)} left")
    if left > keep:
        render.print_note("more is left than asked for: it was used within the hour")


def _total(entries: list[CacheEntry]) -> int:
    return sum(entry.size_bytes for entry in entries)


def _size(entry: CacheEntry) -> str:
    return size_text(entry.size_bytes)


def _extractor(shard: Shard | None) -> str:
    return "not whole" if shard is None else str(shard.entry.identity.get("use", "unknown"))


def _row(entry: CacheEntry) -> render.Row:
    shard = entry.shard
    used = datetime.fromtimestamp(entry.used).astimezone().strftime("%Y-%m-%d %H:%M")
    shape = (
        "-"
        if shard is None
        else f"{shard.entry.grid[0]} x {shard.entry.grid[1]} x {shard.entry.dim}"
        + f" {shard.entry.identity.get('stored_as', '')}".rstrip()
    )
    images = "-" if shard is None else f"{shard.entry.count:,}"
    size = "pruned" if entry.pruned else _size(entry)
    cells = (entry.name[:12], _extractor(shard), images, shape, size, used)
    return render.Row(cells, bad=shard is None)


def _facts(entry: CacheEntry) -> dict[str, Any]:
    shard = entry.shard
    return {
        "entry": entry.name,
        "size_bytes": entry.size_bytes,
        "used": datetime.fromtimestamp(entry.used).astimezone().isoformat(timespec="seconds"),
        "whole": shard is not None,
        "pruned": entry.pruned,
        "images": shard.entry.count if shard else None,
        "grid": list(shard.entry.grid) if shard else None,
        "dim": shard.entry.dim if shard else None,
        "extractor": shard.entry.identity if shard else None,
    }
