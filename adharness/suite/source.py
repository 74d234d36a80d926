"""A suite file as plain values that remember their lines.

Scalars follow the JSON-like core of YAML 1.2, which surprises less than YAML 1.1: `yes` and `on`
are text, `010` is text (a class may be called so), `1e3` is a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from adharness.errors import SuiteError

Loc: TypeAlias = tuple[str | int, ...]

MAX_NODES = 100_000
MAX_DEPTH = 64

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"(?P<true>true|True|TRUE)|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]{1,4})?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def field_name(loc: Loc) -> str:
    """Write a place as a reader would: `methods[0].scorer.k`; empty for the whole file."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc)
    return text.removeprefix(".")


@dataclass(frozen=True)
class Source:
    """A parsed suite file.

    Parameters
    ----------
    path
        As the user typed it; errors cite it.
    text
        The file, decoded.
    values
        JSON values of the whole file.
    lines
        Place -> line, counted from 1: of the key in a mapping, of the item in a list.
    """

    path: Path
    text: str
    values: dict[str, Any]
    lines: Mapping[Loc, int]

    def where(self, loc: Loc) -> str:
        """`file:line` of a place, or of the nearest thing around it that the file holds."""
        return f"{self.path}:{self.lines[self.nearest(loc)]}"

    def nearest(self, loc: Loc) -> Loc:
        """Return the longest part of `loc` that the file holds; `()` is always held."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return loc

    def error(self, loc: Loc, fact: str, *, hint: str | None = None) -> SuiteError:
        """Build an error about a place, ready to raise or to collect."""
        name = field_name(loc)
        return SuiteError(f"{name}: {fact}" if name else fact, hint=hint, where=self.where(loc))


def parse(path: Path, text: str) -> Source:
    """Parse the text of a suite.

    Raises
    ------
    SuiteError
        If it is empty, not YAML, not a mapping, repeats a key, or is too large or too deep once
        its aliases are expanded.
    """
    builder = _Builder(path)
    try:
        builder.survey(yaml.parse(text, Loader=yaml.BaseLoader))
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise _not_yaml(path, text, error) from error
    except (ValueError, IndexError) as error:  # PyYAML lets these out, e.g. for "\U00110000"
        fact = f"the suite is not YAML: {error}"
        raise SuiteError(fact, where=str(path), hint="look for a broken escape sequence") from error
    if root is None or root.value == "":
        raise SuiteError("the suite is empty", where=f"{path}:1", hint=_START)
    if not isinstance(root, yaml.MappingNode):
        found = "a list" if isinstance(root, yaml.SequenceNode) else "one value"
        fact = f"the suite is {found}, expected a mapping (key: value)"
        raise SuiteError(fact, where=f"{path}:{_line(root)}", hint=_START)
    return Source(path, text, builder.build(root), builder.lines)


_START = "start from suites/quickstart.yaml; a suite needs name, data, extractors and methods"


class _Builder:
    """Turns nodes into values, noting the line of each; refuses what is too large or too deep."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Loc, int] = {(): 1}
        self._nodes = 0

    def survey(self, events: Iterator[yaml.Event]) -> None:
        """Bound depth and size before composing, which recurses; refuse explicit tags."""
        depth = 0
        for count, event in enumerate(events):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            # A mapping entry or a collection is two events, so this never refuses a legal suite.
            self._bound(count // 2, depth, event)
            tag = str(getattr(event, "tag", None) or "").replace("tag:yaml.org,2002:", "!!")
            if tag:
                raise self._error(event, f"the tag {tag!r} is not read", "write a plain value")

    def build(self, root: yaml.MappingNode) -> dict[str, Any]:
        return self._mapping(root, ())

    def _value(self, node: yaml.Node, loc: Loc) -> Any:
        self._nodes += 1
        self._bound(self._nodes, len(loc), node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*loc, i)) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _item(self, node: yaml.Node, loc: Loc) -> Any:
        self.lines[loc] = _line(node)
        return self._value(node, loc)

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            place = (*loc, key)
            if key in values:
                fact = f"{field_name(place)}: the key is given twice"
                first = f"the first is on line {self.lines[place]}; keep one of them"
                raise self._error(key_node, fact, first)
            self.lines[place] = _line(key_node)
            values[key] = self._value(value_node, place)
        return values

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "a key is a list or a mapping", "keys are plain words")
        if node.value == "<<":
            raise self._error(node, "merge keys (<<) are not read", "write the keys out")
        return str(self._text(node))

    def _scalar(self, node: yaml.Node) -> Any:
        text = self._text(node)
        if getattr(node, "style", None) is not None:  # quoted or block text stays text
            return text
        if _NOT_FINITE.fullmatch(text):
            raise self._error(node, f"{text} is not a finite number", "write a number")
        return _plain(text)

    def _text(self, node: yaml.Node) -> str:
        text = str(node.value)
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise self._error(node, "half of a surrogate pair is no character", "write it whole")
        return text

    def _bound(self, nodes: int, depth: int, at: yaml.Node | yaml.Event) -> None:
        if nodes > MAX_NODES:
            fact = f"the suite has more than {MAX_NODES} values once its aliases are expanded"
            raise self._error(at, fact, "write a smaller suite, or several")
        if depth > MAX_DEPTH:
            fact = f"the suite is nested deeper than {MAX_DEPTH} levels"
            raise self._error(at, fact, "flatten it; an alias may also hold itself")

    def _error(self, at: yaml.Node | yaml.Event, fact: str, hint: str) -> SuiteError:
        return SuiteError(fact, hint=hint, where=f"{self.path}:{_line(at)}")


def _plain(text: str) -> Any:
    if _NULL.fullmatch(text):
        return None
    flag = _BOOL.fullmatch(text)
    if flag:
        return flag["true"] is not None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and abs(float(text)) != float("inf"):
        return float(text)
    return text


def _line(at: yaml.Node | yaml.Event) -> int:
    return at.start_mark.line + 1 if at.start_mark else 1


def _not_yaml(path: Path, text: str, error: yaml.YAMLError) -> SuiteError:
    problem, line = str(error).splitlines()[0], 1
    if isinstance(error, yaml.MarkedYAMLError):
        problem = error.problem or error.context or problem
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
    elif isinstance(error, yaml.reader.ReaderError):
        problem = f"{error.reason} (U+{ord(text[error.position]):04X})"
        line = text.count("\n", 0, error.position) + 1
    hint = "look at this line and the one before: indentation, quotes, a missing `: ` or bracket"
    if "\\t" in problem:
        hint = "indent with spaces, not with tabs"
    return SuiteError(f"the suite is not YAML: {problem}", hint=hint, where=f"{path}:{line}")
