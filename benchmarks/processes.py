"""Measurements in processes of their own, so that memory and warm-up of one touch no other."""

from __future__ import annotations

import json
import subprocess
from typing import Any


def measured(*command: object) -> dict[str, Any]:
    """Run a program whose last line is JSON, and give what it says."""
    done = subprocess.run(  # noqa: S603 - our own scripts
        [str(part) for part in command], check=True, capture_output=True, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
