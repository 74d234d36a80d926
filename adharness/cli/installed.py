"""The registry, as the commands read it."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout

from adharness.registry import Registry, discover
from adharness.registry.selection import VARIABLE, names_in


def read_registry() -> Registry:
    """Discover plugins; what one prints at import goes to stderr, or it would break `--json`.

    Only those that ADHARNESS_PLUGINS names are loaded, where it is set; empty, it names none.

    Raises
    ------
    PluginError
        It has a name that is no installed plugin's.
    """
    asked = os.environ.get(VARIABLE)
    with redirect_stdout(sys.stderr):
        return discover(None if asked is None else names_in(asked))
