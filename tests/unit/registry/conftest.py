"""Fake distributions on disk: what `pip install` would have left, without pip."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

PREAMBLE = """
from adharness import BankSpec, Params, ScorerSpec, hookimpl

class P(Params):
    k: int = 1

def scorer(name, **fields):
    given = dict(params=P, make=lambda params: None, needs="bag", summary="A fake.")
    return ScorerSpec(name=name, **{**given, **fields})
"""

Install = Callable[..., None]


def yielding(*names: str) -> str:
    """Source of a plugin that yields scorers of these names."""
    lines = "".join(f"    yield scorer({name!r})\n" for name in names)
    return f"@hookimpl\ndef adharness_scorers():\n{lines}"


@pytest.fixture
def plugin_source() -> Callable[..., str]:
    return yielding


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Write a distribution whose one plugin is `source`; forget its module afterwards."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    modules: list[str] = []

    def write(
        name: str,
        source: str,
        *,
        entry_point: str = "plugin",
        version: str = "1.0",
        into: Path = site,
        requires: Sequence[str] = ("adharness>=0.1,<0.2",),
    ) -> None:
        module = f"module_of_{name.replace('-', '_')}"
        modules.append(module)
        (into / f"{module}.py").write_text(PREAMBLE + source, encoding="utf-8")
        info = into / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
        (info / "METADATA").write_text(head + needs, encoding="utf-8")
        text = f"[adharness]\n{entry_point} = {module}\n"
        (info / "entry_points.txt").write_text(text, encoding="utf-8")

    yield write
    for module in modules:
        sys.modules.pop(module, None)
