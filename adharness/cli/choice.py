"""`--only key=value`: which cells a command takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adharness.errors import SuiteError
from adharness.suggest import closest


def wanted_by(
    fields: Sequence[Mapping[str, str]], only: Sequence[str], *, has: str
) -> dict[str, set[str]]:
    """Read `key=value` pairs; values of one key are alternatives.

    Parameters
    ----------
    fields
        Of everything there is to choose from, by key.
    has
        How a hint begins that lists the values there are: `the suite has`.

    Raises
    ------
    SuiteError
        A key is unknown, or a value matches nothing.
    """
    wanted: dict[str, set[str]] = {}
    for pair in only:
        key, _, value = pair.partition("=")
        _check(fields, key, value, pair, has)
        wanted.setdefault(key, set()).add(value)
    return wanted


def matches(fields: Mapping[str, str], wanted: Mapping[str, set[str]]) -> bool:
    """Whether something with these fields is wanted."""
    return all(fields[key] in values for key, values in wanted.items())


def _check(fields: Sequence[Mapping[str, str]], key: str, value: str, pair: str, has: str) -> None:
    if key not in fields[0]:
        hint = closest(key, fields[0], otherwise="the keys are")
        raise SuiteError(f"--only {pair}: unknown key '{key}'", hint=hint)
    known = sorted({f[key] for f in fields})
    if value not in known:
        raise SuiteError(
            f"--only {pair}: no {key} '{value}'", hint=closest(value, known, otherwise=has)
        )
