"""`adharness check`: validate a suite and say what a run of it would do, without doing it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from adharness.cli import render
from adharness.cli.estimate import Places, tell_costs
from adharness.cli.installed import read_registry
from adharness.cli.run import FOLDER, cache_folder, environment_path
from adharness.contracts import Sample
from adharness.engine.division import check_calibration, divide
from adharness.errors import AdharnessError, SuiteError
from adharness.plan import PROTOCOLS, Plan, expand
from adharness.suggest import closest
from adharness.suite.bind import bind
from adharness.suite.bound import Bound, BoundDataset, BoundMethod, BoundSuite, Overrides
from adharness.suite.load import load_suite
from adharness.suite.schema import DeploymentSettings
from adharness.suite.split import SplitSettings


@click.command()
@click.argument("suite", type=click.Path(path_type=Path))
@click.option("--out", type=FOLDER, help="Where a run would write.  [default: reports/<suite>]")
@click.option("--data-root", type=FOLDER, help="Folder of the data sets; beats ADHARNESS_DATA.")
@click.option("--cache-dir", type=FOLDER, help="Folder of the features; beats ADHARNESS_CACHE.")
@click.option("--device", help="auto, cpu or cuda; beats the suite.")
@click.option("--limit", type=click.IntRange(min=2), help="At most N images a class and kind.")
@click.option("--estimate/--no-estimate", default=True, help="Try it out, and tell its cost.")
def check(  # noqa: PLR0913 - one argument an option
    suite: Path,
    out: Path | None,
    data_root: Path | None,
    cache_dir: Path | None,
    device: str | None,
    limit: int | None,
    *,
    estimate: bool,
) -> None:
    """Validate SUITE, print its plan, and estimate what a run takes.

    The estimate comes from a short trial on this machine: half a minute at most, beside loading
    the networks. Without it no model is loaded. Exit 2 if the suite cannot run, or will not fit on
    the disk or in memory.
    """
    overrides = Overrides(
        data_root=data_root, environment_root=environment_path("ADHARNESS_DATA"), device=device
    )
    plan = expand(bind(load_suite(suite), read_registry(), overrides))
    for line in check_lines(plan):
        render.print_line(line)
    if estimate:
        where = Places(cache_dir or cache_folder(), out or Path("reports") / plan.suite.name, limit)
        tell_costs(plan, where)


def check_lines(plan: Plan) -> list[str]:
    """Write what `adharness check` prints before it tries anything.

    Raises
    ------
    SuiteError
        If the suite cannot run as it is; a data set that is not there is only told.
    """
    return [*plan_lines(plan), *data_lines(plan.suite)]


def plan_lines(plan: Plan) -> list[str]:
    """Describe a plan in plain lines: what runs, under which protocols, and how much of it."""
    suite = plan.suite
    merged, each = plan.fits()
    extractors = {method.extractor_name: method.extractor for method in suite.methods}
    return [
        f"suite {suite.name} ({suite.path}) is valid",
        "extractors:",
        *(f"  {name}: {describe(bound)}" for name, bound in extractors.items()),
        "methods:",
        *(line for method in suite.methods for line in _method_lines(method)),
        "protocols:",
        *(f"  {_protocol_line(name)}" for name in suite.protocols),
        *_listed("normalizers", suite.normalizers),
        *_listed("thresholders", suite.thresholders),
        *([f"pixel threshold: {describe(suite.pixel_threshold)}"] if suite.pixel_threshold else []),
        f"metrics: {', '.join(suite.metrics)}",
        *_costs(suite.deployment),
        f"split: {_rule(suite.split)}",
        f"seeds: {', '.join(map(str, suite.seeds))}",
        f"cells: {len(plan.cells)} = {_product(plan)}",
        f"fits: {merged} over all classes merged, {each} once for each class",
        f"feature extractions: {len(plan.by_features())}, one a data set and extractor",
    ]


def describe(bound: Bound) -> str:
    """One component: its name and parameters, and the distribution it comes from."""
    params = bound.params.identity()
    written = "".join(f" {name}={json.dumps(value)}" for name, value in params.items())
    component = bound.component
    written += "" if bound.stored_as == "float32" else f", features stored as {bound.stored_as}"
    return f"{component.name}{written} ({component.distribution} {component.version})"


def _costs(deployment: DeploymentSettings | None) -> list[str]:
    """Write `deployment: miss_cost=10 ...`, the defaults filled in, where costs are counted."""
    told = deployment.model_dump() if deployment else {}
    return ["deployment: " + " ".join(f"{k}={v:g}" for k, v in told.items())] if told else []


def _rule(split: SplitSettings) -> str:
    """Write `k-fold folds=5 fold=0 calibration.anomalous=0.3 seed=42`."""
    told = split.told()
    words = [told.pop("policy")]
    for name, value in told.items():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        words += [f"{name}.{key}={each}" if key else f"{name}={each}" for key, each in inner]
    return " ".join(words)


def data_lines(suite: BoundSuite) -> list[str]:
    """Tell of each data set whether it can be read, and which images a run would use for what.

    Raises
    ------
    SuiteError
        If the suite asks for a class that a data set does not have, or its split file lacks what a
        thresholder needs.
    DataError
        If a data set that can be read cannot be split so.
    """
    lines = (line for dataset in suite.data for line in _dataset_lines(dataset, suite))
    return ["data:", *lines]


def _dataset_lines(dataset: BoundDataset, suite: BoundSuite) -> list[str]:
    if dataset.shift:
        done = f"{dataset.shift.corruption} at severity {dataset.shift.severity}"
        return [f"  {dataset.name}: {dataset.clean.name}, its test images under {done}"]
    component = dataset.bound.component
    origin = f"({component.distribution} {component.version})"
    try:
        samples = dataset.bound.make().samples()
    except SuiteError:
        raise
    except AdharnessError as error:
        hint = [f"    {line}" for line in (error.hint or "").splitlines()]
        return [f"  {dataset.name}: not usable {origin}: {error.message}", *hint]
    except OSError as error:
        return [f"  {dataset.name}: not usable {origin}: {error}"]
    found = f"  {dataset.name}: found {origin}: {_counted(dataset, samples)}"
    return [found, f"    split: {_divided(dataset, samples, suite)}"]


def _divided(dataset: BoundDataset, samples: Sequence[Sample], suite: BoundSuite) -> str:
    division = divide(suite.split, dataset, samples)
    check_calibration(suite, dataset, division)
    portions = division.split
    told = f"{len(portions.train)} train, {len(portions.calibration)} calibrate, "
    told += f"{len(portions.test)} are tested"
    return f"{told}; {division.left_out} are not in the file" if division.left_out else told


def _counted(dataset: BoundDataset, samples: Iterable[Sample]) -> str:
    listed = list(samples)
    present = sorted({sample.class_name for sample in listed})
    chosen = dataset.classes or tuple(present)
    for name in chosen:
        if name not in present:
            fact = f"data set '{dataset.name}' has no class '{name}'"
            raise SuiteError(fact, hint=closest(name, present, otherwise="its classes are"))
    used = [sample for sample in listed if sample.class_name in chosen]
    masks = "masks" if any(sample.has_mask for sample in used) else "no masks"
    return f"{len(used)} images of {len(chosen)} class(es), {masks}: {', '.join(chosen)}"


def _method_lines(method: BoundMethod) -> list[str]:
    return [
        f"  {method.name}: on {method.extractor_name}",
        f"    bank   {describe(method.bank)}",
        f"    scorer {describe(method.scorer)}",
    ]


def _protocol_line(name: str) -> str:
    protocol = PROTOCOLS[name]
    models = "one model a class" if protocol.labels_at_train else "one model for all classes"
    models += ", chosen by the predicted class" if protocol.routed else ""
    cuts = "one a class" if protocol.labels_at_eval else "one for all images"
    return f"{name}: {models}; normalizer and threshold {cuts}"


def _listed(title: str, components: tuple[Bound, ...]) -> list[str]:
    return [f"{title}:", *(f"  {describe(bound)}" for bound in components)]


def _product(plan: Plan) -> str:
    suite = plan.suite
    factors = {
        "data set": suite.data,
        "method": suite.methods,
        "protocol": suite.protocols,
        "seed": suite.seeds,
        "normalizer": suite.normalizers,
        "thresholder": suite.thresholders,
    }
    product = " x ".join(f"{len(items)} {noun}(s)" for noun, items in factors.items())
    left_out = math.prod(map(len, factors.values())) - len(plan.cells)
    return f"{product} - {left_out} that cannot stand under their protocol" if left_out else product
