"""Scores made elsewhere: looked up by the images' names, checked, and judged like all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from adharness.arrays import Bool, Float32, Int64, require_finite, require_shape
from adharness.contracts import ImageName, LookupScorer, ScorerSpec, Scores
from adharness.engine.cell import RawScores
from adharness.engine.group import FeatureGroup
from adharness.errors import ContractError, DataError
from adharness.suite.bound import Bound

NAMED = 3
"""Images that a message names; of the rest it says how many there are."""


def imported_scorer(bound: Bound) -> LookupScorer | None:
    """Build a scorer whose record says `imported`; None for all others, which see no name.

    Raises
    ------
    ContractError
        The record says so, and the scorer cannot look up.
    """
    spec = bound.component.spec
    if not (isinstance(spec, ScorerSpec) and spec.imported):
        return None
    made = bound.make()
    if not isinstance(made, LookupScorer):
        raise ContractError(
            f"the record of scorer '{bound.name}' says `imported`, and it has no `look_up`",
            hint="see docs/contracts.md",
        )
    return made


def image_names(group: FeatureGroup, positions: Int64) -> list[ImageName]:
    """Give the names of images: for imported components only."""
    samples = [group.survey.samples[int(i)] for i in positions]
    return [ImageName(sample.path, sample.class_name) for sample in samples]


def look_up_scores(
    scorer: LookupScorer, group: FeatureGroup, positions: Int64, tested: Bool
) -> tuple[Int64, RawScores]:
    """Find the scores of images.

    Parameters
    ----------
    positions : (n,) int64
        Of held-out and test images.
    tested : (n,) bool
        Which of them are test images: each must have a score. A held-out image may have none; the
        thresholds that it should have fitted are then undefined.

    Returns
    -------
    The positions of the images that have scores, and these. Maps are checked, and not kept.

    Raises
    ------
    DataError
        A test image has no score; names the first and says how many.
    ContractError
        The scorer gave a wrong shape, a value that is not finite, or maps of some images only.
    """
    found: list[int] = []
    sizes: list[tuple[int, int] | None] = []
    own: list[float | None] = []
    names = image_names(group, positions)
    for row, name in enumerate(names):
        scores = scorer.look_up(name)
        if scores is not None:
            size, score = _checked(scores, name)
            found.append(row)
            sizes.append(size)
            own.append(score)
    _check_all_there([n for n, t in zip(names, tested, strict=True) if t],
                     {names[row].path for row in found})  # fmt: skip
    for given in (sizes, own):
        if 0 < given.count(None) < len(given):
            raise ContractError("an imported scorer gave maps or scores of some images only")
    kept = positions[np.array(found, dtype=np.int64)]
    return kept, RawScores(
        own=None if None in own else np.array(own, dtype=np.float64),
        patches=None,
        neighbours=None,
        facts={},
        costs=None,
        found=None if None in sizes else np.array(sizes, dtype=np.int64),
    )


def _checked(scores: Scores, name: ImageName) -> tuple[tuple[int, int] | None, float | None]:
    if scores.images is None and scores.patches is None:
        raise ContractError(f"an imported scorer gave neither a map nor a score of {name.path}")
    if scores.images is not None:
        require_shape(scores.images, (1,), name=f"imported score of {name.path}")
        require_finite(scores.images, name=f"imported score of {name.path}")
    if scores.patches is not None:
        require_shape(scores.patches, (1, None, None), name=f"imported map of {name.path}")
        require_finite(scores.patches, name=f"imported map of {name.path}")
    return (
        None if scores.patches is None else (scores.patches.shape[1], scores.patches.shape[2]),
        None if scores.images is None else float(scores.images[0]),
    )


def _check_all_there(tested: Sequence[ImageName], found: set[str]) -> None:
    missing = [name.path for name in tested if name.path not in found]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(tested)} test images have no imported output: "
            f"{named(missing)}",
            hint="outputs lie in the data set's own tree: look at `root` and `scores`",
        )


def named(paths: Sequence[str]) -> str:
    """Name the first few and say how many more there are."""
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return ", ".join(paths[:NAMED]) + more


@dataclass(frozen=True, eq=False)
class MapsElsewhere(Sequence[Float32]):
    """The maps of images as they were found, each read again when it is asked for."""

    scorer: LookupScorer
    images: Sequence[ImageName]

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, i: int) -> Float32: ...

    @overload
    def __getitem__(self, i: slice) -> Sequence[Float32]: ...

    def __getitem__(self, i: int | slice) -> Float32 | Sequence[Float32]:
        """Read the map of image i, (H, W) float32. Raises DataError where it is gone."""
        if isinstance(i, slice):
            return MapsElsewhere(self.scorer, self.images[i])
        scores = self.scorer.look_up(self.images[i])
        if scores is None or scores.patches is None:
            raise DataError(f"the imported map of {self.images[i].path} is gone")
        found: Float32 = scores.patches[0]
        return found
