"""The other end of a working process: started, asked, and ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any, TypeAlias

from adharness.engine.events import Event, event_of
from adharness.engine.failures import refusal_of
from adharness.engine.work.limits import Allowed, Death
from adharness.engine.work.request import RunRequest
from adharness.engine.work.units import BenchRequest, Unit
from adharness.errors import StoreError
from adharness.store.records import Failure

Answer: TypeAlias = dict[str, Any] | Failure | Death
"""`{"done": result}`; why it raised; or how its process died."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class _KilledError(StoreError):
    """The process was killed before it could begin with a unit."""

    def __init__(self, status: int) -> None:
        super().__init__(f"a process of the run was killed at its start (signal {-status})")
        self.status = status


class Worker:
    """A process that works on one unit at a time.

    Parameters
    ----------
    request
        The run.
    threads
        How many threads the libraries of a unit may use.
    """

    def __init__(self, request: RunRequest, threads: int) -> None:
        self._request, self._threads = request, threads
        self._process: subprocess.Popen[bytes] | None = None
        self._bench: BenchRequest | None = None

    def versions(self) -> dict[str, str]:
        """Start it where it does not run, and ask what is installed where it is.

        Raises
        ------
        StoreError
            It cannot make the plan there, or did not start.
        """
        if self._process is not None and self._process.poll() is None:
            return {}
        self.close()
        limited = dict.fromkeys(THREADS, str(self._threads))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "adharness.engine.work.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **limited},
            start_new_session=True,  # Ctrl-C is for who asked; the pipe tells this one
        )
        self._bench = None
        return self._agreed({"request": self._request.model_dump(mode="json")})

    def do(
        self,
        unit: Unit,
        bench: BenchRequest | None,
        allowed: Allowed,
        tell: Callable[[Event], None],
    ) -> Answer:
        """Have a unit worked on; a process that is gone is started anew.

        Raises
        ------
        StoreError
            The disk or the cache refuses.
        """
        try:
            self.versions()
            if bench is not None and bench != self._bench:
                self._agreed({"bench": bench.model_dump(mode="json")})
                self._bench = bench
        except _KilledError as killed:
            return Death(killed.status, 0.0, 0.0)
        limits = {"time_s": allowed.time_s, "memory_mb": allowed.memory_mb}
        self._say({"do": unit.model_dump(mode="json"), **limits})
        return self._answered(tell)

    def close(self) -> None:
        """End it: a unit that it works on is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        inward, outward = _ends(process)
        with suppress(OSError):
            inward.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        outward.close()

    def _answered(self, tell: Callable[[Event], None]) -> Answer:
        answer: Answer | None = None
        while (message := self._heard()) is not None:
            if "event" in message:
                tell(event_of(message["event"], message["facts"]))
            elif "done" in message:
                answer = {"done": message["done"]}
            elif "failed" in message:
                answer = Failure.model_validate(message["failed"])
            elif "refused" in message:
                raise refusal_of(message["refused"])
            elif "ended" in message:
                died = message["ended"]
                return answer or Death(**died) if died else answer or _silent()
        return Death(self._status(), 0.0, 0.0)

    def _agreed(self, message: Mapping[str, Any]) -> dict[str, str]:
        self._say(message)
        answer = self._heard()
        if answer is None:
            status = self._status()
            if status < 0:
                raise _KilledError(status)
            fact = f"a process of the run ended at its start with status {status}"
            hint = "what it said is above, or in the log of its Dask worker; run without --jobs"
            raise StoreError(fact, hint=f"{hint} and --scheduler to see it here")
        if "refused" in answer:
            raise refusal_of(answer["refused"])
        ready: dict[str, str] = answer["ready"]
        return ready

    def _say(self, message: Mapping[str, Any]) -> None:
        inward, _ = _ends(self._process)
        with suppress(BrokenPipeError):  # it is gone: the answer will be that
            inward.write(json.dumps(message).encode() + b"\n")
            inward.flush()

    def _heard(self) -> dict[str, Any] | None:
        """Give its next message; None where it is gone. Lines that a death tore are left out."""
        _, outward = _ends(self._process)
        for line in outward:
            with suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict):
                    return message
        return None

    def _status(self) -> int:
        assert self._process is not None  # noqa: S101  it was started
        status = self._process.wait()
        self.close()
        return status


def _ends(process: subprocess.Popen[bytes] | None) -> tuple[IO[bytes], IO[bytes]]:
    """Give its input and its output; both are piped."""
    assert process is not None  # noqa: S101  it was started
    assert process.stdin is not None  # noqa: S101  see Popen
    assert process.stdout is not None  # noqa: S101  see Popen
    return process.stdin, process.stdout


def _silent() -> Death:
    return Death(0, 0.0, 0.0)
