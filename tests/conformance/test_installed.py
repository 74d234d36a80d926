"""Every installed component keeps every clause of its contract, or says why it cannot."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from adharness.registry import Component, discover
from adharness.registry.records import KINDS
from adharness.testing.trials import Trial
from conformance_files import trials_of_installed, write_all
from few_threads import torch_threads


@cache
def laid_out() -> list[tuple[Component, Trial]]:
    return [(c, trial) for c in discover().components for trial in trials_of_installed(c)]


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Go where the examples' files are."""
    folder, before = tmp_path_factory.mktemp("conformance"), Path.cwd()
    write_all(folder)
    os.chdir(folder)
    yield
    os.chdir(before)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """What is tried here is too small to share between cores."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), torch_threads(1) if find_spec("torch") else nullcontext():
        yield


@pytest.fixture(scope="module", autouse=True)
def little_garbage(one_thread: None) -> Iterator[None]:
    """Whether memory is kept is asked often: the collector need not look at libraries each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize(
    "trial", [pytest.param(t, id=f"{c.kind}-{c.name}-{t}") for c, t in laid_out()]
)
def test_an_installed_component_keeps_its_contract(trial: Trial) -> None:
    trial()


EXEMPT = [c for c in discover().components if c.spec.exempt]


@pytest.mark.parametrize("component", EXEMPT, ids=lambda c: f"{c.kind}-{c.name}")
def test_every_exemption_of_a_record_is_needed(component: Component) -> None:
    trials = [
        t for c, t in laid_out() if (c.kind, c.qualified) == (component.kind, component.qualified)
    ]
    tried = {t.check.name: set[str]() for t in trials}
    for trial in trials:
        if trial.check.name in component.spec.exempt:
            tried[trial.check.name].add(trial.outcome().status)
    assert set(component.spec.exempt) <= set(tried)
    needless = [name for name in component.spec.exempt if "exempt" not in tried[name]]
    assert needless == []


def test_every_kind_is_installed_and_each_component_is_tried_by_all_its_checks() -> None:
    possible = [c for c, _ in laid_out() if c.spec.examples]  # none: a library is not installed
    tried = Counter(component.qualified + component.kind for component in possible)
    assert {component.kind for component in possible} == set(KINDS)
    assert min(tried.values()) > 15
