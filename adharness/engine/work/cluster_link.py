"""A Dask cluster as a run reaches it: connect, post units, hear what came of them."""

from __future__ import annotations

import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

from adharness.engine.failures import refusal_of
from adharness.engine.work.cluster_offers import Needs, Offer
from adharness.engine.work.units import Unit
from adharness.errors import PluginError, StoreError
from adharness.store.records import Failure

CONNECT_S = 10.0
ANSWER_S = 60.0
"""An answer is small: where it does not come within this, whoever had it is gone."""
LOOK_S = 2.0
Client: TypeAlias = Any
Future: TypeAlias = Any
"""Those of Dask, most of whose methods have no types."""
Answer: TypeAlias = dict[str, Any]
"""`events` and `done` or `failed`; or `refused` alone."""


class LostError(Exception):
    """The scheduler is gone, or has forgotten what it was asked."""


@dataclass(frozen=True)
class Link:
    """A connection to a scheduler whose workers keep processes for this run.

    Parameters
    ----------
    station
        Name of the plugin that keeps them: one a run's folder, so that the next run there ends
        what a killed one left.
    """

    client: Client
    station: str
    _run: str = field(default_factory=lambda: uuid4().hex[:8])

    @classmethod
    def opened(cls, scheduler: str, station: str, told: str) -> Link:
        """Connect, and have every worker, those to come too, told of the run.

        Raises
        ------
        LostError
            No scheduler answers.
        StoreError
            A worker is not fit for the run.
        """
        link = cls(_client(scheduler), station)
        try:
            link._settle(told)
        except BaseException:
            link.client.close()
            raise
        return link

    def offers(self) -> list[Offer]:
        """List the workers that are there. Raises LostError."""
        told: Any
        with self._reaching():
            told = self.client.sync(self.client.scheduler.identity)
        return [
            Offer(address, one["nthreads"], one.get("resources") or {})
            for address, one in told["workers"].items()
        ]

    def answers(
        self,
        asked: Mapping[int, tuple[str | None, Unit]],
        needs: Needs,
        look: Callable[[], int],
    ) -> Iterator[tuple[int, Answer | Failure]]:
        """Post units, each with its bench; give what came of each as it ends.

        Parameters
        ----------
        look
            Says how many are worked on at once, about. Called now and then; what it raises ends
            the wait.

        Raises
        ------
        LostError
            What has not ended must be posted anew.
        """
        ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        left, futures = deque(asked.items()), dict[int, Future]()
        depth, looked = self._depth(look), time.monotonic()
        try:
            while left or futures:
                while left and len(futures) < depth:
                    number, (bench, unit) = left.popleft()
                    futures[number] = self._posted(number, bench, unit, needs)
                    futures[number].add_done_callback(lambda _, number=number: ended.put(number))
                with suppress(queue.Empty):
                    number = ended.get(timeout=LOOK_S)
                    yield number, self._answer(futures.pop(number))
                if time.monotonic() - looked > LOOK_S:
                    depth, looked = self._depth(look), time.monotonic()
        finally:
            if futures:
                with suppress(Exception):
                    self.client.cancel(list(futures.values()))

    def close(self) -> None:
        """Have the workers end their processes, and go."""
        with suppress(Exception):  # a scheduler that is gone has nothing to end
            if self.client.status == "running":
                self.client.unregister_worker_plugin(self.station)
        self.drop()

    def drop(self) -> None:
        """Go without a word: the scheduler is gone."""
        log = logging.getLogger("distributed.client")
        silent, log.disabled = log.disabled, True  # a try to reconnect ends with a traceback
        with suppress(Exception):
            self.client.close(timeout=CONNECT_S)
        log.disabled = silent

    def _settle(self, told: str) -> None:
        from adharness.engine.work.cluster_worker import Station, refused

        with self._reaching():
            try:
                self.client.register_plugin(Station(told), name=self.station)
                found: Any = self.client.run(refused, self.station)
            except (ImportError, AttributeError) as error:
                raise _unlike(error) from error
        for failure in found.values():
            if failure is not None:
                raise refusal_of(failure)

    def _posted(self, number: int, bench: str | None, unit: Unit, needs: Needs) -> Future:
        from adharness.engine.work.cluster_worker import work_on

        with self._reaching():
            return self.client.submit(
                work_on,
                self.station,
                bench,
                unit.model_dump_json(),
                key=f"adharness_{unit.kind}-{self._run}-{uuid4().hex[:8]}-{number}",
                resources=dict(needs) or None,
                pure=False,
            )

    def _depth(self, look: Callable[[], int]) -> int:
        """How many units are posted at once: some wait at each worker, so that none is idle.

        Dask blames the death of a worker on all that waited there; so not all are posted.
        """
        with self._reaching():
            return 2 * max(1, look())

    def _answer(self, future: Future) -> Answer | Failure:
        if future.status == "error":
            return _unanswered(future.exception(timeout=ANSWER_S))
        with self._reaching():
            answer: Answer = future.result(timeout=ANSWER_S)
        return answer

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Turn what Dask raises where it does not reach the scheduler into LostError."""
        if self.client.status != "running":
            raise LostError("the connection is closed")
        try:
            yield
        except (OSError, CancelledError) as error:
            raise LostError(str(error) or type(error).__name__) from error
        except (LostError, StoreError):
            raise
        except Exception as error:
            if self.client.status != "running":
                raise LostError(str(error)) from error
            raise


def _client(scheduler: str) -> Client:
    """Connect. Raises LostError where nobody answers."""
    try:
        import distributed
    except ImportError as error:
        raise PluginError(
            "--scheduler needs distributed, which is not installed",
            hint="pip install 'adharness[dask]', here and where the scheduler and its workers are",
        ) from error
    where = {"scheduler_file" if Path(scheduler).is_file() else "address": scheduler}
    connect: Any = distributed.Client
    try:
        return connect(**where, timeout=CONNECT_S, set_as_default=False, name="adharness")
    except OSError as error:
        raise LostError(str(error).strip() or type(error).__name__) from error
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"--scheduler {scheduler} is neither an address nor a scheduler file: {error}",
            hint="an address is such as tcp://host:8786 or tls://host:8786",
        ) from error


def _unanswered(error: BaseException | None) -> Failure:
    """Tell as a failed row that workers died of a unit.

    Raises
    ------
    StoreError
        The unit was not even begun.
    """
    from distributed import KilledWorker

    if not isinstance(error, KilledWorker):
        raise _unlike(error) from error
    return Failure(
        stage="work",
        type="Killed",
        message=f"{error.allowed_failures + 1} Dask workers died while they had it, the last "
        f"{error.last_worker.address}",
        hint="their logs may say why; `limits:` of the suite keep memory within what a worker has",
    )


def _unlike(error: BaseException | None) -> StoreError:
    return StoreError(
        f"the cluster cannot take part: {type(error).__name__}: {error}",
        hint="its scheduler and workers need this environment, adharness too (docs/cluster.md)",
    )
