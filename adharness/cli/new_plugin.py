"""`adharness new-plugin`: a package with a component that works, to be changed into one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from adharness.cli import render
from adharness.cli.components import Kind
from adharness.cli.installed import read_registry
from adharness.cli.run import FOLDER
from adharness.registry import Registry
from adharness.scaffold import KINDS, Plugin, PluginName, refuse_taken, write
from adharness.scaffold import render as render_files


@click.command("new-plugin")
@click.argument("name")
@click.option("--kind", type=Kind(KINDS), default="scorer", show_default=True)
@click.option("--out", type=FOLDER, help="Folder to write.  [default: ./adharness-NAME]")
@click.option("--author", help="Your name, for pyproject.toml.")
def new_plugin(name: str, kind: str, out: Path | None, author: str | None) -> None:
    """Write a package with a component NAME that works, its tests, and a suite to run it.

    NAME is lower-case words joined by hyphens, such as my-scorer. Nothing is overwritten.
    """
    plugin = Plugin(PluginName.parsed(name), kind, author)
    registry = read_registry()
    refuse_taken(plugin, registry)
    folder = out or Path(plugin.name.distribution)
    files = render_files(plugin)
    write(files, folder)
    render.print_line(f"wrote {folder}:")
    for path in sorted(files):
        render.print_line(f"  {path}")
    render.print_line("next:")
    for line in _next_lines(plugin, folder, registry):
        render.print_line(f"  {line}")


def _next_lines(plugin: Plugin, folder: Path, registry: Registry) -> list[str]:
    """Give what to type: install it, test it, run it; and what the suite needs besides, if any."""
    present = {distribution.name for distribution in registry.distributions}
    missing = [need for need in plugin.suite_needs if need not in present]
    others = " ".join(f"-e ./plugins/{need}" for need in missing)
    install = f"pip install {others}   # in a clone of adharness: the suite needs them"
    place = f"{folder}" if folder.is_absolute() else f"./{folder}"
    return [
        f"pip install -e {shlex.quote(f'{place}[test]')}",
        f"pytest {shlex.quote(place)}",
        *([install] if missing else []),
        f"adharness run {shlex.quote(f'{place}/suite.yaml')}",
    ]
