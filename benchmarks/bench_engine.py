"""What the engine adds to the work: a run of a suite, and how much of it is the work itself.

    python benchmarks/bench_engine.py
    python benchmarks/bench_engine.py --suite suites/solar_cells.yaml --rounds 1

A run from nothing, in a folder and with a cache of its own. The work is what anybody must do who
wants these numbers, whatever harness they use: decode and resize images, the network, fit, score,
draw maps, normalize, choose thresholds, measure metrics with their intervals, read masks, project
embeddings. Time in these functions is counted where the run's own thread waits for it; a function
called by another of them counts once. All else is the engine: listing and hashing data, keys,
features written and read back and their checksums, records, the journal, the loop. A second run
finds everything stored: it has no work at all, and is engine through and through. Imports are not
counted; nor is the page, which is written from stored results and has a line of its own.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from adharness.engine import family, gather, group, score, shards, views
from adharness.engine.judge import Referee
from adharness.engine.options import RunOptions
from adharness.engine.run import run_plan
from adharness.plan import expand
from adharness.registry import discover
from adharness.report.write import write_report
from adharness.suite.bind import bind
from adharness.suite.load import load_suite

WORK: list[tuple[Any, str, str]] = [
    (shards, "extracted", "decode, network"),
    (score, "fit", "fit"),
    (score, "score_images", "score"),
    (gather, "image_scores", "maps, image scores"),
    (family, "normalize", "normalize"),
    (family, "choose_threshold", "thresholds"),
    (family, "choose_pixel_threshold", "thresholds"),
    (Referee, "ranking", "metrics"),
    (Referee, "pixel_decisions", "metrics"),
    (Referee, "decisions", "metrics"),
    (Referee, "rows", "metrics"),
    (Referee, "__init__", "metrics"),
    (group, "read_truth", "masks"),
    (views, "project", "projections"),
]


class Clock:
    """Seconds of work by kind; what is called within work is part of it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inside = False

    @contextmanager
    def on(self, kind: str) -> Iterator[None]:
        """Count the block."""
        if self._inside:
            yield
            return
        self._inside, begun = True, time.perf_counter()
        try:
            yield
        finally:
            self._inside = False
            spent = time.perf_counter() - begun
            self.seconds[kind] = self.seconds.get(kind, 0.0) + spent

    def counted(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function, its time counted; of a generator the time that each item takes."""

        def called(*arguments: Any, **named: Any) -> Any:
            with self.on(kind):
                made = function(*arguments, **named)
            return self._items(kind, made) if isinstance(made, Iterator) else made

        return called

    def _items(self, kind: str, items: Iterator[Any]) -> Iterator[Any]:
        while True:
            with self.on(kind):
                item = next(items, self)
            if item is self:
                return
            yield item


def once(suite: Path, folder: Path, limit: int | None = None) -> tuple[float, dict[str, float]]:
    """Run a suite; give its wall time and the work in it."""
    plan = expand(bind(load_suite(suite), discover()))
    clock = Clock()
    with ExitStack() as stack:
        for place, name, kind in WORK:
            counted = clock.counted(kind, getattr(place, name))
            stack.enter_context(patch.object(place, name, counted))
        begun = time.perf_counter()
        where = RunOptions(folder / "out", folder / "cache", "benchmark", limit)
        run_plan(plan, where, lambda _: None)
        return time.perf_counter() - begun, clock.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", type=Path, default=Path("suites/quickstart.yaml"))
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as warm:  # loads libraries, and files into memory
        once(options.suite, Path(warm), limit=6)
    shares = []
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            seconds, work = once(options.suite, Path(folder))
            again, _ = once(options.suite, Path(folder))
            begun = time.perf_counter()
            write_report(Path(folder) / "out")
            page = time.perf_counter() - begun
        bare = sum(work.values())
        shares.append(seconds / bare - 1)
        print(f"round {number + 1}: {seconds:.1f} s, of which work {bare:.1f} s")
        for kind, spent in sorted(work.items(), key=lambda one: -one[1]):
            print(f"  {kind:20} {spent:7.1f} s  {spent / seconds:6.1%}")
        print(f"  {'engine':20} {seconds - bare:7.1f} s  {1 - bare / seconds:6.1%}")
        print(f"  all found stored: {again:.1f} s; the page: {page:.1f} s")
    print(f"engine over work, median of {len(shares)}: {statistics.median(shares):.1%}")


if __name__ == "__main__":
    main()
