"""The run record of a merged board."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from adharness.bundle.naming import DataNames
from adharness.bundle.origins import Placed
from adharness.bundle.sources import Source
from adharness.errors import StoreError
from adharness.store.run_record import DatasetRecord, RunRecord, SkippedImage
from adharness.suite.protocols import PROTOCOLS

T = TypeVar("T")


def merged_run(sources: Sequence[Source], placed: Sequence[Placed], data: DataNames) -> RunRecord:
    """Describe the board: what all sources share, or what each has; own runs come first.

    Notes
    -----
    No clock is read: it began with the first source and finished with the last.

    Raises
    ------
    StoreError
        Two sources count costs differently, so that one column would hold two quantities.
    """
    runs = [source.run for source in sources]
    first = runs[0]
    protocols = {name for run in runs for name in run.protocols}
    return RunRecord(
        suite=" + ".join(_once(run.suite for run in runs)),
        suite_text=_suite_text(sources),
        suite_file=", ".join(_once(run.suite_file for run in runs)),
        command="adharness merge",
        started=min(run.started for run in runs),
        finished=max((run.finished for run in runs if run.finished), default=None),
        seconds=sum(run.seconds for run in runs),
        stages_s=_stages(runs),
        protocols=[name for name in PROTOCOLS if name in protocols],
        metrics=_once(metric for run in runs for metric in run.metrics),
        methods=_methods(placed),
        maps=_told(sources, [run.maps for run in runs]),
        split=_told(sources, [run.split for run in runs]),
        statistics=first.statistics,
        deployment=_deployment(sources),
        seeds=_seeds(runs),
        datasets=_datasets(sources, data),
        cells=[one.cell.id for one in placed],
        limit=first.limit if len({run.limit for run in runs}) == 1 else None,
        skipped=_skipped(sources, data),
        gallery=[],
        provenance={**first.provenance, "merged from": _described(sources)},
        origins={one.cell.id: one.origin for one in placed},
    )


def _once(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))


def _suite_text(sources: Sequence[Source]) -> str:
    texts = _once(source.run.suite_text for source in sources)
    if len(texts) == 1:
        return texts[0]
    told = {source.run.suite_text: source.label for source in reversed(sources)}
    return "\n".join(f"# suite of {told[text]}\n{text}" for text in texts)


def _stages(runs: Sequence[RunRecord]) -> dict[str, float]:
    names = _once(name for run in runs for name in run.stages_s)
    return {name: sum(run.stages_s.get(name, 0.0) for run in runs) for name in names}


def _methods(placed: Sequence[Placed]) -> dict[str, dict[str, Any]]:
    return {one.cell.method: one.source.run.methods[one.of.method] for one in reversed(placed)}


def _told(sources: Sequence[Source], values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Give what all have, or what each has by its label."""
    if all(value == values[0] for value in values):
        return values[0]
    return {source.label: value for source, value in zip(sources, values, strict=True)}


def _deployment(sources: Sequence[Source]) -> dict[str, Any] | None:
    told = [source for source in sources if source.run.deployment is not None]
    for other in told[1:]:
        if other.run.deployment != told[0].run.deployment:
            raise StoreError(
                f"{told[0].label} and {other.label} count costs differently: "
                f"{told[0].run.deployment} and {other.run.deployment}",
                hint="run one again with the `deployment:` of the other",
            )
    return told[0].run.deployment if told else None


def _seeds(runs: Sequence[RunRecord]) -> list[int]:
    """Give the seeds that every source has: a row is ranked if it has these."""
    shared = set(runs[0].seeds).intersection(*(run.seeds for run in runs))
    return sorted(shared) or sorted({seed for run in runs for seed in run.seeds})


def _datasets(sources: Sequence[Source], data: DataNames) -> list[DatasetRecord]:
    """Describe each data set as the first source does; of bundles no picture may be shown."""
    found: dict[str, DatasetRecord] = {}
    for source in sources:
        for record in source.run.datasets:
            name, _ = data[source.key, record.name]
            shift = record.shift
            if shift is not None and (source.key, shift.of) in data:
                shift = shift.model_copy(update={"of": data[source.key, shift.of][0]})
            shown = {"name": name, "shift": shift, "show_pixels": record.show_pixels and source.own}
            found.setdefault(name, record.model_copy(update=shown))
    return list(found.values())


def _skipped(sources: Sequence[Source], data: DataNames) -> list[SkippedImage]:
    every = [
        image.model_copy(update={"dataset": data[source.key, image.dataset][0]})
        for source in sources
        for image in source.run.skipped
        if (source.key, image.dataset) in data
    ]
    return list({(image.dataset, image.path): image for image in every}.values())


def _described(sources: Sequence[Source]) -> dict[str, Any]:
    """Say of each source who made it, on what, and which file it was."""
    return {
        source.label: {
            "kind": "run here" if source.own else "bundle",
            "sha256": source.key,
            "contact": source.bundle.manifest.contact if source.bundle else "",
            "finished": source.run.finished or "not finished",
            "cpu": str(source.run.provenance.get("cpu", "")),
        }
        for source in sources
    }
