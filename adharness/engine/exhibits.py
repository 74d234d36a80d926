"""Which test images the page should show: the typical ones, and those that methods got wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest

from adharness.arrays import AnyArray
from adharness.contracts import Sample
from adharness.engine.survey import Survey
from adharness.errors import StoreError
from adharness.metrics.mistakes import Kind, outcomes
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from adharness.store.representatives import representatives

IMAGES_A_CLASS = 5
WORST_A_METHOD = 3
"""False alarms and as many misses of each class, method and protocol."""
WORST_A_SET = 120
_ERRORS: tuple[Kind, ...] = ("false alarm", "miss")


def typical(survey: Survey) -> list[Sample]:
    """Of each class a good image and the first of each kind of defect, in the set's order."""
    chosen: list[Sample] = []
    for name in survey.classes:
        tested = [survey.samples[int(i)] for i in survey.portion("test", name)]
        first = {sample.defect: sample for sample in reversed(tested)}
        ordered = sorted(first.values(), key=lambda sample: (sample.label, sample.path))
        chosen += ordered[:IMAGES_A_CLASS]
    return chosen


def worst(
    survey: Survey, folder: RunFolder, cells: Sequence[CellRecord], limit: int = WORST_A_SET
) -> list[Sample]:
    """Images that methods got wrong, each once, the most worth seeing first.

    Parameters
    ----------
    cells
        Of this data set, in plan order.
    limit
        Classes take turns until there are this many: a set of many classes shows less of each.

    Notes
    -----
    Of each protocol under one setting (see `representatives`), of each class and method the
    largest margins over the threshold and below it; the first protocol's before the others'.
    """
    by_path = {survey.samples[int(i)].path: survey.samples[int(i)] for i in survey.portion("test")}
    protocols = [
        [_errors(arrays) for cell in its if (arrays := _scores(folder, cell))]
        for its in representatives(cells).values()
    ]
    queues = [
        dict.fromkeys(chain.from_iterable(_wrong(its, name) for its in protocols))
        for name in survey.classes
    ]
    turns = zip_longest(*queues)
    found = (path for turn in turns for path in turn if path in by_path)
    return [by_path[path] for path in islice(found, limit)]


_READ = ("samples", "scores", "threshold", "labels", "classes")


def _errors(arrays: Mapping[str, AnyArray]) -> list[dict[str, list[str]]]:
    """Paths of the worst false alarms and misses of a cell, by class."""
    found = outcomes(*(arrays[name] for name in ("scores", "threshold", "labels", "classes")))
    return [
        {name: arrays["samples"][at].tolist() for name, at in by_class.items()}
        for by_class in (found.worst(kind, WORST_A_METHOD) for kind in _ERRORS)
    ]


def _wrong(cells: Sequence[Sequence[Mapping[str, list[str]]]], class_name: str) -> Iterator[str]:
    """Paths of a class's worst errors: the worst of every method, then the second worst."""
    ranked = [by_class.get(class_name, []) for errors in cells for by_class in errors]
    for place in range(WORST_A_METHOD):
        yield from (paths[place] for paths in ranked if place < len(paths))


def _scores(folder: RunFolder, cell: CellRecord) -> Mapping[str, AnyArray] | None:
    """Image scores of a cell; None where it left none. A cell just judged names no files yet."""
    try:
        return folder.cell_arrays(cell.id, "scores.npz", _READ)
    except StoreError:
        return None
