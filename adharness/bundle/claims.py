"""Whether the records of a bundle agree with one another; no score is read here."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from adharness.bundle import layout
from adharness.bundle.layout import Manifest
from adharness.bundle.shapes import check_identity_shape, check_shapes
from adharness.bundle.strict_json import hidden_character
from adharness.errors import MetricError, StoreError
from adharness.metrics import find_metric
from adharness.store.identity import digest
from adharness.store.records import CellRecord, Costs, Value
from adharness.store.run_record import RunRecord
from adharness.suite.protocols import PROTOCOLS
from adharness.suite.schema import DeploymentSettings, Name, StatisticsSettings

MACRO, POOLED = "macro", "pooled"
_AXES = ("dataset", "protocol", "method", "normalizer", "thresholder", "seed")
_NAMED = ("dataset", "protocol", "method", "extractor", "bank", "scorer", "normalizer",
          "thresholder", "seed")  # fmt: skip
ModelT = TypeVar("ModelT", bound=BaseModel)


def check_claims(manifest: Manifest, run: RunRecord, cells: Sequence[CellRecord]) -> None:
    """Refuse records that contradict one another or cannot be of a run.

    Raises
    ------
    StoreError
        Naming the cell and the contradiction.
    """
    for text in (manifest.submitter, manifest.contact, manifest.created, manifest.adharness):
        if hidden_character(text, allowed=""):
            raise StoreError(f"{layout.MANIFEST}: {text!r} has a control character")
    _check_run(run)
    for cell in cells:
        try:
            _check_cell(run, cell)
        except StoreError as error:
            told = f"cell {cell.id}: {error.message}"
            raise StoreError(told, hint=error.hint) from error
    _check_work(run, cells)
    axes = [tuple(getattr(cell, axis) for axis in _AXES) for cell in cells]
    if len(set(axes)) != len(axes):
        twice = next(one for one in axes if axes.count(one) > 1)
        raise StoreError(f"two cells are of {', '.join(map(str, twice))}")


def _check_work(run: RunRecord, cells: Sequence[CellRecord]) -> None:
    """Refuse what would keep a processor busy for days, before anything is measured."""
    images = {
        data.name: sum(n for of in data.counts.values() for n in of.values())
        for data in run.datasets
    }
    drawn = sum(images[cell.dataset] for cell in cells) * statistics_of(run).bootstrap
    if drawn > layout.WORK:
        raise StoreError(
            f"{drawn} images would have to be drawn again, expected at most {layout.WORK}",
            hint="bundle runs of fewer cells or resamples",
        )


def statistics_of(run: RunRecord) -> StatisticsSettings:
    """Give the resamples and the level of the run, checked."""
    before = {"interval": "percentile"}  # of runs that could not choose
    return _settings(StatisticsSettings, before | run.statistics, "statistics")


def deployment_of(run: RunRecord) -> DeploymentSettings | None:
    """Give what costs are counted by, checked; None where the run counted none."""
    if run.deployment is None:
        return None
    return _settings(DeploymentSettings, run.deployment, "deployment")


def _settings(model: type[ModelT], value: Any, name: str) -> ModelT:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"{layout.RUN}: {name}.{place}: {first['msg']}") from error


def _check_run(run: RunRecord) -> None:
    if run.finished is None:
        raise StoreError("the run is not finished")
    if run.gallery or run.views:
        raise StoreError("the run names pictures, and bundles bring none")
    if run.origins:
        raise StoreError("the run says where its rows come from, which only `merge` may say")
    statistics_of(run)
    deployment_of(run)
    _check_names(run)
    check_shapes(run)
    for name in run.metrics:
        try:
            find_metric(name)
        except MetricError as error:
            raise StoreError(f"{layout.RUN}: {error.message[:200]}", hint=error.hint) from error
    for data in run.datasets:
        if any(count < 0 for counts in data.counts.values() for count in counts.values()):
            raise StoreError(f"data set {data.name}: a count is below 0")
        if set(data.counts) != set(data.classes):
            raise StoreError(f"data set {data.name}: the counts are of other classes")


def _check_names(run: RunRecord) -> None:
    """Names go into tables and headings: one line each, and none that means something else."""
    _unique(run.cells, "cell")
    _unique(run.metrics, "metric")
    _unique([data.name for data in run.datasets], "data set")
    for data in run.datasets:
        _unique(data.classes, f"class of {data.name}")
    _unique([*run.methods], "method")
    _unique(run.protocols, "protocol")
    if unknown := set(run.protocols) - set(PROTOCOLS):
        raise StoreError(f"unknown protocol {min(unknown)[:80]!r}")
    for what, names in (
        ("data set", [data.name for data in run.datasets]),
        ("method", [*run.methods]),
        ("suite", [run.suite]),
    ):
        for name in names:
            _check_given(name, what)
    reserved = {MACRO, POOLED} & {name for data in run.datasets for name in data.classes}
    if reserved:
        raise StoreError(f"a class is called {min(reserved)!r}, which is the name of a mean")


def _unique(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        check_name(name, what)
        if name in seen:
            raise StoreError(f"the {what} {name!r} is there twice")
        seen.add(name)


def _check_given(name: str, what: str) -> None:
    """Refuse a name that no suite could give: `knn (alice)` is a name that merging gives."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        told = f"the {what} {name[:80]!r} has a name that no suite can give"
        raise StoreError(told) from error


def check_name(name: str, what: str) -> None:
    """Refuse what no table can show as a name: empty, long, of two lines, of two spellings.

    Raises
    ------
    StoreError
        Naming it.
    """
    if not name.strip() or len(name) > layout.CHARACTERS or hidden_character(name, allowed=""):
        raise StoreError(f"the {what} {name[:80]!r} has no name that a table could show")
    if not unicodedata.is_normalized("NFC", name):
        raise StoreError(f"the {what} {name!r} is not in the NFC form of Unicode")


def _check_cell(run: RunRecord, cell: CellRecord) -> None:
    _check_identity(cell)
    data = next((d for d in run.datasets if d.name == cell.dataset), None)
    if data is None or cell.method not in run.methods or cell.protocol not in run.protocols:
        told = f"{cell.dataset!r}, {cell.method!r}, {cell.protocol!r}"
        raise StoreError(f"the run has no such data set, method and protocol: {told}")
    if cell.seed not in run.seeds:
        raise StoreError(f"the run has no seed {cell.seed}")
    for what in ("extractor", "bank", "scorer", "normalizer", "thresholder"):
        check_name(getattr(cell, what), what)
    _check_judged(run, cell)
    _check_rows(cell, data.classes)
    if cell.class_oracle != bool(cell.told_class):
        raise StoreError("`class_oracle` is not what `told_class` says")
    if cell.costs:
        _check_costs(cell.costs)


def _check_costs(costs: Costs) -> None:
    """Refuse what cannot have been measured; the rest is as the submitter says."""
    if any((value or 0) < 0 for _, value in costs if not isinstance(value, list)):
        raise StoreError("a cost is below 0")
    for place in costs.measured:
        check_name(place.cpu, "processor")
        if place.threads < 1 or place.at_once < 1:
            told = f"{place.threads} threads, {place.at_once} cells at once"
            raise StoreError(f"costs were measured with {told}")


def _check_identity(cell: CellRecord) -> None:
    """Refuse an id that is not the hash of the identity, and one that names another row."""
    found = digest(cell.identity)
    if found != cell.id:
        raise StoreError(f"its identity hashes to {found}, so it is another cell")
    names = {name: getattr(cell, name) for name in _NAMED}
    told = {"names": names, "scorings": cell.scorings, "protocol": cell.protocol}
    for name, value in told.items():
        if cell.identity.get(name) != value:
            raise StoreError(f"its identity says other {name} than its record")
    check_identity_shape(cell)


def _check_judged(run: RunRecord, cell: CellRecord) -> None:
    told = {
        "metrics": sorted(run.metrics),
        "statistics": run.statistics,
        "deployment": run.deployment,
    }
    for name, value in told.items():
        if cell.judged.get(name) != value:
            raise StoreError(f"it was judged by other {name} than the run tells")


def _check_rows(cell: CellRecord, classes: Sequence[str]) -> None:
    names = [row.class_name for row in cell.rows]
    if names != [*classes, MACRO, POOLED]:
        raise StoreError(f"its rows are {names}, expected the classes, macro and pooled")
    states = {row.status for row in cell.rows}
    status = next(iter(states)) if len(states) == 1 else "partial"
    if cell.status != status:
        raise StoreError(f"its status is {cell.status!r}, its rows say {status!r}")
    for row in cell.rows:
        if (row.failure is None) != (row.status == "ok"):
            raise StoreError(f"row {row.class_name}: its status and its failure contradict")
        wanted = set(cell.judged["metrics"]) if row.status == "ok" else set()
        if set(row.metrics) != wanted:
            raise StoreError(f"row {row.class_name} has not the metrics of the run")
        for metric, value in row.metrics.items():
            _check_value(value, metric, row.class_name)


def _check_value(value: Value, metric: str, row: str) -> None:
    lowest, highest = find_metric(metric).range
    ends = {"value": value.value, "low": value.low, "high": value.high}
    ends |= {} if value.spread is None else value.spread.model_dump()
    for name, number in ends.items():
        if number is not None and not lowest <= number <= highest:
            told = f"expected {lowest:g} to {highest:g}" if math.isfinite(highest) else "below 0"
            raise StoreError(f"row {row}: {name} of {metric} is {number}, {told}")
    if value.value is None and (value.low, value.high, value.spread) != (None, None, None):
        raise StoreError(f"row {row}: {metric} is undefined, and has an interval or a spread")
    if value.low is not None and value.high is not None and value.low > value.high:
        raise StoreError(f"row {row}: the interval of {metric} is upside down")
