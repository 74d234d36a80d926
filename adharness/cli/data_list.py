"""`adharness data list`: the data sets that are installed, and whether their files are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from adharness.cli import render
from adharness.cli.installed import read_registry
from adharness.cli.run import FOLDER, environment_path
from adharness.contracts import DatasetSpec
from adharness.data.doctor.recognise import Trial, ask, takes_root
from adharness.suite.bind import Overrides


@click.command("list")
@click.option("--data-root", type=FOLDER, help="Folder of the data sets; beats ADHARNESS_DATA.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_sets(data_root: Path | None, *, as_json: bool) -> None:
    """List the data sets: classes, licence, where they come from, and whether they are here."""
    overrides = Overrides(data_root, environment_path("ADHARNESS_DATA"))
    specs = [c.spec for c in read_registry().of_kind("dataset")]
    listed = [_facts(spec, overrides) for spec in specs if isinstance(spec, DatasetSpec)]
    if as_json:
        render.print_json({"schema": 1, "data_sets": listed})
        return
    columns = ("name", "classes", "licence", "pixels on a page", "here", "comes from")
    render.print_table(columns, [_row(facts) for facts in listed], empty="no data set is installed")
    if overrides.data_root is None and overrides.environment_root is None:
        render.print_line("")
        render.print_line("--data-root DIR or ADHARNESS_DATA says where sets on your disk are")


def _facts(spec: DatasetSpec, overrides: Overrides) -> dict[str, Any]:
    root = overrides.dataset_root(spec.name)
    trial = ask(spec, root)
    licence = trial.dataset.licence if trial.dataset else None
    return {
        "name": spec.name,
        "summary": spec.summary,
        "classes": list(_classes(spec, trial)),
        "licence": licence.name if licence else None,
        "show_pixels": licence.show_pixels if licence else None,
        "url": spec.url or None,
        "found": trial.images is not None,
        "images": trial.images,
        "root": str(root) if takes_root(spec) and root is not None else None,
        "refusal": trial.refusal or None,
        "fetchable": spec.download is not None,
    }


def _classes(spec: DatasetSpec, trial: Trial) -> tuple[str, ...]:
    if spec.expected is not None:
        return spec.expected.classes
    if trial.dataset is None or trial.images is None:
        return ()
    return tuple(sorted({sample.class_name for sample in trial.dataset.samples()}))


def _row(facts: dict[str, Any]) -> render.Row:
    count = len(facts["classes"])
    shown = {True: "yes", False: "no", None: "-"}[facts["show_pixels"]]
    return render.Row(
        (
            facts["name"],
            str(count) if count else "any",
            facts["licence"] or "-",
            shown,
            _here(facts),
            facts["url"] or "your own files",
        )
    )


def _here(facts: dict[str, Any]) -> str:
    if facts["found"]:
        return f"yes, {facts['images']:,} images"
    return f"no: adharness data fetch {facts['name']}" if facts["fetchable"] else "no"
