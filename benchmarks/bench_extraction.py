"""Backends, models and precisions side by side: images a second, and how far features differ.

    python benchmarks/bench_extraction.py                            # lite0 at 224 px
    python benchmarks/bench_extraction.py --model wide_resnet50_2 --layers 2 3 --images 16

One process; all take turns, and medians of rounds are compared, so that a busy machine slows all
alike. The yardstick is what a script would do: open each picture with Pillow, resize it, and give
sixteen at a time to timm's own model in eager float32 torch, which only returns the layers. Ours
reads the same files and gives joined patches (`files`), and hashes and writes them too (`kept`, all
that a run does); `ready` images are decoded before. `bare` are the libraries alone, on one ready
image at a time in the asynchronous way that each recommends: nothing decoded, nothing copied out.

Errors are against float32 torch: the largest difference of a patch feature, relative to the
largest. Weights are random where none are bundled: they take the same time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import timm
import torch
from bench_reading import pictures
from PIL import Image

from adharness import ContentHash, Extractor, Sample
from adharness.arrays import UInt8
from adharness.data.images import read_image, resize_image
from adharness.engine.batches import batches_of
from adharness.engine.extract import extracted
from adharness.engine.extraction_job import ExtractionJob
from adharness.engine.shards import ensure_shard
from adharness_timm import TIMM, TimmParams
from adharness_timm.backends import OWN, installed_backends
from adharness_timm.bundled import BUNDLED
from adharness_timm.graphs import exported

BATCH = 16  # as the engine
WAYS = (("torch", "float32"), ("torch-compile", "float32"), ("onnxruntime", "float32"),
        ("openvino", "float32"), ("auto", "float32"),
        ("torch", "bfloat16"), ("openvino", "bfloat16"), ("auto", "bfloat16"))  # fmt: skip


KEPT = ("torch float32", "auto float32")


def main() -> None:
    options = asked()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        written = pictures(Path(folder), options.format, options)
        extractors = dict(made(options, Path(folder)))
        ready = np.stack(list(decoded(written, next(iter(extractors.values())))))
        work: dict[str, Callable[[], object]] = {
            "PIL loop, eager torch": partial(looped, written, eager(options), options),
            **{f"{n}, files": partial(whole, written, e) for n, e in extractors.items()},
            **{f"{n}, kept": partial(kept, written, e) for n, e in extractors.items() if n in KEPT},
            **{f"{n}, ready": partial(extract_all, ready, e) for n, e in extractors.items()},
            **bare(options, ready),
        }
        seconds = measure(work, options.rounds)
        errors = {n: error(extractors, e, ready[:BATCH]) for n, e in extractors.items()}
    report(seconds, errors, options)


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="tf_efficientnet_lite0")
    parser.add_argument("--layers", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--resize", type=int, default=224)
    parser.add_argument("--side", type=int, default=300, help="of the pictures, in pixels")
    parser.add_argument("--format", choices=("png", "jpg"), default="png")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--ways", nargs="+", metavar="BACKEND:PRECISION", help="only these")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def made(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Extractor]]:
    """Make the extractor in each way that is installed; `auto` chooses afresh."""
    weights = "bundled" if options.model in BUNDLED else "random"
    known = installed_backends()
    for backend, precision in WAYS:
        if options.ways and f"{backend}:{precision}" not in ("torch:float32", *options.ways):
            continue
        if backend in known and precision not in known[backend].precisions():
            continue
        if backend in (*OWN, *known):
            yield (
                f"{backend} {precision}",
                TIMM.make(
                    TimmParams(
                        model=options.model,
                        weights=weights,
                        layers=tuple(options.layers),
                        resize=(options.resize, options.resize),
                        precision=precision,
                        backend=backend,
                        choices=folder / "choices",
                    )
                ),
            )


def eager(options: argparse.Namespace) -> torch.nn.Module:
    """Timm's own model, as a script would make it."""
    module: torch.nn.Module = timm.create_model(
        options.model, features_only=True, out_indices=tuple(options.layers)
    )
    return module.eval()


def looped(paths: list[Path], net: torch.nn.Module, options: argparse.Namespace) -> None:
    size = (options.resize, options.resize)
    for start in range(0, len(paths), BATCH):
        some = []
        for path in paths[start : start + BATCH]:
            with Image.open(path) as picture:
                scaled = picture.convert("RGB").resize(size, Image.Resampling.BILINEAR)
            some.append(torch.from_numpy(np.array(scaled)).permute(2, 0, 1).float() / 255)
        with torch.inference_mode():
            net((torch.stack(some) - 0.5) / 0.5)


def decoded(paths: list[Path], extractor: Extractor) -> Iterator[UInt8]:
    for path in paths:
        yield resize_image(read_image(path), extractor.preprocess)


class Pictures:
    """The files as a data set."""

    def image(self, sample: Sample) -> UInt8:
        return read_image(Path(sample.path))


def whole(paths: list[Path], extractor: Extractor) -> None:
    """Read and extract as a run does, all but the cache."""
    for _ in extracted(job_of(paths, extractor)):
        pass


def kept(paths: list[Path], extractor: Extractor) -> None:
    """Read, extract and keep as a run does: features are hashed and written to the cache."""
    with tempfile.TemporaryDirectory() as cache:
        ensure_shard(Path(cache), job_of(paths, extractor), lambda *_: None)


def job_of(paths: list[Path], extractor: Extractor) -> ExtractionJob:
    samples = [Sample(str(path), "pictures", "test", 0) for path in paths]
    hashes = [ContentHash(path.name, None) for path in paths]
    return ExtractionJob(Pictures(), samples, hashes, extractor, {"use": "timm"}, "fail")


def extract_all(images: UInt8, extractor: Extractor) -> None:
    size = batches_of(extractor).most
    for start in range(0, len(images), size):
        extractor.extract(images[start : start + size])


def bare(options: argparse.Namespace, ready: UInt8) -> dict[str, Callable[[], object]]:
    """Each library alone on the graph that we give it."""
    weights = "bundled" if options.model in BUNDLED else "random"
    params = TimmParams(
        model=options.model,
        weights=weights,
        layers=tuple(options.layers),
        resize=(options.resize, options.resize),
        device="cpu",
    )
    graph = exported(TIMM.make(params)._network, params).onnx
    able = installed_backends()
    found: dict[str, Callable[[], object]] = {}
    if "onnxruntime" in able:
        found["bare onnxruntime float32"] = bare_onnxruntime(graph, ready, options.threads)
    for precision in able["openvino"].precisions() if "openvino" in able else ():
        hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
        found[f"bare openvino {precision}"] = bare_openvino(graph, ready, options.threads, hint)
    return found


def bare_onnxruntime(graph: bytes, ready: UInt8, threads: int) -> Callable[[], object]:
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run() -> None:
        with ThreadPoolExecutor(threads) as pool:
            each = (ready[i : i + 1] for i in range(len(ready)))
            list(pool.map(lambda image: session.run(None, {name: image}) and None, each))

    return run


def bare_openvino(graph: bytes, ready: UInt8, threads: int, hint: str) -> Callable[[], object]:
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "THROUGHPUT"}
    settings |= {"INFERENCE_NUM_THREADS": threads}
    queue = openvino.AsyncInferQueue(core.compile_model(core.read_model(graph), "CPU", settings))

    def run() -> None:
        for i in range(len(ready)):
            queue.start_async([ready[i : i + 1]])
        queue.wait_all()

    return run


def measure(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds + 1):
        for name, do in work.items():
            begun = time.perf_counter()
            do()
            seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(each[1:]) for name, each in seconds.items()}


def error(extractors: dict[str, Extractor], one: Extractor, images: UInt8) -> float:
    exact, found = extractors["torch float32"].extract(images), one.extract(images)
    return float(np.abs(exact.patches - found.patches).max() / np.abs(exact.patches).max())


def report(
    seconds: dict[str, float], errors: dict[str, float], options: argparse.Namespace
) -> None:
    print(
        f"{options.model} layers {options.layers}, {options.side} px {options.format} to "
        f"{options.resize} px, {options.threads} threads, load {os.getloadavg()[0]:.1f}\n"
    )
    yardstick = next(iter(seconds.values()))
    print("| way | images a second | times the loop | relative error |")
    print("|---|---|---|---|")
    for name, each in seconds.items():
        known = errors.get(name.split(",")[0])
        told = "" if known is None or not name.endswith("files") else f"{known:.1e}"
        rate = options.images / each
        print(f"| {name} | {rate:.1f} | {yardstick / each:.2f} | {told} |")


if __name__ == "__main__":
    main()
