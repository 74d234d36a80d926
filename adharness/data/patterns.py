"""Patterns of file names with named parts, and the one walk that finds what matches them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import NamedTuple

from adharness.data.images import ENDINGS
from adharness.data.tree import Tree

_TOKEN = re.compile(r"\{(\w+)(?:=([^{}]*))?\}|(\*)|(\?)")
Fields = Mapping[str, str]


@dataclass(frozen=True)
class Pattern:
    """The name of a picture, such as `test/{defect}/{stem}`, relative to some folder.

    `{name}` stands for any text within one folder's or file's name and remembers it;
    `{name=text}` stands for that text and remembers it. `*` and `?` are as in a shell, and `**` as
    a whole folder stands for any number of folders, none included. Letters match as they are
    written. The ending is left out and then is any of the endings of pictures, in any case; one
    that is written, such as `.png`, matches in any case too. A file's name without its ending is
    always remembered as `stem`, unless the pattern says what the stem is.

    Raises
    ------
    ValueError
        Where the text is empty, absolute, climbs by '..', ends in a folder or names a part twice.

    Examples
    --------
    >>> Pattern("test/{defect}/{stem}_mask").named
    ('defect', 'stem')
    >>> Pattern("{part=train}/{stem}").drawn
    'train/<stem>'
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text or self.text.startswith("/") or "\\" in self.text:
            raise ValueError(f"pattern {self.text!r} is empty, absolute or has a backslash")
        if ".." in self.segments:
            raise ValueError(f"pattern {self.text!r} leaves its folder by '..'")
        if self.segments[-1] in ("", "**"):
            raise ValueError(f"pattern {self.text!r} ends in a folder; its last part names files")
        if len(set(self.named)) < len(self.named):
            raise ValueError(f"pattern {self.text!r} names a part twice")

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The folders and the file's name without its ending."""
        *folders, name = self.text.split("/")
        return (*folders, name.removesuffix(self.ending or ""))

    @cached_property
    def ending(self) -> str | None:
        """As written, such as `.PNG` or `.*`; None where any picture's will do."""
        ending = PurePosixPath(self.text.rsplit("/", 1)[-1]).suffix
        return ending if ending == ".*" or ending.lower() in ENDINGS else None

    @cached_property
    def named(self) -> tuple[str, ...]:
        """The parts that are remembered, in order."""
        return tuple(name for name, *_ in _TOKEN.findall(self.text) if name)

    @cached_property
    def drawn(self) -> str:
        """The pattern as a person would draw it."""
        return _TOKEN.sub(_draw, "/".join(self.segments))

    @cached_property
    def mark(self) -> str | None:
        """The first folder, where its name is fixed: it tells that a folder has this layout."""
        first, *rest = self.drawn.split("/")
        return first if rest and not set("<*?") & set(first) else None

    @cached_property
    def matchers(self) -> tuple[re.Pattern[str] | None, ...]:
        """One a segment; None for `**`."""
        return tuple(None if s == "**" else _compiled(s) for s in self.segments)

    def suits(self, ending: str) -> bool:
        """Whether a picture's ending, in lower case, is this pattern's."""
        return self.ending in (None, ".*") or ending == str(self.ending).lower()


class Hit(NamedTuple):
    """A picture and the patterns it matches, by position, with what each remembers."""

    path: str
    matches: dict[int, Fields]


class _State(NamedTuple):
    """How far a pattern has been matched on the way down to a folder."""

    number: int
    depth: int
    fields: Fields


def walk(tree: Tree, place: str, patterns: Sequence[Pattern]) -> Iterator[Hit]:
    """Find the pictures in and below `place` that match, entering only folders that can hold one.

    Hidden files and folders are passed over. Folders come in the order of their names, the files
    of each likewise.
    """
    todo = [(place, [_State(number, 0, {}) for number in range(len(patterns))])]
    while todo:
        here, states = todo.pop()
        states = [s for state in states for s in _without_folders(state, patterns)]
        yield from _pictures(tree, here, states, patterns)
        for name in sorted(tree.listing(here).folders, reverse=True):
            below = [s for state in states for s in _entered(state, name, patterns)]
            if below:
                todo.append((f"{here}/{name}" if here else name, below))


def fill(text: str, fields: Fields) -> str:
    """Write values into a pattern's named parts; those that have none are drawn."""
    return _TOKEN.sub(lambda token: fields.get(token[1] or "") or _draw(token), text)


def _without_folders(state: _State, patterns: Sequence[Pattern]) -> Iterator[_State]:
    """Give the state, and those after `**` where it stands for no folder."""
    yield state
    if patterns[state.number].matchers[state.depth] is None:
        yield from _without_folders(state._replace(depth=state.depth + 1), patterns)


def _entered(state: _State, name: str, patterns: Sequence[Pattern]) -> Iterator[_State]:
    matchers = patterns[state.number].matchers
    if state.depth == len(matchers) - 1:
        return
    matcher = matchers[state.depth]
    if matcher is None:
        yield state
    elif match := matcher.fullmatch(name):
        yield _State(state.number, state.depth + 1, {**state.fields, **match.groupdict()})


def _pictures(
    tree: Tree, here: str, states: Sequence[_State], patterns: Sequence[Pattern]
) -> Iterator[Hit]:
    leaves = [
        (patterns[s.number], s) for s in states if s.depth == len(patterns[s.number].matchers) - 1
    ]
    for name in sorted(tree.listing(here).files) if leaves else ():
        stem, dot, end = name.rpartition(".")
        ending = (dot + end).lower()
        if ending not in ENDINGS:
            continue
        matches: dict[int, Fields] = {}
        for pattern, state in leaves:
            matcher = pattern.matchers[-1]
            match = matcher.fullmatch(stem) if matcher and pattern.suits(ending) else None
            if match:
                fields = {"stem": stem, **state.fields, **match.groupdict()}
                matches.setdefault(state.number, fields)
        if matches:
            tree.vet(here, name)
            yield Hit(f"{here}/{name}" if here else name, matches)


def _compiled(segment: str) -> re.Pattern[str]:
    parts, end = [], 0
    for token in _TOKEN.finditer(segment):
        parts += [re.escape(segment[end : token.start()]), _expression(token)]
        end = token.end()
    return re.compile("".join([*parts, re.escape(segment[end:])]), re.DOTALL)


def _expression(token: re.Match[str]) -> str:
    name, text, star, _ = token.groups()
    if name:
        return f"(?P<{name}>{'.+' if text is None else re.escape(text)})"
    return ".*" if star else "."


def _draw(token: re.Match[str]) -> str:
    name, text, *_ = token.groups()
    return text or (f"<{name}>" if name else token.group())
