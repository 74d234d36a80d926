"""`adharness data fetch`: get a data set whose owners let anybody have it."""

from __future__ import annotations

from pathlib import Path

import click

from adharness.cli import render
from adharness.cli.installed import read_registry
from adharness.cli.run import FOLDER, environment_path
from adharness.cli.told import told_as
from adharness.contracts import DatasetSpec
from adharness.data.doctor.recognise import ask, takes_root
from adharness.data.fetch import fetch_set
from adharness.errors import DataError


@click.command()
@click.argument("name")
@click.option(
    "--out", type=FOLDER, help="Folder of the data sets.  [default: ADHARNESS_DATA, else data]"
)
@click.option("--accept-licence", is_flag=True, help="You have read the licence and accept it.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def fetch(name: str, out: Path | None, *, accept_licence: bool, quiet: bool) -> None:
    """Download a data set, verify its checksum and unpack it.

    A download that was stopped goes on where it was. For a set whose owners want to be asked first
    it says what to do by hand.
    """
    spec = read_registry().find("dataset", name).spec
    assert isinstance(spec, DatasetSpec)  # noqa: S101  a component of this kind
    if not takes_root(spec):
        _comes_along(spec)
        return
    folder = out or environment_path("ADHARNESS_DATA") or Path("data")
    with told_as({"MB": "download", "files": "unpack"}, spec.name, quiet=quiet):
        root = fetch_set(spec, folder, accepted=accept_licence)
    render.print_line(f"{spec.name}: {root}")
    render.print_line(f"next: adharness data doctor {root}")
    render.print_line(f"then: adharness run SUITE --data-root {folder}")


def _comes_along(spec: DatasetSpec) -> None:
    """Say of a set without a folder whether it is there. Raises DataError where it is not."""
    trial = ask(spec, None)
    if trial.images is None:
        raise DataError(
            f"{spec.name!r} comes with a package: {trial.refusal}",
            hint=f"adharness components dataset {spec.name}",
        )
    render.print_line(f"{spec.name}: nothing to fetch, its {trial.images:,} images are here")
