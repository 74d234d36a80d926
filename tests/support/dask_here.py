"""A Dask cluster of real processes on this machine, which can be killed one by one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

WAIT_S = 90.0


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait; a test that waits in vain says for what."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < WAIT_S, f"waited in vain for {what}"
        time.sleep(0.05)


@dataclass
class DaskHere:
    """A scheduler and its workers; logs and scratch are in a folder."""

    folder: Path
    environment: dict[str, str]
    port: int = 0
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    started: int = 0

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        self.port = self.port or _free_port()
        told = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        self.scheduler = self._started("dask_scheduler", *told)
        until(lambda: _answers(self.port), "the scheduler")

    def start_worker(self, **environment: str) -> Path:
        """Start a worker with its nanny; give its log."""
        number = self.started
        scratch = str(self.folder / f"scratch{number}")
        told = [self.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard"]
        told += ["--resources", "SLOT=1", "--local-directory", scratch]
        self.workers.append(self._started("dask_worker", *told, **environment))
        return self.folder / f"{number}.log"

    def start_workers(self, count: int) -> None:
        """Start these, all at once, and wait until they are there."""
        logs = [self.start_worker() for _ in range(count)]
        for log in logs:
            until(lambda log=log: is_joined(log), f"the worker of {log}")  # type: ignore[misc]

    def kill_worker_of(self, pid: int) -> int:
        """Kill the worker that has this process work, its nanny too; give the nanny's number."""
        above = {one.pid for one in psutil.Process(pid).parents()}
        mine = next(one for one in self.workers if one.pid in above)
        self.workers.remove(mine)
        _kill(mine)
        return mine.pid

    def kill_last_worker(self) -> None:
        _kill(self.workers.pop())

    def kill_scheduler(self) -> None:
        assert self.scheduler is not None
        _kill(self.scheduler)

    def kill_workers(self) -> None:
        while self.workers:
            self.kill_last_worker()

    def close(self) -> None:
        self.kill_workers()
        self.kill_scheduler()

    def _started(self, name: str, *told: str, **environment: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{self.started}.log"
        self.started += 1
        with log.open("wb") as file:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{name}", *told],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment, **environment},
                start_new_session=True,
            )


def is_joined(log: Path) -> bool:
    return "Registered to" in log.read_text(errors="replace")


def is_running(pid: int) -> bool:
    """Whether a process does something yet; one that nobody buried does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
