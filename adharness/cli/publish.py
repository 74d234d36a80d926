"""`adharness publish`: runs as a site of static files."""

from __future__ import annotations

from pathlib import Path

import click

from adharness.cli import render
from adharness.report.formats import counted
from adharness.report.site import publish as publish_site


@click.command()
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="RUN...")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="Folder of the site: new, empty, or a site to add to.")  # fmt: skip
@click.option("--title", help="Of the site; a site that is there keeps its own.")
@click.option("--base-url", metavar="URL", help="Where it will be served; only the feed needs it.")
def publish(runs: tuple[Path, ...], out: Path, title: str | None, base_url: str | None) -> None:
    """Add RUNs to a static site: an index, a page a run, a page a method, and a feed.

    Any host of static files serves it, and it opens from the disk. Runs that the site has already
    are kept.
    """
    done = publish_site(runs, out, title, base_url)
    told = f"{counted(done.runs, 'run')} ({done.added} new), {counted(done.methods, 'method')}"
    render.print_line(f"{done.index}: {told}")
