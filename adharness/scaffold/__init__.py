"""What `adharness new-plugin` writes: an installable package with a component that works."""

from __future__ import annotations

from adharness.registry.records import KINDS
from adharness.scaffold.contents import Plugin, render
from adharness.scaffold.folder import write
from adharness.scaffold.naming import PluginName
from adharness.scaffold.taken import refuse_taken

__all__ = ["KINDS", "Plugin", "PluginName", "refuse_taken", "render", "write"]
