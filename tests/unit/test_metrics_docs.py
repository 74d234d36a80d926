from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import metric_traits
from adharness.metrics import DIALECTS, METRICS, TRAITS, Dialect, MetricSpec, find_dialect

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
BINNED = find_dialect("binned_50")


def _sections(of: str) -> dict[str, str]:
    """Text of each `### name` between the heading `## of` and the next of its kind."""
    chapter = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    text = dict(zip(chapter[1::2], chapter[2::2], strict=True))[of]
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _said(section: str, part: str) -> str:
    """Give what follows `- **part.**`; fails if it is missing."""
    found = re.search(rf"^- \*\*{re.escape(part)}\.\*\* (.*(?:\n  .*)*)", section, re.MULTILINE)
    assert found, f"no {part}"
    return found[1]


def test_the_page_has_a_section_for_each_id_in_the_order_of_the_table_and_no_other() -> None:
    assert list(_sections("Ids")) == [f"`{name}`" for name in METRICS]


@pytest.mark.parametrize("spec", METRICS.values(), ids=lambda spec: spec.name)
def test_the_section_of_a_metric_states_everything(spec: MetricSpec) -> None:
    section = _sections("Ids")[f"`{spec.name}`"]
    assert spec.summary in " ".join(section.split())
    for part in ("Formula", "Ties", "Undefined", "Source", "What it is not"):
        assert len(_said(section, part)) > 10
    assert re.findall(r"`(\w+)`", _said(section, "Traits")) == [
        t for t in TRAITS if t in spec.traits
    ]


@pytest.mark.parametrize("spec", METRICS.values(), ids=lambda spec: spec.name)
def test_the_ties_of_a_metric_give_the_closed_form_at_a_constant_or_the_rule(
    spec: MetricSpec,
) -> None:
    ties = " ".join(_said(_sections("Ids")[f"`{spec.name}`"], "Ties").split())
    if "closed_form_at_constant" in spec.traits:
        assert re.search(r"A constant (score|map) gives ", ties)
    if "strict_threshold" in spec.traits:
        assert "A score equal to the threshold counts as normal." in ties


@pytest.mark.parametrize("spec", METRICS.values(), ids=lambda spec: spec.name)
def test_a_lower_is_better_metric_says_so(spec: MetricSpec) -> None:
    formula = _said(_sections("Ids")[f"`{spec.name}`"], "Formula")
    assert ("lower is better" in formula) == (spec.direction == "lower")


def test_the_page_explains_each_trait_in_the_words_of_the_table_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert [(name, meaning) for name, meaning, _ in rows] == [
        (name, trait.meaning) for name, trait in TRAITS.items()
    ]
    asked = {name: asked for name, _, asked in rows}
    assert asked["permutation_invariant"] == "all levels"
    assert asked["flip_invariant"] == "pixels, regions"
    assert asked["strict_threshold"] == "all levels, at a threshold"
    assert asked["pair_count"] == "all levels, without a threshold"


def test_the_page_holds_the_traits_that_the_script_would_write() -> None:
    assert metric_traits.refreshed(PAGE) == PAGE, "run: python scripts/metric_traits.py"


def test_the_script_mends_each_list_of_traits_and_no_other_line() -> None:
    lists = re.compile(r"^(- \*\*Traits.*?\.\*\*).*(?:\n  .*)*", re.MULTILINE)
    spoilt = lists.sub(r"\1 `wrong`.", PAGE).replace(TRAITS["monotone"].meaning, "Wrong.")
    assert spoilt != PAGE
    assert metric_traits.refreshed(spoilt) == PAGE


def _heading(dialect: Dialect) -> str:
    return f"`@{dialect.name}`".replace("_50", "_<N>")


def _ids(dialect: Dialect) -> list[str]:
    limited = {"region_aupro": "region_aupro_30"}
    return [f"{limited.get(name, name)}@{dialect.name}" for name in dialect.metrics]


def test_the_page_has_a_section_for_each_dialect_and_no_other() -> None:
    headings = [name for name in _sections("Dialects") if name.startswith("`")]
    assert headings == [_heading(dialect) for dialect in (*DIALECTS.values(), BINNED)]


@pytest.mark.parametrize("dialect", [*DIALECTS.values(), BINNED], ids=lambda one: one.name)
def test_the_section_of_a_dialect_states_everything(dialect: Dialect) -> None:
    section = _sections("Dialects")[_heading(dialect)]
    assert re.findall(r"`(\w+@\w+)`", _said(section, "Ids")) == _ids(dialect)
    for part in ("Reads", "Moved by", "Code", *(f"Traits of `{name}`" for name in _ids(dialect))):
        assert len(_said(section, part)) > 10


def test_every_dialect_is_found_in_the_list_of_published_tables() -> None:
    tables = _sections("Dialects")["Which published table used which"]
    named = set(re.findall(r"`@(\w+)`", tables))
    for name in named:
        find_dialect(name)  # none is invented
    assert set(DIALECTS) <= named
    assert "binned_50" in named
    assert "unknown" in tables


def test_the_published_tables_name_ids_that_exist() -> None:
    tables = _sections("Dialects")["Which published table used which"]
    for name in re.findall(r"`((?:image|pixel|region)_\w+)`", tables):
        assert name in METRICS


def test_the_example_of_the_dialects_runs_and_prints_what_the_page_shows() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        example = doctest.DocTestParser().get_doctest(block, {}, "docs/metrics.md", None, 0)
        printed: list[str] = []
        failed, attempted = doctest.DocTestRunner().run(example, out=printed.append)
        assert attempted
        assert not failed, "".join(printed)
