"""Every example of a docstring and of a page runs, and prints what it shows."""

from __future__ import annotations

import doctest
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import adharness
from docs_links import mirrors

ROOT = Path(__file__).resolve().parents[2]


def of_modules() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder()
    for module in pkgutil.walk_packages(adharness.__path__, "adharness."):
        yield from finder.find(import_module(module.name), module.name)
    yield from finder.find(adharness, "adharness")


def of_pages() -> Iterator[doctest.DocTest]:
    copies = set(mirrors().values())
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/*.md")]:
        if page not in copies:
            text = page.read_text(encoding="utf-8").replace("```", "")
            name = str(page.relative_to(ROOT))
            yield doctest.DocTestParser().get_doctest(text, {}, name, name, 0)


EXAMPLES = [each for each in [*of_modules(), *of_pages()] if each.examples]


def run(example: doctest.DocTest) -> str:
    """What went wrong; empty where nothing did."""
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    return "".join(said)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_every_example_prints_what_it_shows(example: doctest.DocTest) -> None:
    assert run(example) == ""


def test_there_are_examples_in_docstrings_and_on_pages() -> None:
    names = [each.name for each in EXAMPLES]
    assert "adharness.hooks.adharness_scorers" in names
    assert "docs/metrics.md" in names


def test_an_example_that_prints_something_else_is_found_out() -> None:
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "sum", None, 0)
    assert "Expected" in run(wrong)
