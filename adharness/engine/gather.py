"""Raw scores of all the models that a family of cells judges, put together by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adharness.arrays import AnyArray, Float32, Float64, Int64
from adharness.engine.failures import failure_of
from adharness.engine.group import FeatureGroup
from adharness.engine.score import ScoringOutcome
from adharness.engine.scored_maps import RawMaps
from adharness.errors import StoreError
from adharness.store.folder import RunFolder
from adharness.store.records import Costs, Failure


@dataclass(frozen=True, eq=False)
class Gathered:
    """Raw scores of every image that was scored, by ascending position in the survey.

    Parameters
    ----------
    positions : (n,) int64
    raw : (n,) float64
    patches : (n, h, w) float32, optional
    failures
        Classes without scores, or whose masks could not be read, and why.
    """

    positions: Int64
    raw: Float64
    patches: Float32 | None
    maps: RawMaps | None
    failures: Mapping[str, Failure]
    costs: Costs | None

    def rows(self, positions: Int64) -> Int64:
        """Find the rows of these positions; those without a score are left out."""
        here = positions[np.isin(positions, self.positions)]
        return np.searchsorted(self.positions, here).astype(np.int64)

    def first_failure(self) -> StoreError:
        """Say which class has no scores."""
        name, failure = next(iter(self.failures.items()))
        return StoreError(f"class {name}: {failure.message}", hint=failure.hint)


def gather(
    group: FeatureGroup,
    folder: RunFolder,
    outcomes: Mapping[str | None, ScoringOutcome],
    smooth_px: float,
) -> Gathered:
    """Read the stored scorings of a method; those that failed become failures by class.

    `outcomes` maps the class that a model was trained on, or None for all, to what came of it.
    """
    survey = group.survey
    failures = {c: failure_of("judge", error) for c, error in group.truth.broken.items()}
    place = {sample.path: i for i, sample in enumerate(survey.samples)}
    found: list[tuple[Int64, dict[str, AnyArray]]] = []
    costs: list[Costs] = []
    for trained_on, outcome in outcomes.items():
        if outcome.failure:
            names = survey.classes if trained_on is None else (trained_on,)
            failures |= dict.fromkeys(names, outcome.failure)
            continue
        arrays = folder.scoring_arrays(outcome.id, "scores.npz")
        found.append((np.array([place[p] for p in arrays["samples"].tolist()]), arrays))
        costs += [outcome.costs] if outcome.costs else []
    positions, raw, patches = _stacked(found)
    maps = None
    if patches is not None:
        sizes = [group.sizes[int(i)] for i in positions]
        maps = RawMaps(patches, sizes, group.input_size, smooth_px)
    return Gathered(positions, raw, patches, maps, failures, _total(costs))


def _stacked(
    found: list[tuple[Int64, dict[str, AnyArray]]],
) -> tuple[Int64, Float64, Float32 | None]:
    if not found:
        return np.zeros(0, np.int64), np.zeros(0), None
    positions = np.concatenate([p for p, _ in found])
    order = np.argsort(positions, kind="stable")
    patches = [a["patches"] for _, a in found if "patches" in a]
    return (
        positions[order],
        np.concatenate([a["raw"] for _, a in found])[order],
        np.concatenate(patches)[order] if len(patches) == len(found) else None,
    )


def _total(costs: Sequence[Costs]) -> Costs | None:
    """Sum what the models cost; the time to score an image is their median."""
    if not costs:
        return None
    rows = [c.bank_rows for c in costs if c.bank_rows is not None]
    sizes = [c.bank_mb for c in costs if c.bank_mb is not None]
    extract = [c.extract_ms for c in costs if c.extract_ms is not None]
    return Costs(
        fit_s=sum(c.fit_s for c in costs),
        score_ms=float(np.median([c.score_ms for c in costs])),
        extract_ms=float(np.mean(extract)) if extract else None,
        bank_rows=sum(rows) if rows else None,
        bank_mb=sum(sizes) if sizes else None,
    )
