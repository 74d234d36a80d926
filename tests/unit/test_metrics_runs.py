"""Values that outgrow memory come back complete, sorted, and counted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from adharness.errors import MetricError
from adharness.metrics import DeclaredRegions, evaluate_pixels, pixels, runs, spool
from adharness.metrics.inputs import read_pixels
from adharness.metrics.pixels import PixelSorter
from adharness.metrics.runs import Runs
from adharness.metrics.spool import Spool


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "BLOCK", 5)
    monkeypatch.setattr(runs, "READ_BLOCK", 3)


def spooled(parts: Sequence[Sequence[int]], folder: Path, *, last_in_memory: bool = True) -> Runs:
    spool = Spool(np.uint64)
    for number, part in enumerate(parts):
        spool.add(np.asarray(part, np.uint64))
        if number < len(parts) - last_in_memory:
            spool.spill(folder)
    return spool.finish(np.sort(spool.take()))


PARTS = [[9, 1, 5, 5, 7, 0, 3], [5, 5, 5, 5, 2, 8], [4, 9, 9]]
ALL = np.sort(np.concatenate(PARTS))


def test_a_spool_holds_nothing_once_it_is_spilled(tmp_path: Path) -> None:
    spool = Spool(np.float32)
    spool.add(np.arange(7, dtype=np.float32))
    assert (spool.held, spool.held_bytes) == (7, 28)
    spool.spill(tmp_path)
    assert (spool.held, spool.held_bytes) == (0, 0)
    (run,) = spool.finish(spool.take()).parts
    assert run.read(0, 7).tolist() == list(range(7))


def test_a_run_on_disk_has_no_name_so_that_a_kill_leaves_nothing_behind(tmp_path: Path) -> None:
    runs = spooled(PARTS, tmp_path, last_in_memory=False)
    assert len(runs.parts) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_run_closes_its_file_when_it_goes(tmp_path: Path) -> None:
    runs = spooled([[1, 2]], tmp_path, last_in_memory=False)
    descriptor = runs.parts[0].descriptor
    os.fstat(descriptor)
    del runs
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_call_that_spills_right_before_its_end_gives_the_value_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "BLOCK", 2**20)  # holds all that is spilled, as blocks do in use
    rng = np.random.default_rng(0)
    maps = [rng.random((500, 600), dtype=np.float32) for _ in range(2)]  # 2.3 of 1 MB
    masks = [maps[0] > 0.9, None]
    given = (masks, maps, ["pixel_auroc", "region_aupro_30"])
    assert evaluate_pixels(*given, memory_mb=1, spill_to=tmp_path) == evaluate_pixels(*given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("last_in_memory", [True, False])
def test_positions_add_up_over_all_runs(tmp_path: Path, last_in_memory: bool) -> None:
    found = spooled(PARTS, tmp_path, last_in_memory=last_in_memory)
    needles = np.arange(11, dtype=np.uint64)
    assert len(found) == len(ALL)
    below, up_to = found.counts(needles)
    assert below.tolist() == np.searchsorted(ALL, needles, "left").tolist()
    assert up_to.tolist() == np.searchsorted(ALL, needles, "right").tolist()
    assert found.counts(needles[:0]).shape == (2, 0)
    assert found.ends() == (0, 9)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 100])
@pytest.mark.parametrize("parts", [PARTS, [[5] * 9, [5] * 9], [[1]], [[]], [[5] * 20, [6], [4]]])
def test_brackets_give_every_value_once_from_the_highest_down(
    parts: list[list[int]], size: int, tmp_path: Path
) -> None:
    given: list[int] = []
    for values, counts in spooled(parts, tmp_path).brackets(size):
        assert values.tolist() == sorted(values.tolist())
        together = values if counts is None else np.repeat(values, counts)
        given = [*together.tolist(), *given]
    assert given == sorted(number for part in parts for number in part)


def test_a_value_that_fills_more_than_a_bracket_comes_once_with_its_count(tmp_path: Path) -> None:
    brackets = list(spooled([[5] * 20, [6], [4]], tmp_path).brackets(4))
    heavy = [(v.tolist(), c.tolist()) for v, c in brackets if c is not None]
    assert heavy == [([5], [20])]
    assert max(len(values) for values, _ in brackets) <= 4


def test_brackets_without_heavy_ties_stay_about_as_small_as_asked(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    parts = np.split(rng.permutation(600), [130, 350, 351])
    sizes = [len(v) for v, _ in spooled([p.tolist() for p in parts], tmp_path).brackets(40)]
    assert sum(sizes) == 600
    assert max(sizes) <= 2 * 40


def test_no_value_at_all_has_no_ends_and_no_bracket(tmp_path: Path) -> None:
    nothing = spooled([[]], tmp_path)
    assert nothing.ends() is None
    assert list(nothing.brackets(4)) == []


def test_a_run_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    spool = Spool(np.float32)
    spool.add(np.zeros(3, np.float32))
    with pytest.raises(MetricError, match=r"cannot be written to .*nowhere") as caught:
        spool.spill(tmp_path / "nowhere")
    assert caught.value.hint is not None
    assert "allow the sort more memory" in caught.value.hint


def test_pixels_sorted_in_pieces_have_the_same_counts_at_every_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(2)
    maps = [rng.integers(0, 4, (6, 6)).astype(np.float32) for _ in range(3)]
    masks: list[np.ndarray | DeclaredRegions | None] = [maps[0] > 1, maps[1] > 2, None]
    monkeypatch.setattr(pixels, "BRACKET", 3)
    for budget in (2**30, 60):
        sorter = PixelSorter(frozenset({"eight"}), budget, tmp_path)
        for image in read_pixels(masks, maps):
            sorter.add(image)
        ranked = sorter.finish()
        at = {
            float(score): (int(found), int(false))
            for bracket in ranked.brackets()
            for score, found, false in zip(
                bracket.scores,
                bracket.ranking.true_positives,
                bracket.ranking.false_positives,
                strict=True,
            )
        }
        flat = np.concatenate([scores.ravel() for scores in maps])
        truth = np.concatenate([masks[0].ravel(), masks[1].ravel(), np.zeros(36, bool)])  # type: ignore[union-attr]
        assert at == {
            t: (int((flat[truth] >= t).sum()), int((flat[~truth] >= t).sum()))
            for t in np.unique(flat[truth]).tolist()
        }
        assert ranked.ends() == (0.0, 3.0)
