"""Loading some plugins only, as `ADHARNESS_PLUGINS=a,b` asks; the core's own always load."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from packaging.utils import canonicalize_name

from adharness.errors import PluginError
from adharness.registry.records import Distribution
from adharness.registry.versions import CORE
from adharness.suggest import closest

VARIABLE = "ADHARNESS_PLUGINS"


def names_in(text: str) -> tuple[str, ...]:
    """Read a list of names, separated by commas; an empty text is no name at all.

    Examples
    --------
    >>> names_in("adharness-timm, knn-faiss,")
    ('adharness-timm', 'knn-faiss')
    """
    return tuple(name for part in text.split(",") if (name := part.strip()))


def is_chosen(distribution: str, entry_point: str, only: Collection[str] | None) -> bool:
    """Tell whether a plugin is loaded.

    Parameters
    ----------
    distribution, entry_point
        The plugin. A distribution is known by any spelling that packaging tools take for it.
    only
        Names of distributions or of entry points; None for all.
    """
    own = canonicalize_name(distribution)
    if only is None or own == CORE:
        return True
    return entry_point in only or own in {canonicalize_name(name) for name in only}


def refuse_unknown(only: Iterable[str], installed: Iterable[Distribution]) -> None:
    """Raise PluginError where a name is no installed plugin's, with the nearest that is one's."""
    known = {name: name for one in installed for name in (*one.entry_points, one.name)}
    known |= {canonicalize_name(name): name for name in known}
    for name in only:
        if name not in known and canonicalize_name(name) not in known:
            names = sorted({one for one in known.values() if one != CORE})
            raise PluginError(
                f"{name!r} is no installed plugin",
                hint=closest(name, names, otherwise="installed are"),
                where=VARIABLE,
            )
