"""Who works on a run: this process, processes here, or a Dask cluster."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import get_args

from adharness.engine.asked import distributions
from adharness.engine.options import RunOptions
from adharness.engine.work.cluster import Cluster, ClusterSettings
from adharness.engine.work.cluster_offers import StageName
from adharness.engine.work.inline import Executor, Inline
from adharness.engine.work.processes import Processes
from adharness.engine.work.request import Asked, request_of
from adharness.errors import SuiteError
from adharness.plan import Plan
from adharness.store.provenance import Installed
from adharness.suite.limits import LimitSettings

PATIENCE_S = 300.0


@dataclass(frozen=True)
class Means:
    """What was typed about who works; each None, or empty, where nothing was."""

    jobs: int | None = None
    threads: int | None = None
    scheduler: str | None = None
    scheduler_timeout: float | None = None
    resource: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise SuiteError where two options contradict, or one would do nothing."""
        if self.scheduler and self.jobs:
            raise SuiteError(
                "--scheduler and --jobs exclude each other",
                hint="how much a cluster does at once is up to its workers: dask worker --nthreads",
            )
        if not self.scheduler and (self.scheduler_timeout is not None or self.resource):
            option = "--resource" if self.resource else "--scheduler-timeout"
            raise SuiteError(
                f"{option} does nothing without --scheduler", hint="name the scheduler"
            )

    def settings(self) -> ClusterSettings:
        """Read what was typed about a cluster. Raises SuiteError where it cannot be read."""
        assert self.scheduler is not None  # noqa: S101  asked where it was typed
        patience_s = PATIENCE_S if self.scheduler_timeout is None else self.scheduler_timeout
        return ClusterSettings(
            self.scheduler, resources_of(self.resource), patience_s, self.threads
        )


def resources_of(typed: tuple[str, ...]) -> dict[StageName, dict[str, float]]:
    """Read `extract:GPU=1`, each a stage, what a worker must offer, and how much of it.

    Raises
    ------
    SuiteError
        One has another form.
    """
    found: dict[StageName, dict[str, float]] = {}
    for one in typed:
        before, _, number = one.rpartition("=")
        stage, _, name = before.partition(":")
        amount = _amount(number)
        known = next((known for known in get_args(StageName) if known == stage), None)
        if known is None or not name or amount is None:
            raise SuiteError(
                f"--resource {one} is not STAGE:NAME=N",
                hint="STAGE is extract, fit or judge, N a number above 0: --resource extract:GPU=1",
            )
        found.setdefault(known, {})[name] = amount
    return found


def _amount(number: str) -> float | None:
    try:
        amount = float(number)
    except ValueError:
        return None
    return amount if math.isfinite(amount) and amount > 0 else None


@contextmanager
def executor_of(plan: Plan, asked: Asked, options: RunOptions, means: Means) -> Iterator[Executor]:
    """Give who works on a run: processes where they are asked for or the suite has limits.

    Raises
    ------
    SuiteError
        What was typed contradicts itself.
    StoreError, PluginError
        The cluster is not there, or is not fit.
    """
    means.check()
    limits = plan.suite.limits
    if not means.scheduler and means.jobs is None and means.threads is None and limits is None:
        yield Inline()
        return
    request, limits = request_of(plan, asked, options), limits or LimitSettings()
    executor: Processes | Cluster
    if means.scheduler:
        versions = Installed().versions(["adharness", *distributions(plan)])
        executor = Cluster(request, limits, means.settings(), versions)
    else:
        executor = Processes(request, limits, means.jobs or 1, means.threads)
    try:
        if isinstance(executor, Cluster):
            executor.open()
        yield executor
    finally:
        executor.close()
