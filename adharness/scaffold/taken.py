"""Whether a plugin's names are free."""

from __future__ import annotations

from adharness.errors import PluginError
from adharness.registry import Registry
from adharness.registry.first_party import FIRST_PARTY, first_party_home
from adharness.scaffold.contents import Plugin
from adharness.scaffold.naming import LONGEST


def refuse_taken(plugin: Plugin, registry: Registry) -> None:
    """Raise where a component or a distribution has the name already.

    Raises
    ------
    PluginError
        With who has it: what is installed, whether it works or not, or a plugin of this project.
    """
    name, distribution = plugin.name.component, plugin.name.distribution
    owner = _owner(plugin, registry)
    if owner:
        raise _taken(plugin, f"{name!r} is a {plugin.kind} already, of {owner}")
    if any(known.name == distribution for known in registry.distributions):
        raise _taken(plugin, f"a plugin {distribution} is installed already")
    if distribution in FIRST_PARTY:
        raise _taken(plugin, f"{distribution} is a plugin of this project")


def _owner(plugin: Plugin, registry: Registry) -> str | None:
    for component in registry.of_kind(plugin.kind):
        if component.name == plugin.name.component:
            return f"{component.distribution} {component.version}"
    return first_party_home(plugin.kind, plugin.name.component)


def _taken(plugin: Plugin, message: str) -> PluginError:
    name = plugin.name.component
    other = f"{name}-2" if name.startswith("my-") else f"my-{name}"
    such = f", such as '{other}'" if len(other) <= LONGEST else ""
    return PluginError(message, hint=f"choose another name{such}")
