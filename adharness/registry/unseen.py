"""What is told of plugins that were not imported: what they have can only be guessed."""

from __future__ import annotations

from collections.abc import Iterable

from adharness.registry.first_party import FIRST_PARTY
from adharness.registry.records import Distribution, Problem
from adharness.registry.selection import VARIABLE


def has_by_its_names(distribution: str, entry_point: str, kind: str, name: str) -> bool:
    """Tell whether a plugin has the component, by its own names and the first-party table.

    Parameters
    ----------
    name
        `name`, or `distribution/name`.
    """
    home, _, bare = name.rpartition("/")
    if home:
        return home == distribution
    known = (*FIRST_PARTY.get(distribution, {}).get(kind, ()), entry_point)
    return bare in known or distribution in (bare, f"adharness-{bare}")


def left_out_home(
    only: Iterable[str] | None, distributions: Iterable[Distribution], kind: str, name: str
) -> str | None:
    """Say which plugin that was not to be loaded has the component, and what to set instead."""
    homes = (
        one.name
        for one in distributions
        for entry_point in one.left_out
        if has_by_its_names(one.name, entry_point, kind, name)
    )
    home = next(homes, None)
    if home is None:
        return None
    return f"it is in {home}, left out: {VARIABLE}={','.join([*(only or ()), home])}"


def unseen(problems: Iterable[Problem], distributions: Iterable[Distribution]) -> str:
    """End a hint with the plugins that might have had it: they were never imported."""
    lost = {p.distribution for p in problems if p.stage in ("version", "import")}
    kept_out = {one.name for one in distributions if one.left_out}
    told = [f"{', '.join(sorted(lost))} could not be loaded"] if lost else []
    told += [f"{VARIABLE} leaves out {', '.join(sorted(kept_out))}"] if kept_out else []
    return f"; {' and '.join(told)}: adharness plugins" if told else ""
