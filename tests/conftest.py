"""A small world of components, so that suites can be bound without any plugin."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BeforeValidator, Field

from adharness import (
    BankSpec,
    DatasetSpec,
    ExtractorSpec,
    NormalizerSpec,
    Params,
    ScorerSpec,
    SuiteError,
    ThresholderSpec,
)
from adharness.contracts.specs import SETTING, AnySpec

os.environ.pop("COLUMNS", None)  # pytest-xdist gives its workers that of the terminal


def pytest_collection_finish() -> None:
    """Take what was imported and collected out of every garbage collection to come.

    Eight thousand tests are millions of objects; the conformance kit collects garbage in each of
    its checks of memory, for a second each time.
    """
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Give it back: libraries of native code look at their objects when Python ends."""
    gc.unfreeze()


class NoParams(Params):
    """Nothing to set."""


class FolderParams(Params):
    root: Path | None = Field(None, json_schema_extra=SETTING)
    seed: int = 0


def _square(value: Any) -> Any:
    return (value, value) if isinstance(value, int) else value


class ChoosyParams(Params):
    classes: tuple[str, ...] | None = None
    device: str = "a camera, and so no setting"


class NetParams(Params):
    resize: Annotated[tuple[int, int], BeforeValidator(_square)] = (256, 256)
    model: str = "small"
    layers: tuple[int, ...] = (2, 3)
    size: int | tuple[int, int] = 256
    device: str = Field("cpu", json_schema_extra=SETTING)


class RatioParams(Params):
    ratio: float = Field(0.1, gt=0, le=1)


class KnnParams(Params):
    k: int = Field(1, gt=0)
    metric: Literal["euclidean", "cosine"] = "euclidean"
    exact: bool = True


class QuantileParams(Params):
    q: float = Field(0.95, gt=0, lt=1)


def nothing(params: Params) -> object:
    return params


WORLD: tuple[AnySpec, ...] = (
    DatasetSpec(name="toy-set", params=FolderParams, make=nothing, summary=""),
    DatasetSpec(name="other-set", params=ChoosyParams, make=nothing, summary=""),
    ExtractorSpec(name="net", params=NetParams, make=nothing, summary=""),
    BankSpec(name="random", params=RatioParams, make=nothing, emits="bag", summary=""),
    BankSpec(name="coreset", params=RatioParams, make=nothing, emits="bag", summary=""),
    BankSpec(name="grid", params=NoParams, make=nothing, emits="grid", summary=""),
    ScorerSpec(name="knn", params=KnnParams, make=nothing, needs="bag", summary=""),
    ScorerSpec(name="padim", params=NoParams, make=nothing, needs="grid", summary=""),
    NormalizerSpec(name="raw", params=NoParams, make=nothing, summary=""),
    NormalizerSpec(name="zscore", params=NoParams, make=nothing, summary=""),
    ThresholderSpec(name="f1", params=NoParams, make=nothing, needs_labels=True, summary=""),
    ThresholderSpec(name="quantile", params=QuantileParams, make=nothing, summary=""),
)


@dataclass(frozen=True)
class ToyComponent:
    spec: AnySpec
    distribution: str = "toys"
    version: str = "1.2"

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def kind(self) -> str:
        return self.spec.kind

    @property
    def qualified(self) -> str:
        return f"{self.distribution}/{self.name}"


@dataclass(frozen=True)
class ToyRegistry:
    components: tuple[ToyComponent, ...] = field(default=tuple(map(ToyComponent, WORLD)))

    def of_kind(self, kind: str) -> tuple[ToyComponent, ...]:
        of_kind = [c for c in self.components if c.kind == kind]
        return tuple(sorted(of_kind, key=lambda c: c.name))

    def find(
        self, kind: str, name: str, *, where: str | None = None, field: str | None = None
    ) -> ToyComponent:
        for component in self.of_kind(kind):
            if name in {component.name, component.qualified}:
                return component
        raise SuiteError(f"{field}: unknown {kind} '{name}'", hint="install it", where=where)


@pytest.fixture(scope="session")
def toy_registry() -> ToyRegistry:
    return ToyRegistry()


@pytest.fixture
def write_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes x.yaml in a fresh current folder, so that errors cite `x.yaml:LINE`."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        path = Path("x.yaml")
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def good_suite() -> str:
    return """\
schema: 1
name: toy
data:
  - use: toy-set
extractors:
  net: {use: net, layers: [1, 2]}
methods:
  - name: knn
    extractor: net
    bank: {use: random, ratio: 0.5}
    scorer:
      use: knn
      k: 3
  - name: padim
    extractor: net
    bank: {use: grid}
    scorer: {use: padim}
thresholders: [{use: f1}]
"""
