from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from adharness import DataError, DatasetSpec, Params, Sample, SuiteError
from adharness.cli.check import check_lines
from adharness.plan import expand
from adharness.suite.bind import Overrides, bind
from adharness.suite.load import load_suite

Check = Callable[..., list[str]]
SUITES = sorted((Path(__file__).parents[2] / "suites").glob("*.yaml"))


@dataclass(frozen=True)
class Listed:
    """A data set that only knows its list of images."""

    params: Params

    def samples(self) -> list[Sample]:
        return [
            Sample(f"{name}/{i}.png", name, "train", 0, has_mask=i == 1)
            for name in ("tile", "wood")
            for i in range(3)
        ]


class Missing(Listed):
    def samples(self) -> list[Sample]:
        raise DataError("no folder 'data/toy_set'", hint="give --data-root")


@pytest.fixture
def check(write_suite: Callable[[str], Path], good_suite: str, toy_registry: Any) -> Check:
    def check(make: Callable[[Params], Any] = Listed, data: str = "") -> list[str]:
        registry = replace(
            toy_registry,
            components=tuple(
                replace(c, spec=replace(c.spec, make=make)) if c.kind == "dataset" else c
                for c in toy_registry.components
            ),
        )
        assert all(isinstance(c.spec, DatasetSpec) for c in registry.of_kind("dataset"))
        text = good_suite.replace("- use: toy-set", f"- use: toy-set{data}")
        return check_lines(expand(bind(load_suite(write_suite(text)), registry, Overrides())))

    return check


def test_check_prints_what_a_run_would_do(check: Check) -> None:
    assert check() == [
        "suite toy (x.yaml) is valid",
        "extractors:",
        '  net: net resize=[256, 256] model="small" layers=[1, 2] size=256 (toys 1.2)',
        "methods:",
        "  knn: on net",
        "    bank   random ratio=0.5 (toys 1.2)",
        '    scorer knn k=3 metric="euclidean" exact=true (toys 1.2)',
        "  padim: on net",
        "    bank   grid (toys 1.2)",
        "    scorer padim (toys 1.2)",
        "protocols:",
        "  per-class: one model a class; normalizer and threshold one a class",
        "normalizers:",
        "  raw (toys 1.2)",
        "thresholders:",
        "  f1 (toys 1.2)",
        "metrics: image_auroc, image_ap, image_f1, image_f1_oracle",
        "split: holdout calibration.normal=0.2 calibration.anomalous=0.3 seed=42",
        "seeds: 0",
        "cells: 2 = 1 data set(s) x 2 method(s) x 1 protocol(s) x 1 seed(s) "
        "x 1 normalizer(s) x 1 thresholder(s)",
        "fits: 0 over all classes merged, 2 once for each class",
        "feature extractions: 1, one a data set and extractor",
        "data:",
        "  toy-set: found (toys 1.2): 6 images of 2 class(es), masks: tile, wood",
        "    split: 4 train, 2 calibrate, 0 are tested",
    ]


def test_check_tells_of_a_data_set_that_is_not_there(check: Check) -> None:
    assert check(Missing)[-2:] == [
        "  toy-set: not usable (toys 1.2): no folder 'data/toy_set'",
        "    give --data-root",
    ]


def test_check_counts_only_the_classes_asked_for(check: Check) -> None:
    line = check(data="\n    classes: [wood]")[-2]
    assert line.endswith("3 images of 1 class(es), masks: wood")


def test_check_refuses_a_class_that_the_data_set_lacks(check: Check) -> None:
    with pytest.raises(SuiteError) as caught:
        check(data="\n    classes: [tiles]")
    assert caught.value.message == "data set 'toy-set' has no class 'tiles'"
    assert caught.value.hint == "did you mean 'tile'?"


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.name)
def test_every_suite_of_the_repository_loads(path: Path) -> None:
    assert load_suite(path).document.name == path.stem.replace("_", "-")


def test_the_repository_has_suites() -> None:
    assert {path.name for path in SUITES} >= {"quickstart.yaml", "solar_cells.yaml"}
