"""Walk the installed distributions and ask each plugin alone, so that one cannot stop another.

A plugin is one entry point in the group `adharness`. It is accepted whole or put in quarantine
whole: half a plugin would give a board that depends on which half happened to load.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from importlib import metadata

import pluggy

from adharness import __version__, hooks
from adharness.contracts import AnySpec
from adharness.contracts.flaws import HOOK_TYPES, flaw_of
from adharness.registry.installed import Declaring, declaring
from adharness.registry.records import Component, Distribution, Problem
from adharness.registry.rejection import RejectedError, at_stage
from adharness.registry.selection import is_chosen, refuse_unknown
from adharness.registry.value import Registry


def discover(only: Collection[str] | None = None) -> Registry:
    """Load the installed plugins and return what was found.

    Parameters
    ----------
    only
        Names of distributions or of entry points: no other plugin is loaded, but for those of the
        core. None loads all.

    Returns
    -------
    Registry
        Healthy components, and a Problem for each plugin in quarantine. Built anew at each call.

    Raises
    ------
    PluginError
        `only` has a name that no installed plugin has.
    KeyboardInterrupt
        The only thing of a plugin that passes through: not even its `sys.exit` does.

    Notes
    -----
    Where a distribution is found twice on `sys.path` (an editable install and a wheel), the first
    one counts, as it does for Python's own import. A plugin whose metadata ask for another version
    of adharness is a problem, and is not imported.
    """
    found = _Findings(only)
    listed = list(declaring())
    found.problems.extend(one for one in listed if isinstance(one, Problem))
    readable = [one for one in listed if isinstance(one, Declaring)]
    refuse_unknown(only or (), [one.record() for one in readable])
    for who in readable:
        _ask_chosen(who, found)
    return found.registry()


@dataclass(slots=True)
class _Findings:
    """What the walk has seen so far; it does not outlive `discover`."""

    only: Collection[str] | None
    components: list[Component] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    distributions: dict[str, Distribution] = field(default_factory=dict)

    def registry(self) -> Registry:
        return Registry(
            components=tuple(sorted(self.components, key=lambda c: (c.kind, c.qualified))),
            problems=tuple(sorted(self.problems, key=lambda p: (p.distribution, p.entry_point))),
            distributions=tuple(sorted(self.distributions.values(), key=lambda d: d.name)),
            only=None if self.only is None else tuple(self.only),
        )


def _ask_chosen(who: Declaring, found: _Findings) -> None:
    """Load the plugins of a distribution that were asked for; note which were not."""
    names = [entry_point.name for entry_point in who.entry_points]
    left_out = tuple(name for name in names if not is_chosen(who.name, name, found.only))
    found.distributions[who.key] = replace(who.record(), left_out=left_out)
    for entry_point in who.entry_points:
        if entry_point.name not in left_out:
            _ask(entry_point, who, found)


def _ask(entry_point: metadata.EntryPoint, who: Declaring, found: _Findings) -> None:
    """Load one plugin and note its components, or the problem that keeps it out."""
    specs: list[AnySpec] = []
    try:
        _refuse_version(who)
        manager = _load(entry_point)
        for hook in _implemented(manager):
            _collect(manager, hook, specs)
        _refuse_repeats(specs, who, entry_point.name, found)
    except RejectedError as error:
        claims = tuple((spec.kind, spec.name) for spec in specs)
        problem = error.problem(who.name, who.version, entry_point.name)
        found.problems.append(replace(problem, claims=claims))
        return
    named = (Component(spec, who.name, who.version, entry_point.name) for spec in specs)
    found.components.extend(named)
    _note_hooks(who, _implemented(manager), found)


def _refuse_version(who: Declaring) -> None:
    """Refuse a plugin made for another adharness: what it imports may be gone, or mean more."""
    flaw = who.wanted.flaw(__version__)
    if flaw is not None:
        raise RejectedError("version", flaw, who.wanted.hint(who.name, __version__))


def _load(entry_point: metadata.EntryPoint) -> pluggy.PluginManager:
    """Import a plugin and register it in a manager of its own, where no other can be hurt."""
    with at_stage("import", f"importing {entry_point.value}"):
        plugin = entry_point.load()
    manager = pluggy.PluginManager(hooks.GROUP)
    manager.add_hookspecs(hooks)
    with at_stage("register", f"registering {entry_point.value}"):
        manager.register(plugin)
        manager.check_pending()  # a misspelt hook is accepted silently until one asks
    return manager


def _implemented(manager: pluggy.PluginManager) -> list[str]:
    return sorted(hook for hook in HOOK_TYPES if getattr(manager.hook, hook).get_hookimpls())


def _collect(manager: pluggy.PluginManager, hook: str, specs: list[AnySpec]) -> None:
    """Call one hook and append the specs it yields; those before a bad one are kept as claims."""
    with at_stage("hook", hook):
        answers = getattr(manager.hook, hook)()
    for answer in answers:
        if not isinstance(answer, Iterable):
            said = f"{hook} returned a {type(answer).__name__}, expected an iterable: use yield"
            raise RejectedError("record", said)
        with at_stage("hook", hook):
            _append_checked(answer, hook, specs)


def _append_checked(records: Iterable[AnySpec], hook: str, specs: list[AnySpec]) -> None:
    for record in records:
        flaw = flaw_of(record, hook)
        if flaw:
            raise RejectedError("record", flaw)
        specs.append(record)


def _refuse_repeats(
    specs: list[AnySpec], who: Declaring, entry_point: str, found: _Findings
) -> None:
    """Refuse a name given twice by one distribution: not even `dist/name` could tell them apart."""
    taken = {
        (c.kind, c.name): c.entry_point for c in found.components if c.distribution == who.name
    }
    for spec in specs:
        other = taken.get((spec.kind, spec.name))
        if other is not None:
            giver = "this one plugin" if other == entry_point else f"its entry point {other!r} too"
            raise RejectedError("clash", f"{spec.kind} {spec.name!r} is given twice, by {giver}")
        taken[spec.kind, spec.name] = entry_point


def _note_hooks(who: Declaring, implemented: list[str], found: _Findings) -> None:
    entry = found.distributions[who.key]
    merged = tuple(sorted({*entry.hooks, *implemented}))
    found.distributions[who.key] = replace(entry, hooks=merged)
