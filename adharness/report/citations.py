"""What to cite: the run and the data it used, as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from adharness.store.run_record import RunRecord

_SPECIAL: Mapping[int, str] = MappingProxyType(
    {
        ord("\\"): r"\textbackslash{}", ord("~"): r"\textasciitilde{}",
        ord("^"): r"\textasciicircum{}", ord("{"): r"\{", ord("}"): r"\}",
        **{ord(sign): f"\\{sign}" for sign in "&%$#_"},
    }
)  # fmt: skip


def bibtex(run: RunRecord) -> str:
    """Write an entry for the run, and one for each data set that says how to cite it.

    Returns
    -------
    str
        `@misc` entries: a record holds a citation as its authors worded it, which stands whole in
        `note`. Keys are letters, digits and `-`, and told apart by a number where they would meet.
    """
    version = (run.provenance.get("versions") or {}).get("adharness")
    made = f"Made by adharness {version}" if version else "Made by adharness"
    entries = [
        (run.suite, {
            "title": f"{run.suite}: leaderboard of a benchmark of visual anomaly detection",
            "year": run.started[:4],
            "note": f"{made}, {run.started[:10]}",
        }),
        *((data.name, {"note": data.citation, "howpublished": data.url})
          for data in run.datasets if data.citation),
    ]  # fmt: skip
    keys: dict[str, str] = {}
    for number, (name, _) in enumerate(entries, 1):
        key = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "entry"
        keys[key if key not in keys else f"{key}-{number}"] = name
    return "\n".join(_entry(key, fields) for key, (_, fields) in zip(keys, entries, strict=True))


def _entry(key: str, fields: Mapping[str, str]) -> str:
    lines = [
        f"  {name} = {{{' '.join(value.translate(_SPECIAL).split())}}},\n"
        for name, value in fields.items()
        if value
    ]
    return f"@misc{{{key},\n{''.join(lines)}}}\n"
