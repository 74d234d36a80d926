"""The commands of `adharness`, and whether those that a page shows parse."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import click

from adharness.cli.main import cli
from docs_links import FENCE

SHELLS = ("bash", "sh", "shell", "console")
INLINE = re.compile(r"(?<!`)`(adharness [^`]+)`(?!`)")
PLACES = (click.Path, click.types.StringParamType)
"""What a page may write as it likes: `SUITE`, `reports/quickstart`."""


@dataclass(frozen=True)
class Shown:
    """A command that a page shows: where, and whether it stands there whole."""

    line: int
    text: str
    whole: bool


def commands(
    group: click.Group = cli, name: str = "adharness"
) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name, groups before what is in them."""
    yield name, group
    context = click.Context(group)
    for part in group.list_commands(context):
        found = group.get_command(context, part)
        if isinstance(found, click.Group):
            yield from commands(found, f"{name} {part}")
        elif found is not None:
            yield f"{name} {part}", found


def shown(page: str) -> list[Shown]:
    """List the `adharness` commands of a page: in shell blocks, and as code inside sentences."""
    return sorted([*_in_blocks(page), *_in_sentences(page)], key=lambda each: each.line)


def _in_blocks(page: str) -> Iterator[Shown]:
    for fence in FENCE.finditer(page):
        first, *lines = fence.group().splitlines()
        if first.strip().lstrip("`~") not in SHELLS:
            continue
        begin = page.count("\n", 0, fence.start()) + 2
        for number, line in _joined(lines[:-1]):
            yield from (Shown(begin + number, part, whole=True) for part in _programs(line))


def _joined(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Join lines that end in a backslash; yield each with the number of its first."""
    kept, begin = "", 0
    for number, line in enumerate(lines):
        begin = begin if kept else number
        kept += line.removesuffix("\\")
        if not line.endswith("\\"):
            yield begin, kept
            kept = ""


def _programs(line: str) -> Iterator[str]:
    """Yield the `adharness ...` parts of a line, without prompts, variables, pipes and comments."""
    command = re.split(r"(?:^|\s)#", line.removeprefix("$ "))[0]
    for part in re.split(r"&&|\|\||[|;]", command):
        program = re.sub(r"^(\w+=\S* )*", "", part.strip())
        if program.split()[:1] == ["adharness"]:
            yield program


def _in_sentences(page: str) -> Iterator[Shown]:
    prose = FENCE.sub(lambda fence: re.sub(r"[^\n]", "", fence.group()), page)
    for found in INLINE.finditer(prose):
        text = found[1].replace("\n", " ")
        yield Shown(prose.count("\n", 0, found.start()) + 1, text, whole=False)


def parse(text: str, *, whole: bool = True) -> None:
    """Parse a command as the program would, without running it.

    Raises
    ------
    click.ClickException
        Where there is no such command or option, where a number or a choice is none, where an
        argument is too many or, in a `whole` command, missing.
    """
    words = shlex.split(text.replace("...", " ").split(" > ")[0])[1:]
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command = _subcommand(command, words.pop(0))
    _parse_words(command, words, whole=whole)


def _subcommand(group: click.Group, name: str) -> click.Command:
    found = group.get_command(click.Context(group), name)
    if found is None:
        raise click.UsageError(f"no such command: {name}")
    return found


def _parse_words(command: click.Command, words: list[str], *, whole: bool) -> None:
    context = click.Context(command)
    values, rest, _ = command.make_parser(context).parse_args(words)
    if rest:
        raise click.UsageError(f"surplus: {' '.join(rest)}")
    for parameter in command.params:
        value = values.get(parameter.name or "")
        missing = value is None or value == () or "UNSET" in repr(value)
        if missing and whole and parameter.required:
            raise click.UsageError(f"missing: {parameter.human_readable_name}")
        stands_for_others = not whole and str(value).isupper()  # as in `--kind KIND`
        if not missing and not stands_for_others and not isinstance(parameter.type, PLACES):
            parameter.type_cast_value(context, value)
