"""A split as a file: read, applied to a data set, and laid out to be written again.

The format is the study's `clean_splits.json`:

    {"splits": {"<class>": {"train": {"images": ["<path in the set>", ...], "labels": [0, ...]},
                            "val": {...}, "test": {...}}},
     "metadata": {...}}

`labels` may be missing; `defects`, `masks`, `metadata` and other keys are not read here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from adharness.contracts import Sample
from adharness.data.partition import Member, Split, check_groups
from adharness.errors import DataError

_FIELDS: Mapping[str, str] = MappingProxyType(
    {"train": "train", "val": "calibration", "test": "test"}
)
"""What the file calls a portion, and what a Split calls it."""


class _Portion(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    images: list[str]
    labels: list[Literal[0, 1]] | None = None


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    splits: dict[str, dict[Literal["train", "val", "test"], _Portion]]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One image of the file; `where` is `<file>:splits.<class>.<portion>.images[<i>]`."""

    class_name: str
    portion: str
    path: str
    label: int | None
    where: str


@dataclass(frozen=True, slots=True)
class SplitFile:
    """A split that was read. `entries` has every class of the file, some perhaps empty."""

    path: Path
    entries: Mapping[str, tuple[_Entry, ...]]


def read_split_file(path: Path) -> SplitFile:
    """Read a split file; whether its images exist is told by `file_split`.

    Raises
    ------
    DataError
        Where the file is missing, is not JSON of this layout, gives a class or a portion twice, or
        has not one label for each image. The error names the file and the place in it.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
        content = _Content.model_validate(values)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"cannot read the split file: {reason}",
            hint="split.path starts at the current folder; a run writes such a file to "
            "<run>/splits/<data set>.json",
            where=str(path.absolute()),
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        fact = f"the split file is not laid out as expected: {first['msg']}"
        raise DataError(fact, hint=_LAYOUT, where=f"{path}:{place}") from error
    except (ValueError, RecursionError) as error:
        fact = f"the split file is not JSON: {error}"
        raise DataError(fact, hint=_LAYOUT, where=str(path)) from error
    return SplitFile(path, {name: _entries(path, name, content) for name in content.splits})


_LAYOUT = '{"splits": {"<class>": {"train": {"images": [...]}, "val": {...}, "test": {...}}}}'


def file_split(
    samples: Sequence[Sample], file: SplitFile, *, classes: Collection[str] | None = None
) -> Split:
    """Put each image where the file puts it; images that it does not list are in no portion.

    Parameters
    ----------
    samples
        Of one data set, in any order.
    file
        From `read_split_file`. It decides: an image may train that the set's owners tested.
    classes
        The classes that were chosen; what the file says of others is not looked at. By default the
        file and the set have the same classes.

    Raises
    ------
    DataError
        Where a class is in the file or in the set only, a listed image is not in the set, is of
        another class or label, or is listed twice; where a training image is anomalous, a class
        has none, or a group's images are listed in two portions. The error names file and entry.
    """
    known = {sample.path: Member(i, sample) for i, sample in enumerate(samples)}
    present = dict.fromkeys(sample.class_name for sample in samples)
    _check_classes(present, file, classes)
    positions: dict[str, list[int]] = {name: [] for name in _FIELDS.values()}
    for name in present:
        placed = [(_member(entry, known), entry) for entry in file.entries[name]]
        _check_placed(name, placed, file)
        for member, entry in placed:
            positions[_FIELDS[entry.portion]].append(member.position)
    return Split(**{name: tuple(sorted(found)) for name, found in positions.items()})


def split_document(
    samples: Sequence[Sample], split: Split, metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """Lay a split out as a file's JSON: classes and paths sorted, so equal splits are equal."""
    splits: dict[str, dict[str, dict[str, list[Any]]]] = {
        name: {portion: {"images": [], "labels": [], "defects": []} for portion in _FIELDS}
        for name in sorted({sample.class_name for sample in samples})
    }
    for portion, field in _FIELDS.items():
        for sample in sorted((samples[i] for i in getattr(split, field)), key=lambda s: s.path):
            lists = splits[sample.class_name][portion]
            lists["images"].append(sample.path)
            lists["labels"].append(sample.label)
            lists["defects"].append(sample.defect)
    return {"metadata": dict(metadata), "splits": splits}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return values


def _entries(path: Path, class_name: str, content: _Content) -> tuple[_Entry, ...]:
    portions = content.splits[class_name].items()
    return tuple(entry for name, its in portions for entry in _listed(path, class_name, name, its))


def _listed(path: Path, class_name: str, portion: str, its: _Portion) -> Iterator[_Entry]:
    place = f"{path}:splits.{class_name}.{portion}"
    if its.labels is not None and len(its.labels) != len(its.images):
        fact = f"the split file has {len(its.labels)} labels for {len(its.images)} images"
        raise DataError(fact, where=place)
    for i, image in enumerate(its.images):
        label = None if its.labels is None else its.labels[i]
        yield _Entry(class_name, portion, image, label, f"{place}.images[{i}]")


def _check_classes(
    present: Collection[str], file: SplitFile, classes: Collection[str] | None
) -> None:
    for name in present:
        if name not in file.entries:
            raise DataError(
                f"class {name!r} is not in the split file",
                hint=f"choose `classes: [{', '.join(file.entries)}]` of the data set",
                where=str(file.path),
            )
    for name in file.entries if classes is None else ():
        if name not in present:
            raise DataError(
                f"the split file has a class {name!r}, which the data set has not",
                hint=f"the data set has {', '.join(present) or 'no class'}",
                where=f"{file.path}:splits.{name}",
            )


def _member(entry: _Entry, known: Mapping[str, Member]) -> Member:
    found = known.get(entry.path)
    if found is None:
        example = next(iter(known))
        raise DataError(
            f"the split file lists {entry.path!r}, which the data set has not",
            hint=f"paths are relative to the set's root, with forward slashes, such as {example!r}",
            where=entry.where,
        )
    sample = found.sample
    if sample.class_name != entry.class_name:
        fact = f"{entry.path!r} is of class {sample.class_name!r}, not {entry.class_name!r}"
        raise DataError(fact, where=entry.where)
    if entry.label is not None and entry.label != sample.label:
        fact = f"{entry.path!r} has label {sample.label} in the data set, not {entry.label}"
        raise DataError(fact, where=entry.where)
    if entry.portion == "train" and sample.label == 1:
        fact = f"{entry.path!r} is anomalous, but listed in train, which holds normal images only"
        raise DataError(fact, where=entry.where)
    return found


def _check_placed(
    class_name: str, placed: Sequence[tuple[Member, _Entry]], file: SplitFile
) -> None:
    seen: dict[int, _Entry] = {}
    for member, entry in placed:
        first = seen.setdefault(member.position, entry)
        if first is not entry:
            fact = f"{entry.path!r} is listed twice, in {first.portion} and in {entry.portion}"
            hint = f"an image is in one portion; the first is {first.where}"
            raise DataError(fact, hint=hint, where=entry.where)
    if not any(entry.portion == "train" for _, entry in placed):
        fact = f"class {class_name!r} has no training image in the split file"
        raise DataError(fact, where=f"{file.path}:splits.{class_name}")
    check_groups(class_name, [(member, entry.portion) for member, entry in placed])
