"""`adharness save`: take one method of a run's board along, to score new images with it."""

from __future__ import annotations

from pathlib import Path

import click

from adharness.cli import render
from adharness.cli.installed import read_registry
from adharness.cli.progress import shown
from adharness.cli.run import FOLDER, cache_folder, chosen, environment_path
from adharness.engine.events import Listener, StageStarted, StepDone, StepStarted, relayed
from adharness.engine.extraction import Extraction, RunContext
from adharness.engine.family import imports_of
from adharness.engine.group import open_group
from adharness.engine.saving import CellSaver
from adharness.engine.survey import survey
from adharness.errors import StoreError, SuiteError
from adharness.plan import PROTOCOLS, Cell, Plan, expand
from adharness.registry import Registry
from adharness.store.folder import RunFolder
from adharness.store.provenance import Installed
from adharness.store.records import CellRecord
from adharness.suite.bind import Overrides, bind
from adharness.suite.load import parse_suite


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=FOLDER, required=True, help="Folder to write; it must not exist.")
@click.option("--only", multiple=True, metavar="KEY=VALUE", help="Which cell: method=patchcore")
@click.option("--data-root", type=FOLDER, help="Folder of the data sets; beats ADHARNESS_DATA.")
@click.option("--cache-dir", type=FOLDER, help="Folder of the features; beats ADHARNESS_CACHE.")
@click.option("--device", help="auto, cpu or cuda; beats the suite.")
@click.option("--quiet", "-q", is_flag=True, help="Print failures and the result only.")
def save(  # noqa: PLR0913 - one argument an option
    run: Path,
    out: Path,
    only: tuple[str, ...],
    data_root: Path | None,
    cache_dir: Path | None,
    device: str | None,
    *,
    quiet: bool,
) -> None:
    """Save one method of RUN, with its thresholds, for `adharness score`.

    The models are fitted again from the cached features with the run's seed, written, read back,
    and compared with the run's scores: the last bit counts.
    """
    folder, registry = RunFolder(run), read_registry()
    record = folder.run()
    overrides = Overrides(data_root, environment_path("ADHARNESS_DATA"), device)
    suite = bind(parse_suite(Path(record.suite_file), record.suite_text), registry, overrides)
    suite = suite.with_splits(folder.path / "splits")  # wherever the file is by now
    cell = _one_cell(chosen(expand(suite), only))
    if imports_of(cell) == ["scores"]:
        raise StoreError(f"the scores of '{cell.method.name}' were made elsewhere, with no model")
    if PROTOCOLS[cell.protocol].routed:
        raise StoreError(
            f"'{cell.method.name}' under {cell.protocol} is models and a router: not saved yet",
            hint="save a cell of another protocol, such as --only protocol=per-class",
        )
    stored = _record_of(cell, folder, record.cells)
    with shown(quiet=quiet) as listener:
        cache = cache_dir or cache_folder()
        here = survey(suite, cell.dataset, limit=record.limit, cache=cache)
        listener(StageStarted("extract", len(here.samples), "images"))
        context = RunContext(cache, suite.on_error, Installed(), listener)
        extracted = Extraction(here, cell.method.extractor, context).extracted()
        group = open_group(here, (cell,), extracted, context)
        saver = CellSaver(record.suite, cell, stored, group, folder)
        count = _saved(saver, out, registry, listener)
    render.print_line(
        f"{cell.method.name}, {cell.protocol}: saved to {out}; {count} images of the run score "
        "the same, to the last bit"
    )
    render.print_line(f"next: adharness score {out} IMAGES...")


def _saved(saver: CellSaver, out: Path, registry: Registry, listener: Listener) -> int:
    listener(StageStarted("fit and score", 1, "method"))
    listener(StepStarted("fit and score", saver.cell.method.name))
    with relayed(listener, "fit and score"):
        checked = saver.save(out, registry)
    listener(StepDone("fit and score"))
    return checked


def _one_cell(plan: Plan) -> Cell:
    """Give the only cell; raises SuiteError with what tells several apart."""
    if len(plan.cells) == 1:
        return plan.cells[0]
    fields = [cell.fields() for cell in plan.cells]
    open_keys = {key: sorted({f[key] for f in fields}) for key in fields[0]}
    choices = [f"--only {key}={values[0]}" for key, values in open_keys.items() if len(values) > 1]
    raise SuiteError(
        f"{len(plan.cells)} cells of the run match, and one can be saved",
        hint=f"choose, such as with {' '.join(choices)}",
    )


def _record_of(cell: Cell, folder: RunFolder, ids: list[str]) -> CellRecord:
    wanted = cell.fields()
    for identity in ids:
        record = folder.cell(identity)
        if record and all(str(getattr(record, key)) == value for key, value in wanted.items()):
            if not record.thresholds:
                raise StoreError(f"'{cell.method.name}' failed in this run: see the board")
            return record
    raise StoreError(
        f"this run stored no cell of '{cell.method.name}' under {cell.protocol}",
        hint="run the suite again, without --only",
    )
