"""Two small suites that use every scorer, bank and rule that computes, and runs of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from threadpoolctl import threadpool_limits

from adharness.contracts.specs import AnySpec
from adharness.engine.options import RunOptions
from adharness.engine.run import run_plan
from adharness.plan import expand
from adharness.registry import Component, Registry, discover
from adharness.report.reading import read_run
from adharness.reproduction.deviations import Deviation, deviation
from adharness.store.folder import RunFolder
from adharness.suite.bind import bind
from adharness.suite.load import load_suite
from few_threads import torch_threads

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
RANDOM = {"use": "random", "ratio": 0.25}
BANKS_AND_SCORERS: dict[str, tuple[Any, Any]] = {
    "knn": (RANDOM, {"use": "knn-faiss", "k": 3}),
    "knn-two-stage": (RANDOM, {"use": "knn-faiss", "k": 3, "search": "two-stage"}),
    "knn-cosine": (RANDOM, {"use": "knn-faiss", "metric": "cosine"}),
    "knn-ivf": (RANDOM, {"use": "knn-faiss", "index": "ivf", "lists": 4, "probes": 2}),
    "knn-pq": (RANDOM, {"use": "knn-faiss", "index": "pq", "sub_vectors": 8, "bits": 4}),
    "knn-images": ({"use": "images"}, {"use": "knn-faiss"}),
    "mahalanobis": ({"use": "images"}, {"use": "mahalanobis"}),
    "mahalanobis-patches": (RANDOM, {"use": "mahalanobis"}),
    "mahalanobis-grid": ({"use": "grid"}, {"use": "mahalanobis"}),
    "padim": ({"use": "grid"}, {"use": "padim", "dims": 40}),
    "patchcore": ({"use": "coreset", "ratio": 0.1}, {"use": "patchcore", "neighbours": 5}),
    "patchcore-study": (
        {"use": "coreset", "ratio": 0.1, "recipe": "study"},
        {"use": "patchcore", "recipe": "study"},
    ),
    "patchcore-anomalib": (
        {"use": "coreset", "ratio": 0.1, "recipe": "anomalib"},
        {"use": "patchcore", "recipe": "anomalib"},
    ),
    "spade": ({"use": "grid"}, {"use": "spade", "k": 3}),
    "anomalydino": ({"use": "all", "shots": 2, "rotations": 4}, {"use": "anomalydino"}),
    "gmm": (RANDOM, {"use": "gmm", "components": 3, "dims": 12}),
    "gmm-grid": ({"use": "grid"}, {"use": "gmm", "components": 2, "dims": 8}),
    "random-scores": (RANDOM, {"use": "random-scores"}),
}
LITE = {"use": "timm", "model": "tf_efficientnet_lite0", "weights": "bundled", "layers": [2, 3],
        "resize": 64, "device": "cpu"}  # fmt: skip
NORMALIZERS = ("raw", "zscore", "zscore-routed", "cluster-quantile", "conformal", "local-density",
               "regressed")  # fmt: skip
THRESHOLDERS = ("f1", "youden", "quantile", "max-normal", "mean-std", "median-mad", "pot",
                "conformal-bh")  # fmt: skip


def _suite(**changes: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "name": "determined",
        "data": [{"use": "textures", "size": 64, "train": 10, "good": 4, "per_defect": 1,
                  "classes": ["brick", "gravel"]}],
        "extractors": {"lite0": LITE},
        "metrics": ["image_auroc", "image_f1", "pixel_auroc"],
        "statistics": {"bootstrap": 0},
        **changes,
    }  # fmt: skip


def scorers_suite(methods: Mapping[str, tuple[Any, Any]] = BANKS_AND_SCORERS) -> dict[str, Any]:
    """Every scorer and bank, one model for both classes."""
    listed = [
        {"name": name, "extractor": "lite0", "bank": bank, "scorer": scorer}
        for name, (bank, scorer) in methods.items()
    ]
    return _suite(
        protocols=["absolute-unified"],
        methods=listed,
        normalizers=[{"use": "raw"}],
        thresholders=[{"use": "f1"}],
    )


def rules_suite() -> dict[str, Any]:
    """Every normalizer and thresholder on one model, and intervals."""
    bank, scorer = BANKS_AND_SCORERS["knn"]
    return _suite(
        data=[
            {
                "use": "textures",
                "size": 64,
                "train": 28,
                "good": 4,
                "per_defect": 1,
                "classes": ["brick", "gravel"],
            }
        ],
        split={"policy": "holdout", "calibration": {"normal": 0.5, "anomalous": 0.3}},
        protocols=["absolute-unified"],
        metrics=["image_auroc", "image_f1"],
        methods=[{"name": "knn", "extractor": "lite0", "bank": bank, "scorer": scorer}],
        normalizers=[{"use": name} for name in NORMALIZERS],
        thresholders=[{"use": name} for name in THRESHOLDERS],
        statistics={"bootstrap": 20},
    )


@contextmanager
def threads_of(count: int) -> Iterator[None]:
    """Let every library that computes use this many threads, as the environment would."""
    import faiss

    searching = faiss.omp_get_max_threads()
    environment = dict.fromkeys(THREADS, str(count))
    with mock.patch.dict(os.environ, environment), threadpool_limits(count), torch_threads(count):
        faiss.omp_set_num_threads(count)
        try:
            yield
        finally:
            faiss.omp_set_num_threads(searching)


@contextmanager
def batches_of(size: int, chunk: int) -> Iterator[None]:
    """Extract by `size` images a call, of which the network sees `chunk` at once."""
    from adharness_timm.torch_engine import TorchEngine

    with mock.patch.multiple(TorchEngine, at_once=size, together=chunk):
        yield


def run_here(
    folder: Path,
    suite: Mapping[str, Any],
    extra: Sequence[AnySpec] = (),
    *,
    cache: Path | None = None,
) -> Path:
    """Run a suite in this process and give the run's folder; without `cache` none is left."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "determined.yaml"
    path.write_text(yaml.safe_dump(dict(suite), sort_keys=False))
    plan = expand(bind(load_suite(path), registry_with(extra)))
    options = RunOptions(folder / "out", cache or folder / "cache", "test")
    _, cells = run_plan(plan, options, lambda _: None)
    assert {cell.status for cell in cells} == {"ok"}, [
        c.rows[0].failure.message for c in cells if c.rows[0].failure
    ][:5]
    shutil.rmtree(folder / "cache", ignore_errors=True)
    return folder / "out"


def registry_with(extra: Sequence[AnySpec]) -> Registry:
    """Give what is installed, and these components beside it."""
    installed = discover()
    added = tuple(Component(spec, "adharness", "0") for spec in extra)
    return Registry(installed.components + added, installed.problems, installed.distributions)


def apart(first: Path, second: Path) -> dict[str, Deviation]:
    """Compare two runs by method: image scores and patch scores, whichever is further apart.

    Relative to the largest absolute score of the cell, or of the model.
    """
    found: dict[str, Deviation] = {}
    for method, pair in _scores(first, second):
        one = deviation(*pair)
        held = found.get(method)
        if held is None or (one.unlike, one.relative) > (held.unlike, held.relative):
            found[method] = one
    return found


def _scores(first: Path, second: Path) -> Iterator[tuple[str, tuple[Any, Any]]]:
    stores = RunFolder(first), RunFolder(second)
    for one, other in zip(read_run(first)[1], read_run(second)[1], strict=True):
        assert (one.method, one.protocol) == (other.method, other.protocol)
        for name in ("scores.npz", "maps.npz"):
            if name in one.files:
                mine, theirs = (
                    s.cell_arrays(c.id, name) for s, c in zip(stores, (one, other), strict=True)
                )
                for key in ("scores", "raw", "patches"):
                    if key in mine:
                        yield one.method, (mine[key], theirs[key])
        for ids in zip(one.scorings, other.scorings, strict=True):
            mine, theirs = (
                s.scoring_arrays(i, "scores.npz") for s, i in zip(stores, ids, strict=True)
            )
            for key in {"own", "patches"} & set(mine):
                yield one.method, (mine[key], theirs[key])
