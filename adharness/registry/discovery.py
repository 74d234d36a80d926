"""Walk the installed distributions and ask each plugin alone, so that one cannot stop another.

A plugin is one entry point in the group `adharness`. It is accepted whole or put in quarantine
whole: half a plugin would give a board that depends on which half happened to load.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import metadata

import pluggy

from adharness import hooks
from adharness.contracts import AnySpec
from adharness.contracts.flaws import HOOK_TYPES, flaw_of
from adharness.registry.records import Component, Distribution, Problem, Stage
from adharness.registry.value import Registry


def discover() -> Registry:
    """Load every installed plugin and return what was found.

    Returns
    -------
    Registry
        Healthy components, and a Problem for each plugin in quarantine. Built anew at each call.

    Raises
    ------
    KeyboardInterrupt
        The only thing that passes through: not even a plugin's `sys.exit` does.

    Notes
    -----
    Where a distribution is found twice on `sys.path` (an editable install and a wheel), the first
    one counts, as it does for Python's own import.
    """
    found = _Findings()
    for distribution in _declaring(metadata.distributions(), found):
        for entry_point in _ours(distribution):
            _ask(entry_point, _identify(distribution), found)
    return found.registry()


@dataclass(slots=True)
class _Findings:
    """What the walk has seen so far; it does not outlive `discover`."""

    components: list[Component] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    distributions: dict[str, Distribution] = field(default_factory=dict)

    def registry(self) -> Registry:
        return Registry(
            components=tuple(sorted(self.components, key=lambda c: (c.kind, c.qualified))),
            problems=tuple(sorted(self.problems, key=lambda p: (p.distribution, p.entry_point))),
            distributions=tuple(sorted(self.distributions.values(), key=lambda d: d.name)),
        )


@dataclass(frozen=True, slots=True)
class _Identity:
    name: str
    version: str

    @property
    def key(self) -> str:
        """The name as packaging tools compare it: `A_b` and `a-b` are one distribution."""
        return re.sub(r"[-_.]+", "-", self.name).lower()


class _RejectedError(Exception):
    """The plugin failed at a stage; it becomes a Problem and never leaves this module."""

    def __init__(self, stage: Stage, message: str) -> None:
        super().__init__(message)
        self.stage = stage


@contextmanager
def _stage(stage: Stage, action: str) -> Iterator[None]:
    """Turn whatever a plugin raises into a _RejectedError that says when it happened."""
    try:
        yield
    except (KeyboardInterrupt, _RejectedError):
        raise
    except BaseException as error:  # a plugin may even call sys.exit
        reason = " ".join(str(error).split())
        message = f"{action} raised {type(error).__name__}" + (f": {reason}" if reason else "")
        raise _RejectedError(stage, message) from error


def _declaring(
    distributions: Iterable[metadata.Distribution], found: _Findings
) -> Iterator[metadata.Distribution]:
    """Yield each distribution that declares plugins, once; note those whose metadata are broken."""
    for distribution in distributions:
        try:
            with _stage("metadata", "reading its metadata"):
                identity = _declared_by(distribution)
        except _RejectedError as error:
            found.problems.append(_problem(_Identity(_folder(distribution), ""), "", error))
            continue
        if identity is not None and identity.key not in found.distributions:
            names = tuple(entry_point.name for entry_point in _ours(distribution))
            entry = Distribution(identity.name, identity.version, names)
            found.distributions[identity.key] = entry
            yield distribution


def _declared_by(distribution: metadata.Distribution) -> _Identity | None:
    # Most distributions are not ours, and theirs may be broken: read as little as can be.
    if f"[{hooks.GROUP}]" not in (distribution.read_text("entry_points.txt") or ""):
        return None
    return _identify(distribution) if _ours(distribution) else None


def _ours(distribution: metadata.Distribution) -> list[metadata.EntryPoint]:
    selected = distribution.entry_points.select(group=hooks.GROUP)
    return sorted(selected, key=lambda entry_point: entry_point.name)


def _identify(distribution: metadata.Distribution) -> _Identity:
    given = distribution.metadata
    name: str | None = given["Name"]  # None where missing, whatever the stubs say
    version: str | None = given["Version"]
    if name is None or version is None:
        raise LookupError(f"its metadata lack a name or a version: {name!r}, {version!r}")
    return _Identity(name, version)


def _folder(distribution: metadata.Distribution) -> str:
    return f"(broken metadata in {distribution.locate_file('')})"


def _ask(entry_point: metadata.EntryPoint, who: _Identity, found: _Findings) -> None:
    """Load one plugin and note its components, or the problem that keeps it out."""
    specs: list[AnySpec] = []
    try:
        manager = _load(entry_point)
        for hook in _implemented(manager):
            _collect(manager, hook, specs)
        _refuse_repeats(specs, who, entry_point.name, found)
    except _RejectedError as error:
        claims = tuple((spec.kind, spec.name) for spec in specs)
        found.problems.append(replace(_problem(who, entry_point.name, error), claims=claims))
        return
    named = (Component(spec, who.name, who.version, entry_point.name) for spec in specs)
    found.components.extend(named)
    _note_hooks(who, _implemented(manager), found)


def _load(entry_point: metadata.EntryPoint) -> pluggy.PluginManager:
    """Import a plugin and register it in a manager of its own, where no other can be hurt."""
    with _stage("import", f"importing {entry_point.value}"):
        plugin = entry_point.load()
    manager = pluggy.PluginManager(hooks.GROUP)
    manager.add_hookspecs(hooks)
    with _stage("register", f"registering {entry_point.value}"):
        manager.register(plugin)
        manager.check_pending()  # a misspelt hook is accepted silently until one asks
    return manager


def _implemented(manager: pluggy.PluginManager) -> list[str]:
    return sorted(hook for hook in HOOK_TYPES if getattr(manager.hook, hook).get_hookimpls())


def _collect(manager: pluggy.PluginManager, hook: str, specs: list[AnySpec]) -> None:
    """Call one hook and append the specs it yields; those before a bad one are kept as claims."""
    with _stage("hook", hook):
        answers = getattr(manager.hook, hook)()
    for answer in answers:
        if not isinstance(answer, Iterable):
            said = f"{hook} returned a {type(answer).__name__}, expected an iterable: use yield"
            raise _RejectedError("record", said)
        with _stage("hook", hook):
            _append_checked(answer, hook, specs)


def _append_checked(records: Iterable[AnySpec], hook: str, specs: list[AnySpec]) -> None:
    for record in records:
        flaw = flaw_of(record, hook)
        if flaw:
            raise _RejectedError("record", flaw)
        specs.append(record)


def _refuse_repeats(
    specs: list[AnySpec], who: _Identity, entry_point: str, found: _Findings
) -> None:
    """Refuse a name given twice by one distribution: not even `dist/name` could tell them apart."""
    taken = {
        (c.kind, c.name): c.entry_point for c in found.components if c.distribution == who.name
    }
    for spec in specs:
        other = taken.get((spec.kind, spec.name))
        if other is not None:
            giver = "this one plugin" if other == entry_point else f"its entry point {other!r} too"
            raise _RejectedError("clash", f"{spec.kind} {spec.name!r} is given twice, by {giver}")
        taken[spec.kind, spec.name] = entry_point


def _note_hooks(who: _Identity, implemented: list[str], found: _Findings) -> None:
    entry = found.distributions[who.key]
    merged = tuple(sorted({*entry.hooks, *implemented}))
    found.distributions[who.key] = replace(entry, hooks=merged)


def _problem(who: _Identity, entry_point: str, error: _RejectedError) -> Problem:
    cause = error.__cause__
    text = "".join(traceback.format_exception(cause)) if cause else ""
    return Problem(who.name, who.version, entry_point, error.stage, str(error), text)
