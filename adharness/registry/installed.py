"""Which installed distributions declare plugins, as their metadata tell; none is imported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from packaging.utils import canonicalize_name

from adharness import hooks
from adharness.registry.records import Distribution, Problem
from adharness.registry.rejection import RejectedError, at_stage
from adharness.registry.versions import Wanted, wanted_of


@dataclass(frozen=True, slots=True)
class Declaring:
    """A distribution that declares plugins, and what it asks of the core."""

    name: str
    version: str
    entry_points: tuple[metadata.EntryPoint, ...]
    wanted: Wanted

    @property
    def key(self) -> str:
        """The name as packaging tools compare it: `A_b` and `a-b` are one distribution."""
        return canonicalize_name(self.name)

    def record(self) -> Distribution:
        """Give what the registry says of it before any of its plugins is loaded."""
        names = tuple(entry_point.name for entry_point in self.entry_points)
        return Distribution(self.name, self.version, names, requires=self.wanted.range)


def declaring() -> Iterator[Declaring | Problem]:
    """Yield each distribution that declares plugins, once, or why its metadata are unreadable.

    Notes
    -----
    Where a distribution is found twice on `sys.path` (an editable install and a wheel), the first
    one counts, as it does for Python's own import.
    """
    seen: set[str] = set()
    for distribution in metadata.distributions():
        try:
            with at_stage("metadata", "reading its metadata"):
                found = _declared_by(distribution)
        except RejectedError as error:
            place = f"(broken metadata in {distribution.locate_file('')})"
            yield error.problem(place, "", "")
            continue
        if found is not None and found.key not in seen:
            seen.add(found.key)
            yield found


def _declared_by(distribution: metadata.Distribution) -> Declaring | None:
    # Most distributions are not ours, and theirs may be broken: read as little as can be.
    if f"[{hooks.GROUP}]" not in (distribution.read_text("entry_points.txt") or ""):
        return None
    ours = distribution.entry_points.select(group=hooks.GROUP)
    if not ours:
        return None
    name, version = _identify(distribution)
    entry_points = tuple(sorted(ours, key=lambda entry_point: entry_point.name))
    return Declaring(name, version, entry_points, wanted_of(distribution.requires or ()))


def _identify(distribution: metadata.Distribution) -> tuple[str, str]:
    given = distribution.metadata
    name: str | None = given["Name"]  # None where missing, whatever the stubs say
    version: str | None = given["Version"]
    if name is None or version is None:
        raise LookupError(f"its metadata lack a name or a version: {name!r}, {version!r}")
    return name, version
