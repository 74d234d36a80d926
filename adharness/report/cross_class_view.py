"""The matrices of false positives and of nearest rows, as shaded tables; and the first as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from adharness.report.cross_class import CrossRate, NeighbourShares
from adharness.report.formats import DASH, percent
from adharness.report.headings import protocol_title
from adharness.report.leaderboard import AXES, Leaderboard
from adharness.report.lines import mark_groups
from adharness.report.seeds import over_seeds
from adharness.report.view import Column, Line, Number, Table, without_idle
from adharness.store.records import Value

EVERY = "the one for all"


def cross_tables(board: Leaderboard, rates: Sequence[CrossRate]) -> list[Table]:
    """Make a matrix a data set and method: a line a threshold, a column a class of normals."""
    found: dict[tuple[str, str], list[CrossRate]] = {}
    for rate in rates:
        found.setdefault((rate.cell.dataset, rate.cell.method), []).append(rate)
    return [
        _cross_table(own, data.classes, data.name, method, f"cross-{place}-{number}")
        for place, data in enumerate(board.run.datasets, 1)
        for number, method in enumerate(board.run.methods, 1)
        for own in [found.get((data.name, method), [])]
        if own
    ]


def _cross_table(
    rates: Sequence[CrossRate], classes: Sequence[str], dataset: str, method: str, identity: str
) -> Table:
    lines: dict[tuple[str, ...], list[CrossRate]] = {}
    for rate in rates:
        cell = rate.cell
        key = (cell.protocol, cell.normalizer, cell.thresholder, rate.threshold_of or EVERY)
        lines.setdefault(key, []).append(rate)
    table = Table(
        id=identity,
        label=method,
        caption=(
            f"{dataset}, {method}: share of the normal test images of each class (column) that "
            "are flagged at the threshold of a class (line), in percent."
        ),
        head="Threshold of",
        settings=("protocol", "normalizer", "thresholder"),
        columns=(*(Column(name, "Normals of", "metric", "", "%") for name in classes), _OTHERS),
        lines=tuple(mark_groups([_line(key, own, classes) for key, own in lines.items()])),
        keys={"dataset": dataset},
        legend=("0 %", "100 %"),
    )
    return without_idle(table, keep=1)


_OTHERS = Column(
    "other classes", "Together", "total", "", "%", "mean over the classes the threshold is not of"
)


def _line(key: tuple[str, ...], rates: Sequence[CrossRate], classes: Sequence[str]) -> Line:
    protocol, normalizer, thresholder, threshold_of = key
    others = [rate for rate in rates if rate.crosses]
    numbers = [_rate([r for r in rates if r.class_name == name]) for name in classes]
    bound = any(rate.cell.class_oracle for rate in rates)
    return Line(
        method=threshold_of,
        keys={"normalizer": normalizer, "thresholder": thresholder},
        numbers=(*numbers, _mean(others)),
        settings=(protocol_title(protocol), normalizer, thresholder),
        state="bound" if bound else "ok",
        why="upper bound: knows the class" if bound else "",
    )


def _rate(over: Sequence[CrossRate]) -> Number:
    """Mean rate over seeds, with the counts of the images."""
    score = over_seeds([Value(value=r.rate, reason="no normal test image") for r in over])
    if score.value is None:
        return Number(DASH, note=score.reason or "")
    alarms, normals = sum(r.alarms for r in over), sum(r.normals for r in over)
    return Number(
        percent(score.value),
        aside=f"{alarms} of {normals}",
        sort=repr(score.value),
        heat=round(100 * score.value),
    )


def _mean(rates: Sequence[CrossRate]) -> Number:
    """Mean over classes, each of the same weight; undefined where one is."""
    known = [rate.rate for rate in rates if rate.rate is not None]
    if not known or len(known) < len(rates):
        return Number(DASH, note="no other class, or one without a normal test image")
    mean = sum(known) / len(known)
    return Number(percent(mean), sort=repr(mean))


def neighbour_tables(board: Leaderboard, shares: Sequence[NeighbourShares]) -> list[Table]:
    """Make a matrix a data set and method with a merged bank: where the nearest rows lie."""
    return [
        _neighbour_table(own, data.classes, data.name, method, f"nearest-{place}-{number}")
        for place, data in enumerate(board.run.datasets, 1)
        for number, method in enumerate(board.run.methods, 1)
        for own in [[s for s in shares if (s.cell.dataset, s.cell.method) == (data.name, method)]]
        if own
    ]


def _neighbour_table(
    shares: Sequence[NeighbourShares],
    classes: Sequence[str],
    dataset: str,
    method: str,
    identity: str,
) -> Table:
    table = Table(
        id=identity,
        label=method,
        caption=(
            f"{dataset}, {method}, one bank for all classes: share of the patches of test images "
            "(line) whose nearest row is of each class (column), in percent."
        ),
        head="Images of",
        settings=("label", "seed"),
        columns=(
            *(Column(name, "Nearest row of", "metric", "", "%") for name in classes),
            Column("other classes", "Together", "total", "", "%", "all but the image's own"),
        ),
        lines=tuple(_shares(share, classes) for share in shares),
        keys={"dataset": dataset},
        legend=("0 %", "100 %"),
    )
    return without_idle(table, keep=1)


def _shares(share: NeighbourShares, classes: Sequence[str]) -> Line:
    other = 1.0 - share.shares[list(classes).index(share.class_name)]
    numbers = [Number(percent(s), sort=repr(s), heat=round(100 * s)) for s in share.shares]
    return Line(
        method=share.class_name,
        keys={},
        numbers=(*numbers, Number(percent(abs(other)), sort=repr(abs(other)))),
        settings=("anomalous" if share.label else "normal", str(share.cell.seed)),
        why="",
    )


def cross_csv(rates: Sequence[CrossRate]) -> str:
    """Text of `cross_class.csv`: a line a cell, threshold and class of normals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    counted = ("threshold_of", "class", "false_positives", "normals", "fpr")
    writer.writerow([*AXES, "cell", "class_oracle", *counted])
    for rate in rates:
        cell = rate.cell
        named = [*(getattr(cell, key) for key in AXES), cell.id, cell.class_oracle]
        own = [rate.threshold_of or "", rate.class_name, rate.alarms, rate.normals]
        writer.writerow([*named, *own, "" if rate.rate is None else repr(rate.rate)])
    return text.getvalue()
