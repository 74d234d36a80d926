"""A data set as one run sees it: which images, what they hold, and how they are split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from adharness.arrays import Int64
from adharness.contracts import ContentHash, Dataset, DatasetSpec, Sample
from adharness.corruptions import Shift
from adharness.data.partition import Split
from adharness.data.shifted import ShiftedDataset
from adharness.data.split_file import split_document
from adharness.engine.division import check_calibration, divide
from adharness.store.fingerprints import remembered
from adharness.store.identity import digest
from adharness.store.run_record import DatasetRecord, ShiftRecord
from adharness.suite.bind import Bound, BoundDataset, BoundSuite

PortionName = Literal["train", "calibration", "test"]


class JudgedImages(Protocol):
    """What the judge needs to know of a data set's images, wherever they are listed."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the data set's order."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Images by position."""

    def portion(self, name: PortionName, class_name: str | None = None) -> Int64:
        """Positions of a portion, of one class or of all, ascending."""

    def labels(self, positions: Int64) -> Int64:
        """Labels of the samples at these positions: 0 normal, 1 anomalous."""

    def class_names(self, positions: Int64) -> list[str]:
        """Class names of the samples at these positions."""

    def groups(self, positions: Int64) -> list[str | None]:
        """Say of the samples at these positions what object they show, where several show one."""


@dataclass(frozen=True)
class Survey:
    """Samples of the chosen classes with their hashes and their split, by position."""

    bound: BoundDataset
    dataset: Dataset
    samples: tuple[Sample, ...]
    hashes: tuple[ContentHash, ...]
    split: Split
    classes: tuple[str, ...]
    left_out: int = 0
    """Images of the set that its split file does not list."""
    clean: Survey | None = None
    """Of a shifted set the survey without its shift: same images, same split."""

    @property
    def name(self) -> str:
        """What the board calls the data set."""
        return self.bound.name

    def of_class(self, class_name: str) -> Int64:
        """Positions of a class's samples."""
        return _positions(s.class_name == class_name for s in self.samples)

    def portion(self, name: PortionName, class_name: str | None = None) -> Int64:
        """Positions of a portion, of one class or of all, ascending."""
        key = name, class_name
        if key not in self._portions:
            chosen = np.sort(np.asarray(getattr(self.split, name), dtype=np.int64))
            mine = chosen if class_name is None else self.of_class(class_name)
            self._portions[key] = chosen[np.isin(chosen, mine)]
        return self._portions[key].copy()

    def labels(self, positions: Int64) -> Int64:
        """Labels of the samples at these positions: 0 normal, 1 anomalous."""
        return np.array([self.samples[i].label for i in positions], dtype=np.int64)

    def class_names(self, positions: Int64) -> list[str]:
        """Class names of the samples at these positions."""
        return [self.samples[i].class_name for i in positions]

    def groups(self, positions: Int64) -> list[str | None]:
        """Say of the samples at these positions what object they show, where several show one."""
        return [self.samples[i].group for i in positions]

    def class_numbers(self, positions: Int64) -> Int64:
        """Give the number of each sample's class, its place in `classes`."""
        number = {name: i for i, name in enumerate(self.classes)}
        return np.array([number[name] for name in self.class_names(positions)], dtype=np.int64)

    def without(self, skipped: Sequence[int]) -> Survey:
        """Take these positions out of every portion."""
        gone = set(skipped)
        portions = {
            name: tuple(i for i in getattr(self.split, name) if i not in gone)
            for name in ("train", "calibration", "test")
        }
        return replace(self, split=replace(self.split, **portions))

    def pixels(self, positions: Int64) -> str:
        """Digest of the names and pixels of these samples: all that a score can depend on."""
        return self._digest(
            "pixels", positions, lambda i: [self.samples[i].path, self.hashes[i].image]
        )

    def known_classes(self, positions: Int64) -> str:
        """Digest of the class names of these samples."""
        return self._digest("classes", positions, lambda i: self.samples[i].class_name)

    def truth(self, positions: Int64) -> str:
        """Digest of the classes, labels and masks as well: all that a metric can depend on."""
        lines = [self._line(int(i)) for i in positions]
        return digest([self.pixels(positions), lines])

    def _digest(self, what: str, positions: Int64, of: Callable[[int], Any]) -> str:
        """Digest what each sample has, made once for equal positions: every task asks for them."""
        key = what, positions.tobytes()
        if key not in self._digests:
            self._digests[key] = digest([of(i) for i in positions.tolist()])
        return self._digests[key]

    @cached_property
    def _portions(self) -> dict[tuple[PortionName, str | None], Int64]:
        return {}

    @cached_property
    def _digests(self) -> dict[tuple[str, bytes], str]:
        return {}

    def _line(self, i: int) -> list[Any]:
        sample = self.samples[i]
        return [sample.class_name, sample.label, self.hashes[i].mask]

    def record(self) -> DatasetRecord:
        """Describe the data set for the board."""
        spec = self.bound.bound.component.spec
        licence = self.dataset.licence
        return DatasetRecord(
            name=self.name,
            use=self.bound.bound.component.qualified,
            classes=list(self.classes),
            counts={c: self._counts(c) for c in self.classes},
            fingerprint=self.truth(np.arange(len(self.samples))),
            licence=licence.name,
            show_pixels=licence.show_pixels,
            citation=spec.citation if isinstance(spec, DatasetSpec) else "",
            url=spec.url if isinstance(spec, DatasetSpec) else "",
            has_masks=any(s.has_mask for s in self.samples),
            left_out=self.left_out,
            shift=self._shift_record(),
        )

    def shifted(self, bound: BoundDataset, shift: Shift) -> Survey:
        """Corrupt the test images; what trains and calibrates is this survey's own."""
        tested = self.portion("test").tolist()
        paths = frozenset(self.samples[i].path for i in tested)
        dataset = ShiftedDataset(self.dataset, shift, paths)
        hashes = list(self.hashes)
        for i in tested:
            hashes[i] = dataset.shifted_hash(self.samples[i], hashes[i])
        return replace(self, bound=bound, dataset=dataset, hashes=tuple(hashes), clean=self)

    def _shift_record(self) -> ShiftRecord | None:
        shift = self.bound.shift
        return ShiftRecord(of=self.bound.clean.name, **shift.identity()) if shift else None

    def split_document(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        """Lay the split out as a file that `split: {policy: file}` reads; `rule` made it."""
        metadata = {"dataset": self.bound.clean.name, **rule, "left_out": self.left_out}
        return split_document(self.samples, self.split, metadata)

    def _counts(self, class_name: str) -> dict[str, int]:
        counts = {"train": len(self.portion("train", class_name))}
        portions: tuple[PortionName, ...] = ("calibration", "test")
        for name in portions:
            tally = Counter(self.labels(self.portion(name, class_name)).tolist())
            counts |= {f"{name}_normal": tally[0], f"{name}_anomalous": tally[1]}
        return counts


def survey(
    suite: BoundSuite,
    bound: BoundDataset,
    *,
    limit: int | None = None,
    cache: Path | None = None,
) -> Survey:
    """List a data set's samples, hash them and split them.

    Parameters
    ----------
    limit
        At most this many images of each class, portion and label, for a quick look; the first
        ones in the set's order.
    cache
        Folder where hashes of files are kept for the next run; by default every file is read.

    Raises
    ------
    DataError
        Where the set is missing, a class is unknown, or the split cannot be made.
    StoreError
        Where the cache cannot be written.
    """
    if bound.shift:
        return survey(suite, bound.clean, limit=limit, cache=cache).shifted(bound, bound.shift)
    dataset = bound.bound.make()
    division = divide(suite.split, bound, dataset.samples(), limit=limit)
    check_calibration(suite, bound, division)
    with nullcontext() if cache is None else remembered(_index(cache, bound.bound)):
        hashes = tuple(dataset.fingerprint(s) for s in division.samples)
    return Survey(
        bound=bound,
        dataset=dataset,
        samples=division.samples,
        hashes=hashes,
        split=division.split,
        classes=tuple(dict.fromkeys(s.class_name for s in division.samples)),
        left_out=division.left_out,
    )


def _index(cache: Path, bound: Bound) -> Path:
    """One index a root, whatever reads it; runs on different roots don't wait for each other."""
    root = getattr(bound.params, "root", None)
    place = bound.component.qualified if root is None else str(Path(root).absolute())
    return cache / "fingerprints" / f"{digest(place)}.json"


def _positions(mask: Any) -> Int64:
    return np.flatnonzero(np.fromiter(mask, dtype=bool)).astype(np.int64)
