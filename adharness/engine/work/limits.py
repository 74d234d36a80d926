"""What a process may use, and how the death of one is told."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from adharness.store.records import Failure

MB = 1_000_000


@dataclass(frozen=True)
class Allowed:
    """What the process of one unit may use; None for no limit.

    Parameters
    ----------
    time_s
        Wall time.
    memory_mb
        Resident memory of the process and its children, without mapped files, in MB (10^6 bytes).
    """

    time_s: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True)
class Death:
    """How a process ended that gave no result.

    Parameters
    ----------
    status
        Exit status; negative for the signal that killed it.
    seconds, memory_mb
        How long it ran, and the most resident memory that was seen.
    over
        The limit that it was killed for.
    said
        Its last lines on standard error.
    """

    status: int
    seconds: float
    memory_mb: float
    over: str | None = None
    said: str = ""

    @property
    def may_pass(self) -> bool:
        """Whether the same work may end well another time: a crash may, a limit comes again."""
        return self.over is None

    def failure(self, stage: str, allowed: Allowed) -> Failure:
        """Tell it as the failure of a row."""
        kind, message, hint = self._told(allowed)
        return Failure(stage=stage, type=kind, message=message, hint=hint, traceback=self.said)

    def _told(self, allowed: Allowed) -> tuple[str, str, str]:
        if self.over == "time":
            fact = f"not done after {self.seconds:.0f} s; time_s is {allowed.time_s:g}"
            return "TimeLimit", fact, "raise `time_s` under `limits:` of the suite"
        if self.over == "memory":
            limit = f"memory_mb is {allowed.memory_mb:g}"
            fact = f"its process held {self.memory_mb:.0f} MB; {limit}"
            return "MemoryLimit", fact, "raise `memory_mb` under `limits:` of the suite"
        if self.status == -signal.SIGKILL:
            fact = f"its process was killed after {self.seconds:.0f} s"
            fact += f", holding {self.memory_mb:.0f} MB"
            hint = "nobody says why: the system does it when memory runs out (see dmesg)"
            return "Killed", fact, hint
        hint = "what it said last is in the record of the cell; run it alone with --only"
        if self.status < 0:
            return "Crash", f"its process died of {_name(-self.status)}", hint
        return "Exit", f"its process ended with status {self.status} and no result", hint


def _name(number: int) -> str:
    try:
        known = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    return f"{known.name} ({signal.strsignal(number)})"
