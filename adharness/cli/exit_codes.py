"""What the program's exit code says. A promise to scripts: never renumber."""

from __future__ import annotations

from typing import Final

FINE: Final = 0
CELLS_FAILED: Final = 1
SET_BROKEN: Final = 1
"""`data doctor` found an error."""
REGRESSED: Final = 1
"""`compare` found a number that fell too far, or is gone."""
DISAGREES: Final = 1
"""`verify` or `merge` found a number that is not what the scores give, or `reproduce` one that is
not what it was."""
NOT_CONFORMING: Final = 1
"""`conform` found a component that breaks its contract."""
USAGE: Final = 2
PLUGIN_PROBLEM: Final = 3
CRASHED: Final = 70
"""A bug of ours, never a failed cell: the `EX_SOFTWARE` of sysexits.h."""
INTERRUPTED: Final = 130
