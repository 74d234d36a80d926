"""What a Dask worker is sent: a plugin that has it take part in a run, and the task of a unit.

The scheduler loads this module too, and both load it on their event loops: all that is slow to
import comes later, in a thread of a worker.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from distributed import Reschedule, WorkerPlugin, get_worker
from distributed import Worker as DaskWorker

if TYPE_CHECKING:
    from adharness.engine.work.cluster_pool import Pool


class Station(WorkerPlugin):
    """Makes a Dask worker take part in a run, from when it is told to the run's end.

    Parameters
    ----------
    told
        `Terms` as JSON: read on the worker, which may have another version of everything.
    """

    def __init__(self, told: str) -> None:
        self._told = told
        self._pool: Pool | None = None
        self.refusal: dict[str, Any] | None = None

    async def setup(self, worker: DaskWorker) -> None:
        """See whether this worker is fit for the run; no process is started yet."""
        slots = worker.state.nthreads
        await asyncio.to_thread(self._begin, worker.address, slots)

    async def teardown(self, worker: DaskWorker) -> None:  # noqa: ARG002
        """End the processes: units that they work on are killed."""
        if self._pool:
            await asyncio.to_thread(self._pool.close)

    def work(self, bench: str | None, unit: str) -> dict[str, Any]:
        """Have a unit worked on; tell as JSON what came of it, and what was told meanwhile."""
        return self._pool.work(bench, unit) if self._pool else {"refused": self.refusal}

    def _begin(self, address: str, slots: int) -> None:
        from adharness.engine.failures import failure_of
        from adharness.engine.work.cluster_pool import Pool
        from adharness.engine.work.cluster_terms import agreed

        try:
            self._pool = Pool(agreed(self._told, address), address, slots)
        except Exception as error:  # noqa: BLE001 - raised where the run is
            self.refusal = failure_of("work", error).model_dump(mode="json")


def work_on(station: str, bench: str | None, unit: str) -> dict[str, Any]:
    """Be a task: have the station of this worker work on a unit."""
    ours = get_worker().plugins.get(station)
    if not isinstance(ours, Station):
        raise Reschedule  # the plugin is on its way here, and elsewhere already
    return ours.work(bench, unit)


def refused(station: str, dask_worker: DaskWorker) -> dict[str, Any] | None:
    """Say why a worker is not fit for the run; None where it is."""
    ours = dask_worker.plugins.get(station)
    return ours.refusal if isinstance(ours, Station) else None
