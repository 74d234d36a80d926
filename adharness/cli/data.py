"""`adharness data`: the data sets there are, what is wrong with one, and how to get one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import click

from adharness.cli.lazy import LazyGroup

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "list": "adharness.cli.data_list:list_sets",
        "doctor": "adharness.cli.data_doctor:doctor",
        "fetch": "adharness.cli.data_fetch:fetch",
    }
)


class DataGroup(LazyGroup):
    """The commands of `adharness data`."""

    table = COMMANDS


@click.group(cls=DataGroup)
def data() -> None:
    """List data sets, examine one, or fetch one."""
