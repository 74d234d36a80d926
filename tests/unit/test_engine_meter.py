"""What a block of code takes: measured on blocks whose needs are known."""

from __future__ import annotations

import mmap
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from adharness.engine import meter
from adharness.engine.meter import Meter, Spent

MB = 10**6
SLACK = 12.0  # MB that a test runner and its threads may need besides
SMALL = 50_000  # bytes that the allocator takes from its heap, and keeps there when they are freed
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells pages of files apart")


def touched(megabytes: int) -> np.ndarray:
    # Pages of its own, given back when it is freed: in a process that has run other tests, malloc
    # was seen to keep those of one array while the next one was made, and the meter to tell.
    pages = mmap.mmap(-1, megabytes * MB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    made = np.frombuffer(pages, np.uint8)
    made[::4096] = 1
    return made


def measured(block: Callable[[], object]) -> Spent:
    with Meter() as one:
        kept = block()
    del kept
    return one.spent


@pytest.mark.parametrize("megabytes", [64, 128, 256])
def test_memory_that_comes_and_goes_is_the_peak_twice_in_a_row(megabytes: int) -> None:
    for _ in range(2):
        spent = measured(lambda: touched(megabytes)[0])
        assert spent.peak_mb == pytest.approx(megabytes, abs=SLACK)
        assert spent.held_mb < SLACK


def test_the_peak_is_the_most_at_once_and_not_the_sum() -> None:
    def one_after_the_other() -> None:
        for megabytes in (64, 96, 32):
            touched(megabytes)

    assert measured(one_after_the_other).peak_mb == pytest.approx(96, abs=SLACK)


def test_what_a_block_leaves_behind_is_held_and_no_part_of_the_next_one() -> None:
    spent = measured(lambda: touched(64))
    assert spent.held_mb == pytest.approx(64, abs=SLACK)
    kept = touched(64)
    assert measured(lambda: kept[0]).peak_mb < SLACK


@linux
def test_memory_that_the_allocator_kept_hides_no_growth() -> None:
    def many_small() -> None:
        for one in [bytearray(SMALL) for _ in range(100 * MB // SMALL)]:
            one[::4096] = b"1" * len(one[::4096])

    before = [bytearray(SMALL) for _ in range(100 * MB // SMALL)]
    pin = before[-1]  # the heap can't shrink below it, and so stays large
    del before
    assert pin
    assert measured(many_small).peak_mb == pytest.approx(100, abs=SLACK)


@linux
def test_a_mapped_file_is_no_memory_of_the_block(tmp_path: Path) -> None:
    touched(100).tofile(tmp_path / "features")

    def read() -> int:
        mapped = np.memmap(tmp_path / "features", np.uint8, "r")
        total = int(mapped.sum())
        time.sleep(0.2)  # still mapped when it is looked at; let go before, it is counted
        return total

    assert read() > 0
    assert measured(read).peak_mb < SLACK


@linux
def test_memory_within_native_code_that_keeps_the_interpreter_is_seen() -> None:
    # The buffer of four bytes a character is made, filled and freed in one call.
    text = "\N{LATIN SMALL LETTER E WITH ACUTE}" * (8 * MB)
    assert measured(text.casefold).peak_mb >= 4 * 8


@linux
def test_where_no_high_water_mark_can_be_begun_the_looks_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: Path, *_: object) -> None:
        raise PermissionError(self)

    monkeypatch.setattr(Path, "write_text", refuse)

    def slowly() -> None:
        kept = touched(64)
        time.sleep(0.05)
        del kept

    touched(128)  # an older mark, higher than any of the block
    assert measured(slowly).peak_mb == pytest.approx(64, abs=SLACK)


def test_other_systems_are_asked_for_all_resident_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "_linux_pages", lambda: None)

    def slowly() -> None:
        kept = touched(64)
        time.sleep(0.05)
        del kept

    assert measured(slowly).peak_mb == pytest.approx(64, abs=SLACK)


def busy(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_cpu_time_is_that_of_all_threads_and_of_children_that_ended() -> None:
    def work() -> None:
        threads = [Thread(target=busy, args=(0.1,)) for _ in range(2)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        code = "import time\nwhile time.process_time() < 0.2: pass"
        subprocess.run([sys.executable, "-S", "-c", code], check=True)

    spent = measured(work)
    assert spent.cpu_s >= 0.38  # ticks of children are of 10 ms
    assert measured(lambda: time.sleep(0.1)).cpu_s < 0.09
    assert spent.wall_s >= 0.2


def test_a_block_that_fails_is_measured_too_and_leaves_no_thread() -> None:
    one = Meter()

    def fail() -> None:
        with one:
            touched(32)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert one.spent.peak_mb == pytest.approx(32, abs=SLACK)
    assert "adharness-meter" not in {thread.name for thread in threading.enumerate()}


@linux
def test_where_no_thread_can_be_started_the_high_water_mark_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    assert measured(lambda: touched(64)[0]).peak_mb == pytest.approx(64, abs=SLACK)


def test_a_block_within_a_block_hides_nothing_that_it_holds() -> None:
    inner: list[Spent] = []

    def nested() -> None:
        kept = touched(64)
        inner.append(measured(lambda: touched(32)[0]))
        time.sleep(0.02)
        del kept

    assert measured(nested).peak_mb >= 64 - SLACK
    assert inner[0].peak_mb == pytest.approx(32, abs=SLACK)


def test_measuring_an_empty_block_takes_about_a_millisecond() -> None:
    taken = []
    for _ in range(30):
        begun = time.perf_counter()
        measured(lambda: None)
        taken.append(time.perf_counter() - begun)
    assert np.median(taken) < 0.005  # 0.3 ms where nobody else works
