"""Changes to our own code, each of which a named property of the metrics must notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from adharness.arrays import AnyArray, Int64
from adharness.metrics import decisions, evaluate_pixels, pixels, segments
from adharness.metrics.pixels import SortedPixels
from adharness.metrics.regions import SaturatedOverlap
from adharness.metrics.runs import MemoryRun, Runs, StoredRun
from adharness.metrics.spool import Spool
from pixel_cases import NAMES, SPECS, Case, build, values

EXACT = [name for name in NAMES if SPECS[name].dialect is None]


# --- properties -----------------------------------------------------------------------------


def pieces_change_nothing() -> bool:
    return all(_equal(case, replace(case, in_pieces=True)) for case in map(build, range(12)))


def negative_and_positive_scores_keep_their_order() -> bool:
    return all(_equal(case, _lifted(case)) for case in map(build, range(12)))


def the_two_zeros_are_one_score() -> bool:
    return all(_equal(case, _half_signed(case)) for case in map(build, range(12)))


def one_of_two_regions_found_is_one_half() -> bool:
    mask, scores = np.array([[True, False, True, True]]), np.array([[2.0, 1.0, 0.0, 0.0]])
    return evaluate_pixels([mask], [scores], ["region_aupro_30"])["region_aupro_30"].value == 0.5


def a_score_on_the_threshold_in_float64_is_judged_there() -> bool:
    scores = np.float32([[0.1, 0.1, 0.0]])  # in float32 this 0.1 lies above 0.1 itself
    mask = np.array([[True, True, False]])
    return evaluate_pixels([mask], [scores], ["pixel_f1"], threshold=0.1)["pixel_f1"].value == 1.0


def _equal(one: Case, other: Case) -> bool:
    first, second = values(one, EXACT), values(other, EXACT)
    return first == pytest.approx(second, abs=1e-12, nan_ok=True)


def _half_signed(case: Case) -> Case:
    """Every second zero of a map a negative one."""
    maps = [scores.copy() for scores in case.maps]
    for scores in maps:
        scores.flat[np.flatnonzero(scores == 0)[::2]] = -0.0
    return replace(case, maps=maps)


def _lifted(case: Case) -> Case:
    maps = [scores + np.float32(64) for scores in case.maps]
    return replace(case, maps=maps, thresholds=case.thresholds + 64)


# --- mutants --------------------------------------------------------------------------------


def _keeps_the_fill(self: Spool) -> AnyArray:
    """The fault that was found: what was given away still counts as held."""
    fill = self._fill
    joined = _TAKEN(self)
    self._fill = fill if joined.size else 0
    return joined


def _only_in_this_bracket(
    self: SortedPixels, keys: AnyArray, distinct: AnyArray, gains: Int64
) -> tuple[Int64, Int64]:
    """Scores that two brackets share are counted in each as if it were alone."""
    higher = self.positives - self.anomalous.counts(keys[-1:])[1] if len(keys) else 0
    at = higher + np.cumsum(gains[::-1])[::-1]
    return at - gains, at


def _without_heavy(self: Runs, size: int) -> Iterator[tuple[AnyArray, Int64 | None]]:
    """A value that fills more than a bracket loses its count."""
    for values_, counts in _BRACKETS(self, size):
        yield values_, None if counts is None else np.ones_like(counts)


def _in_the_first_block(self: StoredRun, needles: AnyArray) -> Int64:
    """Of a run on disk only the first block is looked at."""
    return MemoryRun(self.read(0, min(self.length, 2))).counts(needles)


def _forgetful(self: SaturatedOverlap, region: Int64, shares: AnyArray, counts: Int64) -> AnyArray:
    """Each bracket starts to fill the regions anew."""
    self._found[:] = 0
    return _COUNTED(self, region, shares, counts)


def _plain_bits(scores: AnyArray) -> AnyArray:
    return scores.view(np.uint32)


def _two_zeros(scores: AnyArray) -> AnyArray:
    bits = scores.view(np.uint32)
    return np.where(bits >= 1 << 31, ~bits, bits | np.uint32(1 << 31))


def _one_image_numbers(rows: list[Int64], mask: AnyArray) -> tuple[Int64, Int64]:
    """All pixels of an image in one segment."""
    return np.zeros(np.count_nonzero(mask), np.int64), np.zeros(1, np.int64)


def _rounded(thresholds: AnyArray, *, strict: bool = True) -> AnyArray:
    return np.asarray(thresholds, np.float32)


_TAKEN, _BRACKETS, _COUNTED = Spool.take, Runs.brackets, SaturatedOverlap._counted


@dataclass(frozen=True)
class Trial:
    """A place in the code, what stands there in the mutant, and what must notice."""

    holds: Callable[[], bool]
    owner: object
    name: str
    mutant: Callable[..., object]


TRIALS = [
    Trial(pieces_change_nothing, Spool, "take", _keeps_the_fill),
    Trial(pieces_change_nothing, SortedPixels, "_found", _only_in_this_bracket),
    Trial(pieces_change_nothing, Runs, "brackets", _without_heavy),
    Trial(pieces_change_nothing, StoredRun, "counts", _in_the_first_block),
    Trial(pieces_change_nothing, SaturatedOverlap, "_counted", _forgetful),
    Trial(one_of_two_regions_found_is_one_half, segments, "_finest", _one_image_numbers),
    Trial(negative_and_positive_scores_keep_their_order, pixels, "score_bits", _plain_bits),
    Trial(the_two_zeros_are_one_score, pixels, "score_bits", _two_zeros),
    Trial(
        a_score_on_the_threshold_in_float64_is_judged_there, decisions, "same_decision", _rounded
    ),
]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.mutant.__name__.strip("_"))
def test_a_change_to_the_code_is_noticed_by_the_property_that_holds_without(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trial.holds()
    monkeypatch.setattr(trial.owner, trial.name, trial.mutant)
    try:
        noticed = not trial.holds()
    except (ValueError, IndexError):  # a crash is noticed as well
        noticed = True
    assert noticed
