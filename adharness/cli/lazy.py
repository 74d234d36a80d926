"""Groups of commands whose modules are imported when they run, not when the program starts."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import ClassVar

import click


class LazyGroup(click.Group):
    """A group that imports a command only when it is asked for.

    `table` maps a command to its `module:function`; a module is imported when its command runs or
    `--help` lists it.
    """

    table: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the names in the order of the table, which is the order of work."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """Import a command; None where the table has none of that name."""
        target = self.table.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101  the tables are ours
        return command
