"""Decode and resize against the network's forward pass: does reading starve the extractor?

    python benchmarks/bench_reading.py                       # 300 px, PNG and JPEG
    python benchmarks/bench_reading.py --side 1024 --images 48

One process and two threads for both: reading works in two threads as the network does, so the ratio
says how much of the machine reading takes. In a run, one thread reads while the network works; that
share is the last column. Medians of rounds in which all take turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from adharness import Extractor
from adharness.arrays import UInt8
from adharness.data.images import read_image, resize_image
from adharness.threads import in_order
from adharness_timm import TIMM, TimmParams

THREADS = 2
FORMATS = ("png", "jpg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=300, help="of the pictures, in pixels")
    parser.add_argument("--resize", type=int, default=256)
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    extractor = TIMM.make(TimmParams(resize=(options.resize, options.resize)))
    ready = np.zeros((options.images, options.resize, options.resize, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        written = {name: pictures(Path(folder), name, options) for name in FORMATS}
        work: dict[str, Callable[[], None]] = {
            name: lambda paths=paths: read_all(paths, extractor) for name, paths in written.items()
        }
        rates = measure({**work, "lite0": lambda: extract_all(ready, extractor)}, options)
    report(rates, options)


def pictures(folder: Path, name: str, options: argparse.Namespace) -> list[Path]:
    """Write smooth pictures with some noise, as a camera's are."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(options.images):
        coarse = rng.integers(60, 200, (9, 9, 3), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((options.side,) * 2, Image.BICUBIC))
        noise = rng.normal(0, 3, smooth.shape)
        paths.append(folder / f"{i}.{name}")
        Image.fromarray(np.clip(smooth + noise, 0, 255).astype(np.uint8)).save(paths[-1])
    return paths


def read_all(paths: list[Path], extractor: Extractor) -> None:
    def read(path: Path) -> UInt8:
        return resize_image(read_image(path), extractor.preprocess)

    for _ in in_order(read, paths, workers=THREADS, ahead=2 * THREADS):
        pass


def extract_all(images: UInt8, extractor: Extractor) -> None:
    for start in range(0, len(images), 16):
        extractor.extract(images[start : start + 16])


def measure(work: dict[str, Callable[[], None]], options: argparse.Namespace) -> dict[str, float]:
    """Images a second of each."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(options.rounds + 1):
        for name, do in work.items():
            begun = time.perf_counter()
            do()
            seconds[name].append(time.perf_counter() - begun)
    return {name: options.images / statistics.median(s[1:]) for name, s in seconds.items()}


def report(rates: dict[str, float], options: argparse.Namespace) -> None:
    network = rates["lite0"]
    print(f"{options.side} px to {options.resize} px, load {os.getloadavg()[0]:.1f}\n")
    print("| work | images a second | times lite0's forward | of the machine, in a run |")
    print("|---|---|---|---|")
    for name, rate in rates.items():
        share = network / rate if name != "lite0" else 1.0
        print(f"| {name} | {rate:.0f} | {rate / network:.1f} | {share:.0%} |")


if __name__ == "__main__":
    main()
