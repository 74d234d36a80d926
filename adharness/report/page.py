"""One self-contained HTML file: the view model, and the template that lays it out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from adharness.report.boards import board_tables, headline_label
from adharness.report.citations import bibtex
from adharness.report.class_tables import class_tables
from adharness.report.deployment_tables import deployment_tables, threshold_tables
from adharness.report.dialect_tables import dialect_tables
from adharness.report.drawings import Across
from adharness.report.drop_view import drop_tables
from adharness.report.drops import Drops
from adharness.report.embedded import asset, embed, printable, scripts
from adharness.report.findings import findings, glance
from adharness.report.formats import clipped, compact, counted, seconds
from adharness.report.gallery import Gallery
from adharness.report.gap import Gap
from adharness.report.gap_figures import gap_figures
from adharness.report.gap_view import gap_tables
from adharness.report.headings import protocol_title
from adharness.report.leaderboard import Leaderboard, failures_of
from adharness.report.leading import leading, of_detail
from adharness.report.origins import legend
from adharness.report.paired import Resample
from adharness.report.panels import panels
from adharness.report.view import Page, by_label

_KINDS = {"bca": "bootstrap (BCa)", "percentile": "bootstrap"}


def build_page(
    board: Leaderboard,
    gaps: Sequence[Gap],
    pictures: Sequence[Gallery] = (),
    resample: Resample | None = None,
    across: Across | None = None,
    drops: Drops | None = None,
) -> Page:
    """Decide everything the page says; `resample` tells whether a lead is more than chance.

    `drops` knows the shifts of a run whose `board` is without them.
    """
    run, found = board.run, drops or Drops(board)
    detailed = leading(board)
    detail, its_gaps = detailed.board, of_detail(list(gaps), detailed)
    groups = [standing.group for standing in board.standings]
    axes = ("normalizer", "thresholder")
    return Page(
        title=run.suite,
        date=run.started[:10],
        subtitle=_subtitle(board),
        source=_source(board),
        bibtex=bibtex(board.run),
        glance=tuple(glance(board)),
        glance_heads=tuple((protocol_title(p), headline_label(p)) for p in run.protocols),
        findings=tuple(findings(board, gaps, resample, found)),
        filters={
            "dataset": tuple(dict.fromkeys(g.dataset for g in groups)),
            "protocol": tuple(map(protocol_title, run.protocols)),
            **{axis: tuple(dict.fromkeys(getattr(g, axis) for g in groups)) for axis in axes},
        },
        boards=by_label(board_tables(board, found)),
        per_class=by_label(class_tables(detail)),
        dialects=by_label(dialect_tables(detail)),
        deployment=by_label(deployment_tables(detail)),
        thresholds=by_label(threshold_tables(detail)),
        gap_charts=tuple(gap_figures(detail, its_gaps)),
        gap_tables=by_label(gap_tables(detail, its_gaps)),
        across=across or Across(),
        shift_tables=by_label(drop_tables(detail, found)),
        galleries=tuple(pictures),
        skipped=tuple((image.dataset, image.path, image.message) for image in run.skipped),
        failures=tuple(_failures(board)),
        missing=len(board.missing),
        panels=tuple(panels(board)),
        suite_text=run.suite_text,
        interval_note=_interval_note(board),
        marks=legend(run),
        left_to_files=detailed.note,
    )


def render_page(page: Page) -> str:
    """Text of the HTML file; nothing in it refers to another file but plain links."""
    template = _environment().get_template("leaderboard.html.j2")
    styles = "\n".join(asset(name) for name in ("style.css", "figures.css", "drill.css"))
    style = Markup(styles)  # noqa: S704  (our own files, no value of a run in them)
    return template.render(page=page, style=style, scripts=scripts())


@cache
def _environment() -> Environment:
    """Give the templates' surroundings: one for all pages, so that each is compiled once."""
    environment = Environment(
        loader=PackageLoader("adharness.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=printable,
    )
    environment.filters["clipped"] = clipped
    environment.filters["compact"] = compact
    environment.filters["embed"] = embed
    return environment


def _subtitle(board: Leaderboard) -> str:
    run = board.run
    counts = [
        (len(run.methods), "method"),
        (len(run.datasets), "data set"),
        (len(run.protocols), "protocol"),
        (len(run.cells), "cell"),
    ]
    said = ", ".join(counted(count, noun) for count, noun in counts)
    return f"{said}, computed in {seconds(run.seconds)}"


def _source(board: Leaderboard) -> str:
    """Say of which run a table is: the suite, when, by which version of what code."""
    run = board.run
    version = (run.provenance.get("versions") or {}).get("adharness")
    commit = (run.provenance.get("git") or {}).get("commit")
    made = f"adharness {version}" if version else "adharness"
    of = f"commit {commit}" if commit else ""
    return ", ".join(filter(None, (f"From the run {run.suite}", run.started[:10], made, of))) + "."


def _interval_note(board: Leaderboard) -> str:
    statistics = board.run.statistics
    if len(board.run.seeds) > 1:
        return (
            f"Numbers are means over {len(board.run.seeds)} seeds; under them the smallest and "
            "the largest seed. The image interval of their mean, which speaks of other images and "
            "not of other seeds, is in the tooltip of the headline; those of single seeds are in "
            "the CSV file."
        )
    if not statistics.get("bootstrap"):
        return "This run computed no intervals."
    level = 100 * float(statistics.get("level", 0.95))
    kind = "bca" if statistics.get("interval") == "bca" else "percentile"
    return (
        f"Under a number: its {level:g} % {_KINDS[kind]} interval over test images, drawn within "
        f"class and label, {statistics['bootstrap']} draws. "
        "It speaks of other images, not of other seeds." + _quartile_note(board)
    )


def _quartile_note(board: Leaderboard) -> str:
    values = (value for entry in board.rows for value in entry.row.metrics.values())
    if all(value.spread is None or value.low is not None for value in values):
        return ""
    return " IQR: the middle half of the images, where each has a number of its own."


def _failures(board: Leaderboard) -> list[tuple[str, str, str]]:
    cells = {entry.cell.id: entry.cell for entry in board.rows}.values()
    return [
        (
            f"{cell.method} · {cell.dataset} · {cell.protocol} · {cell.normalizer} · "
            f"{cell.thresholder} · seed {cell.seed} · {name}",
            f"{failure.stage}: {failure.type}: {failure.message}"
            + (f" (hint: {failure.hint})" if failure.hint else ""),
            failure.traceback,
        )
        for cell in cells
        for name, failure in failures_of(cell)
    ]


def template(name: str) -> Template:
    """Give a template of ours; everything it prints is escaped, and an unknown name an error."""
    return _environment().get_template(name)
