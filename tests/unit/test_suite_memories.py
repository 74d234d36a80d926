"""What goes together: extractors that give pixels, banks that emit, scorers that need them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adharness import BankSpec, ExtractorSpec, Params, ScorerSpec, SuiteError
from adharness.suite.bind import bind
from adharness.suite.bound import BoundSuite
from adharness.suite.load import load_suite


class NoParams(Params):
    """Nothing to set."""


def spec(kind: Any, name: str, **traits: Any) -> Any:
    return kind(name=name, params=NoParams, make=lambda _: None, summary="", **traits)


MORE = (
    spec(ExtractorSpec, "images", gives="pixels"),
    spec(BankSpec, "pixels", emits="pixels"),
    spec(ScorerSpec, "trained", needs="pixels"),
    spec(ScorerSpec, "either", needs=("grid", "pixels")),
)


@pytest.fixture
def bound(write_suite: Callable[[str], Path], toy_registry: Any) -> Callable[[str], BoundSuite]:
    """Binds a suite of one method on the extractors `net` and `raw`, which gives pixels."""
    known = (*toy_registry.components, *(type(toy_registry.components[0])(one) for one in MORE))

    def bound(method: str, features: str = "float32") -> BoundSuite:
        text = f"""\
name: toy
data: [{{use: toy-set}}]
extractors: {{net: {{use: net}}, raw: {{use: images}}}}
features: {{dtype: {features}}}
methods:
  - name: m
{method}
thresholders: [{{use: quantile}}]
"""
        return bind(load_suite(write_suite(text)), type(toy_registry)(known))

    return bound


def method(**keys: str) -> str:
    return "\n".join(f"    {key}: {value}" for key, value in keys.items())


PIXELS, TRAINED = "{use: pixels}", "{use: trained}"


def test_a_bank_of_pixels_refuses_an_extractor_of_features_at_its_line(bound):
    with pytest.raises(SuiteError) as caught:
        bound(method(extractor="net", bank=PIXELS, scorer=TRAINED))
    found = caught.value
    assert (found.message, found.where, found.hint) == (
        "methods[0].extractor: bank 'pixels' emits pixels, extractor 'net' gives features",
        "x.yaml:7",
        "extractors that give pixels: images",
    )


def test_a_scorer_that_needs_pixels_refuses_other_banks_at_their_line(bound):
    with pytest.raises(SuiteError) as caught:
        bound(method(extractor="raw", bank="{use: random}", scorer=TRAINED))
    found = caught.value
    assert (found.message, found.where, found.hint) == (
        "methods[0].bank.use: bank 'random' emits bag, scorer 'trained' needs pixels",
        "x.yaml:8",
        "banks that fit 'trained': pixels",
    )


@pytest.mark.parametrize(("scorer", "bank"), [("knn", "{use: coreset}"), ("padim", "{use: grid}")])
def test_pixels_are_features_to_every_other_bank(bound, scorer, bank):
    made = bound(method(extractor="raw", bank=bank, scorer=f"{{use: {scorer}}}"))
    assert made.methods[0].extractor.component.name == "images"


def test_a_scorer_that_needs_pixels_may_leave_its_bank_out(bound):
    (made,) = bound(method(extractor="raw", scorer=TRAINED)).methods
    written = bound(method(extractor="raw", bank=PIXELS, scorer=TRAINED)).methods[0]
    assert made.bank.identity() == written.bank.identity()
    with pytest.raises(SuiteError, match=r"methods\[0\].extractor: bank 'pixels' emits pixels"):
        bound(method(extractor="net", scorer=TRAINED))


@pytest.mark.parametrize("scorer", ["knn", "either"])
def test_any_other_scorer_must_name_its_bank(bound, scorer):
    with pytest.raises(SuiteError) as caught:
        bound(method(extractor="raw", scorer=f"{{use: {scorer}}}"))
    found = caught.value
    assert (found.message, found.where) == ("methods[0].bank: the key is missing", "x.yaml:6")
    assert found.hint == "add `bank:` here"


def test_a_bank_without_an_extractor_is_still_refused(bound):
    with pytest.raises(SuiteError, match=r"methods\[0\].extractor: the key is missing"):
        bound(method(bank=PIXELS, scorer=TRAINED))


@pytest.mark.parametrize("features", ["float32", "float16"])
def test_pixels_are_kept_as_bytes_whatever_the_suite_says_of_features(bound, features):
    made = bound(method(extractor="raw", scorer=TRAINED), features).methods[0].extractor
    assert made.stored_as == made.identity()["stored_as"] == "uint8"


def test_a_sweep_reaches_the_bank_that_was_left_out(bound):
    swept = method(extractor="raw", scorer=TRAINED, sweep="{bank.shots: [1]}")
    with pytest.raises(SuiteError, match=r"methods\[0\].sweep.bank.shots: unknown key"):
        bound(swept)
