from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.report.embedded import asset, embed, printable, scripts

# Of the files as their projects publish them; see vendor/LICENSES.txt.
VENDOR = {
    "vendor/d3.min.js": "912111098ea99503a6f4967361d2bbdc9dbf58cf9c678c8e27e5b02d1a07f0c1",
    "vendor/plot.umd.min.js": "4358086467740777dd788d6b27a95cebdbaefdd50c730a3060117073bd7134cb",
}
READABLE = st.text(st.characters(exclude_categories=["C"]))
PLAIN = st.recursive(
    READABLE
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(READABLE, inner),
)


@pytest.mark.parametrize("text", ["\u202e", "\u2066", "\x00", "\x9b", "\udc80"])
def test_what_cannot_be_seen_is_replaced(text: str) -> None:
    assert printable(f"a{text}b") == "a\N{REPLACEMENT CHARACTER}b"
    assert json.loads(embed({text: [text]})) == {"\ufffd": ["\ufffd"]}


def test_lines_and_tabs_are_kept() -> None:
    assert printable("a\n\tb") == "a\n\tb"
    assert json.loads(embed("a\n\tb")) == "a\n\tb"


@given(st.text())
def test_no_text_ends_the_element_it_is_embedded_in(text: str) -> None:
    written = str(embed({"a": text, text: 1}))
    assert not set("<>&") & set(written)
    assert written.isascii()


@given(PLAIN)
def test_a_script_reads_what_was_embedded(value: Any) -> None:
    assert json.loads(embed(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        embed([value])


@pytest.mark.parametrize(("name", "digest"), VENDOR.items())
def test_the_scripts_of_others_are_as_they_published_them(name: str, digest: str) -> None:
    assert hashlib.sha256(asset(name).encode()).hexdigest() == digest
    assert name.split("/")[1] in asset("vendor/LICENSES.txt")


def test_no_script_could_end_its_element() -> None:
    assert not [each for each in scripts() if re.search("</script|<!--", each.text, re.IGNORECASE)]
