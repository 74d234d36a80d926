"""What can be named is documented: hooks, public names, fields of records, exit codes."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pytest

import docs_api
import docs_tables
import layers
from adharness import hooks
from adharness.cli import exit_codes
from adharness.contracts.specs import SPEC_TYPES, AnySpec
from adharness.suite.schema import Document

ROOT = Path(__file__).resolve().parents[2]
HOOKS = (ROOT / "docs" / "plugin-hooks.md").read_text(encoding="utf-8")


def undocumented_hooks(page: str, hookspecs: Mapping[str, Callable[..., Any]]) -> list[str]:
    """Hooks whose exact signature does not stand in a block below a heading of its own."""
    blocks = re.findall(r"^## .+\n+```python\n(adharness_\w+\(.*)\n```$", page, re.MULTILINE)
    wanted = [f"{name}{inspect.signature(hook)}" for name, hook in hookspecs.items()]
    return [each for each in wanted if each.replace("'", "") not in blocks]


def hooks_of(module: ModuleType) -> dict[str, Callable[..., Any]]:
    found = inspect.getmembers(module, inspect.isfunction)
    return {name: hook for name, hook in found if hasattr(hook, "adharness_spec")}


def test_every_hook_is_documented_with_its_exact_signature() -> None:
    assert len(hooks_of(hooks)) == 6
    assert undocumented_hooks(HOOKS, hooks_of(hooks)) == []


def test_every_hook_has_an_example() -> None:
    assert [n for n, hook in hooks_of(hooks).items() if ">>>" not in (hook.__doc__ or "")] == []


def test_a_hook_whose_signature_changed_is_found_out() -> None:
    def adharness_scorers(device: str) -> Iterable[AnySpec]:
        return ()

    changed = {**hooks_of(hooks), "adharness_scorers": adharness_scorers}
    assert len(undocumented_hooks(HOOKS, changed)) == 1
    renamed = HOOKS.replace("adharness_banks() ->", "adharness_bank() ->")
    assert undocumented_hooks(renamed, hooks_of(hooks)) == [
        "adharness_banks() -> 'Iterable[BankSpec]'"
    ]


def undescribed_fields(spec: type[Any]) -> list[str]:
    told = docs_tables.described_fields(spec)
    return [f.name for f in dataclasses.fields(spec) if not told.get(f.name)]


@pytest.mark.parametrize("spec", SPEC_TYPES, ids=lambda spec: spec.__name__)
def test_every_field_of_a_record_is_described_on_the_page_of_hooks(spec: type[AnySpec]) -> None:
    assert undescribed_fields(spec) == []
    assert f"<!-- generated: record {spec.__name__} -->" in HOOKS


def test_a_field_that_nobody_described_is_found_out() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class TastedSpec(SPEC_TYPES[0]):  # type: ignore[misc]
        """A data set that can be tasted."""

        taste: str = "salty"

    assert undescribed_fields(TastedSpec) == ["taste"]


def undocumented_names(modules: Iterable[str]) -> list[str]:
    names = (public for module in modules for public in docs_api.public_names(module))
    return [public.path for public in names if not public.docstring]


def test_every_public_name_has_a_docstring() -> None:
    assert undocumented_names(docs_api.MODULES) == []


def test_a_public_name_without_a_docstring_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> None:
        """Say something."""

    def unsaid() -> None:
        pass

    module = ModuleType("made_up")
    vars(module).update(said=said, unsaid=unsaid, __all__=["said", "unsaid"])
    monkeypatch.setitem(sys.modules, "made_up", module)
    assert undocumented_names(["made_up"]) == ["made_up.unsaid"]


def test_the_reference_has_every_module_that_plugins_may_import() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"^<!-- generated: api (\S+) -->$", page, re.MULTILINE)
    source = inspect.getsource(layers.plugin_breaks)
    (parts,) = re.findall(r"parts = (\(.*?\))", source)
    public = {f"adharness.{part}" for part in re.findall(r'"(\w+)"', parts)}
    assert set(shown) == set(docs_api.MODULES) == {"adharness", "adharness.testing", *public}


def test_every_mapping_of_a_suite_has_a_section_and_every_key_a_row() -> None:
    page = docs_tables.suite_keys()
    models = [model for _, model in docs_tables.suite_sections()]
    assert Document in models
    for model in models:
        assert (model.__doc__ or "").strip()
        for name, info in model.model_fields.items():
            assert f"| `{info.alias or name}` |" in page


def test_the_page_of_commands_lists_the_exit_codes() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    codes = {v for k, v in vars(exit_codes).items() if k.isupper() and isinstance(v, int)}
    assert listed == codes


def test_a_generated_part_that_nobody_writes_is_an_error() -> None:
    import docs_site

    assert isinstance(docs_site.GENERATED, MappingProxyType)
    with pytest.raises(KeyError):
        docs_site.generate("<!-- generated: nothing -->")
