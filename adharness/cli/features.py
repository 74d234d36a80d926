"""`adharness features export`: features as files that `precomputed` and others read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import numpy as np

from adharness.arrays import AnyArray
from adharness.cli import render
from adharness.cli.installed import read_registry
from adharness.cli.progress import shown
from adharness.cli.run import FOLDER, cache_folder, environment_path
from adharness.contracts import Sample
from adharness.engine.events import StageStarted
from adharness.engine.extraction import Extraction, RunContext
from adharness.engine.shard_entry import Shard
from adharness.engine.survey import Survey, survey
from adharness.errors import DataError, SuiteError
from adharness.exchange.feature_files import write_table
from adharness.store.provenance import Installed
from adharness.suggest import closest
from adharness.suite.bind import Bound, BoundDataset, BoundSuite, Overrides, bind
from adharness.suite.load import load_suite


@click.group()
def features() -> None:
    """Features as files of their own."""


@features.command()
@click.argument("suite", type=click.Path(path_type=Path))
@click.option("--extractor", required=True, metavar="NAME", help="As the suite calls it.")
@click.option("--out", type=FOLDER, required=True, help="Folder of the files.")
@click.option("--data", metavar="NAME", help="Which data set, where the suite has several.")
@click.option("--data-root", type=FOLDER, help="Folder of the data sets; beats ADHARNESS_DATA.")
@click.option("--cache-dir", type=FOLDER, help="Folder of the features; beats ADHARNESS_CACHE.")
@click.option("--device", help="auto, cpu or cuda; beats the suite.")
@click.option("--limit", type=click.IntRange(min=2), help="At most N images a class and kind.")
def export(  # noqa: PLR0913, PLR0917 - one argument an option
    suite: Path,
    extractor: str,
    out: Path,
    data: str | None,
    data_root: Path | None,
    cache_dir: Path | None,
    device: str | None,
    limit: int | None,
) -> None:
    """Write the features of all images of SUITE: `{class}_NAME.npz` and `{class}_meta.csv`.

    They are read back with `{use: precomputed, root: OUT, features: "{cat}_NAME.npz"}`, and every
    score is then the same to the last bit.
    """
    overrides = Overrides(data_root, environment_path("ADHARNESS_DATA"), device)
    bound = bind(load_suite(suite), read_registry(), overrides)
    chosen, dataset = _extractor(bound, extractor), _dataset(bound, data)
    with shown(quiet=False) as listener:
        here = survey(bound, dataset, limit=limit)
        listener(StageStarted("extract", len(here.samples), "images"))
        context = RunContext(cache_dir or cache_folder(), bound.on_error, Installed(), listener)
        extracted = Extraction(here, chosen, context).extracted()
    for failure in extracted.failures.values():
        raise DataError(failure.message, hint=failure.hint, where=failure.where)
    shards = extracted.shards
    for (name, _), shard in shards.items():
        _write(out, name, extractor, here, shard)
    render.print_line(f"{len(here.samples)} images of {len(shards)} classes: {out}")
    files = f"root: {out}, features: '{{cat}}_{extractor}.npz'"
    render.print_line(f"next: {{use: precomputed, {files}}}")


def _extractor(suite: BoundSuite, name: str) -> Bound:
    known = {method.extractor_name: method.extractor for method in suite.methods}
    if name not in known:
        hint = closest(name, known, otherwise="the suite's methods use")
        raise SuiteError(f"no method of the suite uses an extractor '{name}'", hint=hint)
    return known[name]


def _dataset(suite: BoundSuite, name: str | None) -> BoundDataset:
    # Corrupted images have the names of the clean ones: a file could not tell them apart.
    known = {bound.name: bound for bound in suite.data if bound.shift is None}
    if name is None and len(known) > 1:
        raise SuiteError(
            f"the suite has {len(known)} data sets, and one can be exported at a time",
            hint=f"choose with --data: {', '.join(known)}",
        )
    if name is not None and name not in known:
        hint = closest(name, known, otherwise="the suite has")
        raise SuiteError(f"the suite has no data set '{name}'", hint=hint)
    return known[name or suite.data[0].name]


def _write(folder: Path, class_name: str, backbone: str, here: Survey, shard: Shard) -> None:
    entry = shard.entry
    kept = np.array([i for i in range(entry.count) if i not in entry.skipped], dtype=np.int64)
    samples = [here.samples[i] for i in here.of_class(class_name)[kept]]
    write_table(
        folder / f"{class_name}_{backbone}.npz",
        folder / f"{class_name}_meta.csv",
        _arrays(shard, None if len(kept) == entry.count else kept),
        _rows(samples, [entry.sizes[i] for i in kept]),
    )


def _arrays(shard: Shard, kept: AnyArray | None) -> Mapping[str, AnyArray]:
    """Give the arrays of the npz, float32; they stay on disk where all rows are `kept` (None)."""
    entry = shard.entry
    if entry.pad:
        raise SuiteError(
            "features of padded images cannot be exported: a file has one shape for all images",
            hint="export those of an extractor without `pad`",
        )
    top, bottom, left, right = entry.margins
    height, width = entry.input_size
    patches = shard.patches().reshape(entry.count, -1, entry.dim)
    patches = patches.astype(np.float32, copy=False)
    arrays = {
        "patches": patches if kept is None else patches[kept],
        "patch_hw": np.array(entry.grid, dtype=np.int64),
        "input_hw": np.array(entry.input_size, dtype=np.int64),
        "resize_hw": np.array([height + top + bottom, width + left + right], dtype=np.int64),
    }
    if entry.embedding_dim is not None:
        embeddings = shard.embeddings().astype(np.float32, copy=False)
        arrays["cls"] = embeddings if kept is None else embeddings[kept]
    return arrays


def _rows(
    samples: Sequence[Sample], sizes: Sequence[tuple[int, int]]
) -> list[tuple[str, int, int]]:
    return [(s.path, height, width) for s, (height, width) in zip(samples, sizes, strict=True)]
