"""The registry itself: an immutable value that answers what a name stands for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from adharness.errors import PluginError, SuiteError
from adharness.registry.first_party import first_party_home, first_party_names, install_line
from adharness.registry.records import KINDS, Component, Distribution, Problem
from adharness.registry.unseen import has_by_its_names, left_out_home, unseen
from adharness.suggest import nearest


@dataclass(frozen=True, slots=True)
class Registry:
    """What is installed, built once by the command line and passed down.

    Parameters
    ----------
    components
        Those of healthy plugins, sorted by kind and qualified name.
    problems
        One for each plugin in quarantine.
    distributions
        Each distribution that declares plugins, sorted by name.
    only
        Names of the plugins that alone were to be loaded; None where all were.
    """

    components: tuple[Component, ...] = ()
    problems: tuple[Problem, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    only: tuple[str, ...] | None = None

    def of_kind(self, kind: str) -> tuple[Component, ...]:
        """Return the components of a kind, sorted by name, then by distribution.

        Raises
        ------
        ValueError
            If `kind` is none of the six.
        """
        if kind not in KINDS:
            raise ValueError(f"no such kind: {kind!r}; the kinds are {', '.join(KINDS)}")
        chosen = (component for component in self.components if component.kind == kind)
        return tuple(sorted(chosen, key=lambda c: (c.name, c.distribution)))

    def ambiguous(self) -> tuple[tuple[Component, ...], ...]:
        """Return the components whose bare name says too little, one tuple a name."""
        named: defaultdict[tuple[str, str], list[Component]] = defaultdict(list)
        for component in self.components:
            named[component.kind, component.name].append(component)
        return tuple(tuple(group) for _, group in sorted(named.items()) if len(group) > 1)

    def find(
        self, kind: str, name: str, *, where: str | None = None, field: str | None = None
    ) -> Component:
        """Return the component that a suite means.

        Parameters
        ----------
        kind
            One of the six.
        name
            `name`, or `distribution/name`.
        where, field
            For the error: `file:line`, and the place in the suite such as `methods[0].scorer.use`.

        Raises
        ------
        SuiteError
            If nothing has that name. The hint has the closest one, and how to install it where it
            belongs to a plugin of this repository; otherwise what is installed.
        PluginError
            If two distributions have it, or the plugin that has it is in quarantine.

        Notes
        -----
        A healthy component wins over a quarantined plugin that claims the same bare name.
        """
        matches = [c for c in self.of_kind(kind) if name in (c.name, c.qualified)]
        if len(matches) == 1:
            return matches[0]
        prefix = f"{field}: " if field else ""
        if matches:
            raise _ambiguous(prefix, matches, where)
        problem = next((p for p in self.problems if _claims(p, kind, name)), None)
        if problem:
            raise _quarantined(prefix, f"{kind} {name!r}", problem, where)
        hint = _hint(self, kind, name)
        raise SuiteError(f"{prefix}unknown {kind} {name!r}", hint=hint, where=where)


def _ambiguous(prefix: str, matches: list[Component], where: str | None) -> PluginError:
    names = " or ".join(repr(match.qualified) for match in matches)
    first = matches[0]
    said = f"{prefix}{len(matches)} distributions have a {first.kind} {first.name!r}"
    return PluginError(said, hint=f"write {names}", where=where)


def _quarantined(prefix: str, asked: str, problem: Problem, where: str | None) -> PluginError:
    source = f"{problem.distribution} {problem.version}".strip()
    said = f"{prefix}{asked} is in {source}, which could not be loaded: {problem.message}"
    hint = problem.hint or "adharness plugins --verbose shows the traceback"
    return PluginError(said, hint=hint, where=where)


def _claims(problem: Problem, kind: str, name: str) -> bool:
    """Tell whether the plugin would have had the component, as far as can be known.

    One that was not imported yielded nothing, so that only its names can tell.
    """
    distribution, _, bare = name.rpartition("/")
    claimed = (kind, bare) in problem.claims and not distribution
    return claimed or has_by_its_names(problem.distribution, problem.entry_point, kind, name)


def _hint(registry: Registry, kind: str, name: str) -> str:
    bare = name.rpartition("/")[2]
    home = first_party_home(kind, bare)
    if home and _is_offered(registry, kind, bare):
        return install_line(home)
    left_out = left_out_home(registry.only, registry.distributions, kind, name)
    if left_out:
        return left_out
    others = [c.kind for c in registry.components if name in (c.name, c.qualified)]
    if others:
        return f"{name!r} is a {others[0]}, not a {kind}; {_listing(registry, kind)}"
    said = _closest(registry, kind, bare) or _listing(registry, kind)
    return said + unseen(registry.problems, registry.distributions)


def _is_installed(registry: Registry, distribution: str) -> bool:
    return any(d.name == distribution for d in registry.distributions)


def _closest(registry: Registry, kind: str, name: str) -> str | None:
    """Suggest the nearest name, installed or not, with how to install it where it is not."""
    installed = [c.name for c in registry.of_kind(kind)]
    offered = [n for n in first_party_names(kind) if _is_offered(registry, kind, n)]
    spelt = name.lower().replace("_", "-")
    meant = nearest(spelt, [*installed, *offered])
    if not meant:
        return None
    home = first_party_home(kind, meant)
    if meant not in installed and home:
        return f"did you mean '{meant}'? {install_line(home)}"
    return f"did you mean '{meant}'? {_listing(registry, kind)}"


def _is_offered(registry: Registry, kind: str, name: str) -> bool:
    home = first_party_home(kind, name)
    return home is not None and not _is_installed(registry, home)


def _listing(registry: Registry, kind: str) -> str:
    names = dict.fromkeys(component.name for component in registry.of_kind(kind))
    if names:
        return f"installed {kind}s: {', '.join(names)}"
    return f"no {kind} is installed; see adharness plugins"
