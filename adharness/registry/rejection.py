"""How a plugin fails: whatever it raises becomes a rejection that says at which stage."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from adharness.registry.records import Problem, Stage


class RejectedError(Exception):
    """The plugin failed at a stage; it becomes a Problem and never leaves the registry."""

    def __init__(self, stage: Stage, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.stage = stage
        self.hint = hint

    def problem(self, distribution: str, version: str, entry_point: str) -> Problem:
        """Give the record of it, with the traceback of what was raised."""
        cause = self.__cause__
        text = "".join(traceback.format_exception(cause)) if cause else ""
        plugin = distribution, version, entry_point
        return Problem(*plugin, self.stage, str(self), text, hint=self.hint)


@contextmanager
def at_stage(stage: Stage, action: str) -> Iterator[None]:
    """Turn whatever a plugin raises into a RejectedError that says when it happened."""
    try:
        yield
    except (KeyboardInterrupt, RejectedError):
        raise
    except BaseException as error:  # a plugin may even call sys.exit
        reason = " ".join(str(error).split())
        message = f"{action} raised {type(error).__name__}" + (f": {reason}" if reason else "")
        raise RejectedError(stage, message) from error
