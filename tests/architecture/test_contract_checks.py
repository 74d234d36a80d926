"""docs/contracts.md and the conformance kit speak of the same clauses."""

from __future__ import annotations

from pathlib import Path

import pytest

import contract_checks
from adharness.testing import every_check

PAGE = Path(__file__).resolve().parents[2] / "docs" / "contracts.md"


@pytest.fixture
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_each_clause_names_the_checks_that_try_it(page: str) -> None:
    assert contract_checks.refreshed(page) == page


def test_each_check_cites_a_clause_of_the_page(page: str) -> None:
    assert {check.clause for check in every_check()} <= set(contract_checks.clauses(page))


def test_each_clause_is_tried_or_says_why_not(page: str) -> None:
    tried = {check.clause for check in every_check()}
    told = set(contract_checks.untried(page))
    assert set(contract_checks.clauses(page)) - tried == told


def test_no_clause_and_no_check_is_there_twice(page: str) -> None:
    clauses = contract_checks.clauses(page)
    assert len(set(clauses)) == len(clauses)
    names = [(check.clause, check.name) for check in every_check()]
    assert len(set(names)) == len(names)


def test_each_check_states_its_promise_in_a_sentence() -> None:
    silent = [check.name for check in every_check() if not check.states.endswith(".")]
    assert silent == []


def test_a_renamed_check_and_a_clause_nobody_tries_are_noticed(page: str) -> None:
    renamed = page.replace("`prints-nothing`", "`prints-little`")
    assert contract_checks.refreshed(renamed) == page
    more = page.replace("- **A2**", "- **A99** Nobody tries this.\n- **A2**")
    assert "A99" in set(contract_checks.clauses(more)) - set(contract_checks.untried(more))
