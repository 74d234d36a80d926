"""The registry, as the commands read it."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

from adharness.registry import Registry, discover


def read_registry() -> Registry:
    """Discover plugins; what one prints at import goes to stderr, or it would break `--json`."""
    with redirect_stdout(sys.stderr):
        return discover()
