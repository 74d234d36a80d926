"""A run made again from its own record, and how far its numbers are from those of the first."""

from adharness.reproduction.again import Again, ask_again
from adharness.reproduction.changed import Changed, changed
from adharness.reproduction.deviations import TOLERANCE, Deviation, Kind
from adharness.reproduction.numbers import Compared, compare_runs

__all__ = [
    "TOLERANCE",
    "Again",
    "Changed",
    "Compared",
    "Deviation",
    "Kind",
    "ask_again",
    "changed",
    "compare_runs",
]
