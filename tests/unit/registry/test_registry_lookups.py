"""A look-up gives the one component meant, or an error that says what to type."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from adharness import AdharnessError, BankSpec, Params, PluginError, ScorerSpec, SuiteError
from adharness.registry import Component, Distribution, Problem, Registry, discover
from adharness.registry.first_party import FIRST_PARTY, install_line


class NoParams(Params):
    """None."""


def never(params: Any) -> Any:
    raise AssertionError("a look-up makes nothing")


def scorer(name: str, distribution: str = "fake") -> Component:
    spec = ScorerSpec(name=name, params=NoParams, make=never, needs="bag", summary="A fake.")
    return Component(spec, distribution, "1.0")


def bank(name: str) -> Component:
    spec = BankSpec(name=name, params=NoParams, make=never, emits="bag", summary="A fake.")
    return Component(spec, "fake", "1.0")


def refusal(registry: Registry, name: str, **place: Any) -> AdharnessError:
    with pytest.raises(AdharnessError) as caught:
        registry.find("scorer", name, **place)
    return caught.value


def test_a_bare_and_a_qualified_name_find_the_same_component() -> None:
    knn = scorer("knn")
    registry = Registry((knn, scorer("other")))
    assert registry.find("scorer", "knn") is knn
    assert registry.find("scorer", "fake/knn") is knn


def test_one_name_in_two_kinds_is_no_clash() -> None:
    registry = Registry((scorer("patchcore"), bank("patchcore")))
    assert registry.find("scorer", "patchcore").kind == "scorer"
    assert registry.find("bank", "patchcore").kind == "bank"
    assert registry.ambiguous() == ()


def test_a_name_that_two_distributions_have_is_refused_with_both_qualified_names() -> None:
    one, two = scorer("knn", "a-dist"), scorer("knn", "b-dist")
    registry = Registry((one, two))
    error = refusal(registry, "knn", where="x.yaml:3", field="methods[0].scorer.use")
    assert isinstance(error, PluginError)
    assert error.message == "methods[0].scorer.use: 2 distributions have a scorer 'knn'"
    assert error.hint == "write 'a-dist/knn' or 'b-dist/knn'"
    assert error.where == "x.yaml:3"
    assert registry.find("scorer", "b-dist/knn") is two
    assert registry.ambiguous() == ((one, two),)


def test_the_hint_for_a_misspelt_first_party_name_is_the_one_in_the_design() -> None:
    error = refusal(Registry(), "knn_faiss", where="q.yaml:9", field="scorers[0].use")
    assert isinstance(error, SuiteError)
    assert error.message == "scorers[0].use: unknown scorer 'knn_faiss'"
    assert error.hint == (
        "did you mean 'knn-faiss'? It is in plugins/adharness-knn-faiss:  "
        "pip install -e ./plugins/adharness-knn-faiss"
    )


def test_a_first_party_name_that_is_not_installed_gets_its_install_line() -> None:
    hint = refusal(Registry((scorer("padim-like"),)), "padim").hint
    assert hint == "It is in plugins/adharness-padim:  pip install -e ./plugins/adharness-padim"


def test_the_closest_installed_name_is_suggested_with_what_is_installed() -> None:
    hint = refusal(Registry((scorer("gauss"), scorer("median"))), "medain").hint
    assert hint == "did you mean 'median'? installed scorers: gauss, median"


def test_capitals_and_underscores_do_not_hide_the_closest_name() -> None:
    hint = refusal(Registry((scorer("a-b"),)), "A_B").hint
    assert hint == "did you mean 'a-b'? installed scorers: a-b"


def test_a_name_like_nothing_lists_what_is_installed() -> None:
    assert refusal(Registry((scorer("gauss"),)), "zzz").hint == "installed scorers: gauss"
    assert refusal(Registry(), "zzz").hint == "no scorer is installed; see adharness plugins"


def test_a_name_of_another_kind_is_called_what_it_is() -> None:
    hint = refusal(Registry((bank("heap"), scorer("gauss"))), "heap").hint
    assert hint == "'heap' is a bank, not a scorer; installed scorers: gauss"


def problem(distribution: str, entry_point: str = "plugin", *claims: str) -> Problem:
    claimed = tuple(("scorer", claim) for claim in claims)
    return Problem(distribution, "2.0", entry_point, "import", "boom", claims=claimed)


@pytest.mark.parametrize(
    ("broken", "asked"),
    [
        (problem("some-dist", "plugin", "knn"), "knn"),
        (problem("some-dist", "knn"), "knn"),
        (problem("adharness-knn"), "knn"),
        (problem("some-dist"), "some-dist/knn"),
        (problem("adharness-patchcore"), "patchcore"),
        (problem("adharness-thresholds"), "f1"),
    ],
    ids=["claimed", "entry point", "distribution", "qualified", "first party", "first party kind"],
)
def test_a_component_of_a_quarantined_plugin_fails_with_that_problem(
    broken: Problem, asked: str
) -> None:
    kind = "thresholder" if asked == "f1" else "scorer"
    with pytest.raises(PluginError, match=r"could not be loaded: boom") as caught:
        Registry(problems=(broken,)).find(kind, asked)
    assert f"{asked!r} is in {broken.distribution} 2.0" in caught.value.message
    assert caught.value.hint == "adharness plugins --verbose shows the traceback"


def test_a_problem_of_another_plugin_is_not_blamed_for_a_typing_error() -> None:
    error = refusal(Registry((scorer("median"),), (problem("some-dist", "x", "knn"),)), "medain")
    assert isinstance(error, SuiteError)


def test_a_healthy_component_wins_over_a_quarantined_claim() -> None:
    knn = scorer("knn")
    assert Registry((knn,), (problem("other", "plugin", "knn"),)).find("scorer", "knn") is knn


def test_a_first_party_plugin_that_is_installed_is_not_offered_for_installation() -> None:
    installed = Distribution("adharness-mahalanobis", "0.1", ("mahalanobis",))
    hint = refusal(Registry(distributions=(installed,)), "mahalanobis-x").hint or ""
    assert "did you mean 'mahalanobis'" not in hint
    assert "pip install" not in hint


def test_components_of_a_kind_come_sorted_by_name() -> None:
    registry = Registry((scorer("b"), scorer("a", "z-dist"), bank("c"), scorer("a", "y-dist")))
    assert [c.qualified for c in registry.of_kind("scorer")] == ["y-dist/a", "z-dist/a", "fake/b"]


def test_an_unknown_kind_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no such kind: 'scorers'"):
        Registry().of_kind("scorers")


def test_the_registry_is_a_value_and_each_discovery_builds_its_own() -> None:
    registry = discover()
    assert registry is not discover()
    with pytest.raises(dataclasses.FrozenInstanceError):
        registry.components = ()  # type: ignore[misc]


def test_the_table_of_hints_has_what_the_installed_first_party_plugins_have() -> None:
    registry = discover()
    broken = {p.distribution for p in registry.problems}
    names = {d.name for d in registry.distributions} & set(FIRST_PARTY) - broken
    had = {(c.distribution, c.kind, c.name) for c in registry.components if c.distribution in names}
    told = {
        (distribution, kind, name)
        for distribution in names
        for kind, listed in FIRST_PARTY[distribution].items()
        for name in listed
    }
    assert told == had


def test_every_plugin_folder_is_in_the_table_of_hints() -> None:
    plugins = Path(__file__).resolve().parents[3] / "plugins"
    folders = {file.parent.name for file in plugins.glob("*/pyproject.toml")}
    assert folders <= set(FIRST_PARTY)


def test_the_line_that_installs_a_plugin_names_the_plugins_it_needs() -> None:
    assert install_line("adharness-patchcore").endswith(
        "pip install -e ./plugins/adharness-knn-faiss -e ./plugins/adharness-patchcore"
    )
    assert install_line("adharness-anomalib").endswith(
        "pip install -e ./plugins/adharness-timm -e ./plugins/adharness-anomalib"
    )
