"""Measurements in processes of their own, so that memory and warm-up of one touch no other."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any


def measured(*command: object) -> dict[str, Any]:
    """Run a program whose last line is JSON, and give what it says.

    And `process_s`: the wall time of the whole process, its start-up included.
    """
    begun = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own scripts
        [str(part) for part in command], check=True, capture_output=True, text=True
    )
    seconds = time.perf_counter() - begun
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    result["process_s"] = seconds
    return result
