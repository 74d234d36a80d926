"""Tiny runs through the real command line and the real engine, with a numpy-only extractor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from adharness.cli import main
from adharness.contracts.specs import AnySpec
from adharness.engine.events import Event
from adharness.engine.options import RunOptions
from adharness.engine.run import run_plan
from adharness.engine.score import Reuse
from adharness.plan import Plan, expand
from adharness.registry import Component, Registry, discover
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord
from adharness.suite.bind import bind
from adharness.suite.load import load_suite

METHODS: list[dict[str, Any]] = [
    {"name": "knn", "extractor": "px", "bank": {"use": "random", "ratio": 0.5},
     "scorer": {"use": "knn-faiss"}},
    {"name": "whole", "extractor": "px", "bank": {"use": "images"},
     "scorer": {"use": "mahalanobis"}},
]  # fmt: skip


def suite_dict(**changes: Any) -> dict[str, Any]:
    suite: dict[str, Any] = {
        "schema": 1,
        "name": "tiny",
        "data": [{"use": "textures", "size": 64, "train": 10, "good": 5, "per_defect": 1}],
        "protocols": ["per-class", "model-unified", "absolute-unified"],
        "extractors": {"px": {"use": "pixel-patches", "resize": 64, "patch_px": 8}},
        "methods": METHODS,
        "normalizers": [{"use": "raw"}, {"use": "zscore"}],
        "thresholders": [{"use": "f1"}, {"use": "quantile", "q": 0.8}],
        "metrics": ["image_auroc", "image_f1", "pixel_auroc", "region_aupro_30"],
        "statistics": {"bootstrap": 20},
    }
    return {**suite, **changes}


@dataclass
class Bench:
    """A folder with a suite file, a cache and an output folder of its own."""

    folder: Path
    events: list[Event] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def suite(self, **changes: Any) -> Path:
        path = self.folder / "tiny.yaml"
        path.write_text(yaml.safe_dump(suite_dict(**changes), sort_keys=False))
        return path

    def cli(self, *options: str, **changes: Any) -> int:
        """Type `adharness run` and give its exit code."""
        suite = str(self.suite(**changes))
        where = ["--out", str(self.out), "--cache-dir", str(self.cache)]
        return main.run(["run", suite, *where, *options])

    def plan(self, *, extra: Sequence[AnySpec] = (), **changes: Any) -> Plan:
        """Bind and expand, with extra components beside those installed."""
        return expand(bind(load_suite(self.suite(**changes)), registry_with(extra)))

    def run(
        self,
        *,
        extra: Sequence[AnySpec] = (),
        out: str = "out",
        cache: str = "cache",
        wrap: Callable[[Event], None] | None = None,
        reuse: Reuse | None = None,
        **changes: Any,
    ) -> tuple[RunRecord, list[CellRecord]]:
        """Run through the engine, with extra components beside those installed."""
        self.events = []

        def listen(event: Event) -> None:
            self.events.append(event)
            if wrap:
                wrap(event)

        plan = self.plan(extra=extra, **changes)
        options = RunOptions(self.folder / out, self.folder / cache, "test", reuse=reuse or Reuse())
        return run_plan(plan, options, listen)


def registry_with(extra: Sequence[AnySpec]) -> Registry:
    installed = discover()
    added = tuple(Component(spec, "adharness", "0") for spec in extra)
    return Registry(installed.components + added, installed.problems, installed.distributions)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One bench for the tests of a file that only read what it ran."""
    return Bench(tmp_path_factory.mktemp("shared"))


@dataclass
class Tree:
    """A data set on disk in the MVTec layout, small and made on the spot."""

    root: Path

    def image(self, name: str, *, mode: str = "RGB", size: int = 48, seed: int = 0) -> Path:
        rng = np.random.default_rng([seed, len(name), *name.encode()])
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = rng.integers(90, 160, (size, size, 3), dtype=np.uint8)
        if mode == "I;16":
            Image.fromarray(noise[..., 0].astype(np.uint16) * 257).save(path)
        else:
            Image.fromarray(noise).convert(mode).save(path)
        return path

    def mask(self, name: str, *, size: int = 48) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.zeros((size, size), np.uint8)
        pixels[10:20, 10:24] = 255
        Image.fromarray(pixels).save(path)
        return path

    def fill(self, class_name: str, mode: str = "RGB") -> None:
        for i in range(8):
            self.image(f"{class_name}/train/good/{i:03d}.png", mode=mode)
        for i in range(4):
            self.image(f"{class_name}/test/good/{i:03d}.png", mode=mode, seed=1)
        for i in range(4):
            name = f"{class_name}/test/dent/{i:03d}.png"
            path = self.image(name, mode=mode, seed=2)
            if mode == "RGB":
                pixels = np.asarray(Image.open(path)).copy()
                pixels[10:20, 10:24] = 255
                Image.fromarray(pixels).save(path)
            self.mask(f"{class_name}/ground_truth/dent/{i:03d}_mask.png")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path / "data")
    made.fill("nut")
    made.fill("bolt")
    return made


@pytest.fixture
def on_tree(tree: Tree) -> dict[str, Any]:
    """Changes that point the tiny suite at the tree."""
    return {"data": [{"use": "folder", "root": str(tree.root)}]}
