"""From the images of a data set to those a run uses, and which portion each is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adharness.contracts import Sample, ThresholderSpec
from adharness.data.folds import fold_split
from adharness.data.partition import Split
from adharness.data.split_file import file_split, read_split_file
from adharness.data.splits import make_split
from adharness.data.study_split import study_split
from adharness.errors import DataError, SuiteError
from adharness.suggest import closest
from adharness.suite.bound import Bound, BoundDataset, BoundSuite
from adharness.suite.protocols import PROTOCOLS
from adharness.suite.split import SplitSettings


@dataclass(frozen=True)
class Division:
    """The images of a run with their split. `left_out` counts those that a split file omits."""

    samples: tuple[Sample, ...]
    split: Split
    left_out: int = 0


def divide(
    settings: SplitSettings,
    bound: BoundDataset,
    samples: Sequence[Sample],
    *,
    limit: int | None = None,
) -> Division:
    """Take the chosen classes of a data set's samples and split them as the suite says.

    Parameters
    ----------
    samples
        All that the data set lists.
    limit
        At most this many images of each class, portion and label, the first in the set's order.

    Raises
    ------
    DataError
        Where a chosen class is unknown or the split cannot be made.
    """
    chosen = _chosen(samples, bound)
    if settings.policy == "file" and settings.path is not None:
        return _as_filed(settings.path, bound, chosen, limit)
    every = [(s.class_name, s.portion, s.label) for s in chosen]
    kept = [chosen[i] for i in _first(every, limit)]
    return Division(tuple(kept), _drawn(settings, kept))


def check_calibration(suite: BoundSuite, bound: BoundDataset, division: Division) -> None:
    """Refuse a split file whose `val` lacks what a thresholder of the suite needs.

    The other policies are checked when the suite is bound. Where a protocol knows the class each
    class has a threshold of its own, and so needs its own calibration images.

    Raises
    ------
    SuiteError
        Naming the thresholder, the class and the file.
    """
    if suite.split.policy != "file" or suite.split.path is None:
        return
    each = any(PROTOCOLS[name].labels_at_eval for name in suite.protocols)
    held = [division.samples[i] for i in division.split.calibration]
    classes = sorted({s.class_name for s in division.samples})
    for label, kind in enumerate(("normal", "anomalous")):
        has = {s.class_name for s in held if s.label == label}
        lacking = [name for name in classes if name not in has] if each or not has else []
        needing = [one for one in suite.thresholders if label == 0 or _needs_labels(one)]
        if lacking and needing:
            raise SuiteError(
                f"thresholder '{needing[0].name}' needs {kind} calibration images, but the split "
                f"file lists none under `val` of {', '.join(lacking)}",
                hint="add some, or use a thresholder that needs none, such as quantile"
                if label
                else "add some: a threshold is never chosen on training or test images",
                where=str(split_path(suite.split.path, bound.clean.name)),
            )


def _needs_labels(thresholder: Bound) -> bool:
    spec = thresholder.component.spec
    return isinstance(spec, ThresholderSpec) and spec.needs_labels


def split_path(path: Path, dataset: str) -> Path:
    """Find the split file of a data set: the path itself, or in a folder the file of its name."""
    path = path.expanduser()
    return path / f"{dataset}.json" if path.is_dir() else path


def _drawn(settings: SplitSettings, samples: Sequence[Sample]) -> Split:
    if settings.policy == "study":
        return study_split(samples, seed=settings.seed)
    shares = settings.calibration
    if settings.policy == "k-fold":
        return fold_split(
            samples,
            folds=settings.folds,
            fold=settings.fold,
            anomalous=shares.anomalous,
            seed=settings.seed,
        )
    return make_split(
        samples,
        policy="official" if settings.policy == "official" else "holdout",
        normal=shares.normal,
        anomalous=shares.anomalous,
        seed=settings.seed,
    )


def _as_filed(
    path: Path, bound: BoundDataset, samples: Sequence[Sample], limit: int | None
) -> Division:
    """Keep what the file lists; a limit counts by the file's portions, not by the set's."""
    file = read_split_file(split_path(path, bound.name))
    split = file_split(samples, file, classes=bound.classes)
    portions = {i: name for name in ("train", "calibration", "test") for i in getattr(split, name)}
    listed = sorted(portions)
    every = [(samples[i].class_name, portions[i], samples[i].label) for i in listed]
    kept = [listed[i] for i in _first(every, limit)]
    renumbered = {
        name: tuple(new for new, old in enumerate(kept) if portions[old] == name)
        for name in ("train", "calibration", "test")
    }
    left_out = len(samples) - len(listed)
    return Division(tuple(samples[i] for i in kept), Split(**renumbered), left_out)


def _chosen(samples: Sequence[Sample], bound: BoundDataset) -> list[Sample]:
    present = list(dict.fromkeys(s.class_name for s in samples))
    for name in bound.classes or ():
        if name not in present:
            raise DataError(
                f"data set '{bound.name}' has no class '{name}'",
                hint=closest(name, present, otherwise="its classes are"),
            )
    wanted = set(bound.classes or present)
    return [s for s in samples if s.class_name in wanted]


def _first(kinds: Iterable[tuple[str, str, int]], limit: int | None) -> list[int]:
    """Positions of the first `limit` of each kind, ascending."""
    seen: Counter[tuple[str, str, int]] = Counter()
    kept = []
    for i, kind in enumerate(kinds):
        seen[kind] += 1
        if limit is None or seen[kind] <= limit:
            kept.append(i)
    return kept
