"""What must be equal before two numbers may stand in one ranking, and what to say where it is not.

Pure: it reads records only. `adharness compare` refuses by it; a board can group rows by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from adharness.store.identity import canonical
from adharness.store.records import CellRecord
from adharness.store.run_record import DatasetRecord, RunRecord

EXACT = "exact"
_SHOWN = 12
"""Digits of a digest in a message."""


class Condition(NamedTuple):
    """One thing under which a cell was judged: `key` decides, `told` is what a reader sees.

    No key means that the record does not hold it, and what is not known is never equal.
    """

    key: str | None
    told: str


class Difference(NamedTuple):
    """Why two cells, or two runs, are not comparable: what differs, and both values."""

    name: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.name}: {self.first} | {self.second}"


Conditions: TypeAlias = Mapping[str, Condition]


def conditions(run: RunRecord, cell: CellRecord) -> Conditions:
    """Give everything that must be equal where two cells are compared.

    Parameters
    ----------
    run
        The run that the cell belongs to.
    cell
        Failed cells have conditions too.

    Returns
    -------
    mapping
        `data fingerprint`: names, pixels, classes, labels and masks of all images. `split`: which
        of them train and calibrate. `evaluated images`: which are judged. `evaluation resolution`:
        the size at which maps meet masks. `crop`: the share of an image that the extractor sees.
        `class told`: the parts that know a class which the protocol hides. `protocol`. `metric
        version`: the version of the harness that judged.

    Notes
    -----
    Smoothing, upsampling and the rule of the image score are the method's own, as its neighbours
    are: one board ranks methods that differ in them, and so may two runs. Intervals are made again
    from stored scores, so the number of resamples need not agree.
    """
    data = next((d for d in run.datasets if d.name == cell.dataset), None)
    version = cell.versions.get("adharness")
    resolution = _text((cell.identity.get("maps") or {}).get("resolution"))
    return {
        "data fingerprint": _digest(data.fingerprint if data else None),
        "split": _split(run, data, cell),
        "evaluated images": _evaluated(run, data, cell),
        "evaluation resolution": Condition(resolution, resolution or "not recorded"),
        "crop": _crop(run, cell),
        "class told": _listed(sorted(cell.told_class)),
        "protocol": Condition(cell.protocol, cell.protocol),
        "metric version": Condition(version, f"adharness {version}" if version else "not recorded"),
    }


def differences(first: Conditions, second: Conditions) -> list[Difference]:
    """Give what keeps two cells apart, in the order of `conditions`; empty where nothing does."""
    return [
        Difference(name, first[name].told, second[name].told)
        for name in first
        if first[name].key is None or first[name].key != second[name].key
    ]


def readings(first: Iterable[str], second: Iterable[str]) -> list[Difference]:
    """Give the metrics that both sides measure, but never in one and the same reading.

    Parameters
    ----------
    first, second
        Ids of metrics, `<id>` or `<id>@<dialect>`.
    """
    sides = [_by_exact(metrics) for metrics in (first, second)]
    return [
        Difference(f"dialect of {exact}", ", ".join(mine), ", ".join(sides[1][exact]))
        for exact, mine in sides[0].items()
        if exact in sides[1] and not set(mine) & set(sides[1][exact])
    ]


def _by_exact(metrics: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for metric in metrics:
        exact, _, dialect = metric.partition("@")
        found.setdefault(exact, []).append(dialect or EXACT)
    return found


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _listed(names: list[str]) -> Condition:
    told = ", ".join(names) or "nothing"
    return Condition(told, told)


def _digest(value: Any, more: str = "") -> Condition:
    key = _text(value)
    return Condition(key, "not recorded" if key is None else key[:_SHOWN] + more)


def _split(run: RunRecord, data: DatasetRecord | None, cell: CellRecord) -> Condition:
    """Tell the rule, and decide by what it gave: a split file may hold another rule's split."""
    held_out = cell.identity.get("calibration")
    if held_out is None or data is None:
        return Condition(None, "not recorded")
    train = {name: counts.get("train", 0) for name, counts in data.counts.items()}
    rule = ", ".join(f"{key} {_flat(value)}" for key, value in run.split.items())
    calibrate = _total(data, "calibration_")
    told = f"{rule}; {sum(train.values())} train, {calibrate} calibrate ({held_out[:_SHOWN]})"
    return Condition(canonical([held_out, train]), told)


def _flat(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return " ".join(f"{key} {one}" for key, one in sorted(value.items()))


def _evaluated(run: RunRecord, data: DatasetRecord | None, cell: CellRecord) -> Condition:
    count = "" if data is None else f" ({_total(data, 'test_')} images"
    limit = "" if run.limit is None or not count else f", --limit {run.limit}"
    return _digest(cell.identity.get("test"), f"{count}{limit})" if count else "")


def _total(data: DatasetRecord, portion: str) -> int:
    """Images of a portion, normal and anomalous, over all classes."""
    return sum(
        count
        for of_class in data.counts.values()
        for name, count in of_class.items()
        if name.startswith(portion)
    )


def _crop(run: RunRecord, cell: CellRecord) -> Condition:
    """Compare shares of the image: 224 of 256 pixels see what 448 of 512 do."""
    extractor = (run.methods.get(cell.method) or {}).get("extractor") or {}
    params = extractor.get("params") or {}
    crop, resize = _size(params.get("crop")), _size(params.get("resize"))
    if crop is None or crop == resize:
        return Condition("whole image", "whole image")
    told = "crop " + " x ".join(map(str, crop))
    if resize is None:
        return Condition(told, told)
    shares = [one / whole for one, whole in zip(crop, resize, strict=True)]
    return Condition(canonical(shares), f"{told} of {' x '.join(map(str, resize))}")


def _size(value: Any) -> tuple[float, float] | None:
    """(height, width) of a parameter that is one number or two; None where it is neither."""
    two = list(value) if isinstance(value, list | tuple) else [value, value]
    known = len(two) == 2 and all(isinstance(one, int | float) and one > 0 for one in two)
    return (two[0], two[1]) if known else None
