"""A run as another process is told of it: enough to make the same plan there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from adharness.engine.options import RunOptions
from adharness.engine.score import Reuse
from adharness.errors import StoreError
from adharness.plan import Plan, expand
from adharness.registry import Registry
from adharness.suite.bind import Overrides, bind
from adharness.suite.load import parse_suite


class RunRequest(BaseModel):
    """What was asked of a run. Paths are absolute; `cells` are the plan's cells that are run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite_path: Path
    suite_text: str
    data_root: Path | None
    environment_root: Path | None
    device: str | None
    cells: tuple[int, ...] | None
    """Which of the suite's cells; None for all."""
    out: Path
    cache: Path
    limit: int | None
    fresh: bool
    keep_stale: bool
    folder: Path
    """Where relative paths of the suite begin."""
    at_once: int = 1
    """Units that are worked on at the same time on a machine, at most: times are told with it."""
    plugins: tuple[str, ...] | None = None
    """Names of the plugins that alone are loaded; None for all."""

    @property
    def reuse(self) -> Reuse:
        """What stored results may be used."""
        return Reuse(fresh=self.fresh, keep_stale=self.keep_stale)

    def plan(self, registry: Registry) -> Plan:
        """Make the plan, as the process that asks made it.

        Raises
        ------
        SuiteError, PluginError
            A component is not installed here, or another version refuses its parameters.
        """
        overrides = Overrides(self.data_root, self.environment_root, self.device)
        plan = expand(bind(parse_suite(self.suite_path, self.suite_text), registry, overrides))
        if self.cells is None:
            return plan
        return Plan(plan.suite, tuple(plan.cells[i] for i in self.cells))

    def enter(self) -> None:
        """Make its folder the working one. Raises StoreError where this machine has none such."""
        try:
            os.chdir(self.folder)
        except OSError as error:
            raise StoreError(
                f"{self.folder} cannot be entered here: {error.strerror}",
                hint="run from a folder that every worker has under the same name",
            ) from error


@dataclass(frozen=True)
class Asked:
    """How a run was asked for: what its plan does not tell."""

    overrides: Overrides
    whole: Plan
    """Of which the run's plan has some cells, or all."""


def request_of(plan: Plan, asked: Asked, options: RunOptions) -> RunRequest:
    """Describe a run to other processes."""
    number = {id(cell): i for i, cell in enumerate(asked.whole.cells)}
    chosen = tuple(number[id(cell)] for cell in plan.cells)
    root, environment = asked.overrides.data_root, asked.overrides.environment_root
    return RunRequest(
        suite_path=plan.suite.path.absolute(),
        suite_text=plan.suite.text,
        data_root=root and root.absolute(),
        environment_root=environment and environment.absolute(),
        device=asked.overrides.device,
        cells=None if len(chosen) == len(asked.whole.cells) else chosen,
        out=options.out.absolute(),
        cache=options.cache.absolute(),
        limit=options.limit,
        fresh=options.reuse.fresh,
        keep_stale=options.reuse.keep_stale,
        folder=Path.cwd(),
        plugins=options.given.plugins,
    )
