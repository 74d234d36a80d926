"""BibTeX of a run and its data sets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.report.citations import bibtex
from adharness.report.reading import read_run
from adharness.store.run_record import RunRecord


@pytest.fixture(scope="module")
def record(run_folder: Path) -> RunRecord:
    return read_run(run_folder)[0].model_copy(update={"suite": "quickstart"})


def of(record: RunRecord, *names: str, citation: str = "Somebody, A Set, 2021.") -> RunRecord:
    first = record.datasets[0].model_copy(update={"citation": citation})
    sets = [first.model_copy(update={"name": name}) for name in names]
    return record.model_copy(update={"datasets": sets})


def test_the_run_and_each_data_set_have_an_entry(record: RunRecord) -> None:
    text = bibtex(of(record, "textures", "mvtec ad"))
    assert re.findall(r"@misc\{(.*),", text) == ["quickstart", "textures", "mvtec-ad"]
    assert "  note = {Somebody, A Set, 2021.},\n" in text
    assert "  howpublished = {https://example.org/data},\n" in text


def test_a_data_set_without_a_citation_has_none(record: RunRecord) -> None:
    assert bibtex(of(record, "textures", citation="")).count("@misc") == 1


def test_keys_that_would_meet_are_told_apart(record: RunRecord) -> None:
    keys = re.findall(r"@misc\{(.*),", bibtex(of(record, "a b", "a-b", "a_b")))
    assert len(set(keys)) == 4


@given(citation=st.text(st.sampled_from("\\{}&%$#_~^ ab\n"), min_size=1, max_size=20))
def test_braces_balance_whatever_a_citation_holds(record: RunRecord, citation: str) -> None:
    text = bibtex(of(record, "textures", citation=citation))
    bare = re.sub(r"\\[{}]", "", text)
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert not re.search(r"(?<!\\)[&%$#_]", text)
