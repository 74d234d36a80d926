from __future__ import annotations

import json
import math
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.errors import StoreError
from adharness.store.identity import canonical, digest

# Without combining characters, so that NFC merges nothing.
LETTERS = st.text(st.characters(max_codepoint=0x2FF), max_size=6)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
) | LETTERS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LETTERS, inner, max_size=4),
    max_leaves=12,
)


def reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(item) for item in value] if isinstance(value, list) else value


def typed(value: Any) -> Any:
    """A value whose equality is that of JSON text: 1, 1.0, True and -0.0 all differ."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value).__name__, repr(value)


@given(VALUES)
def test_the_order_of_keys_changes_nothing(value: Any) -> None:
    assert digest(reversed_keys(value)) == digest(value)


@given(VALUES, VALUES)
def test_two_values_share_a_text_only_if_they_are_equal(left: Any, right: Any) -> None:
    assert (canonical(left) == canonical(right)) == (typed(left) == typed(right))


@given(st.dictionaries(LETTERS, VALUES, min_size=1, max_size=4), SCALARS, st.data())
def test_changing_any_one_value_changes_the_id(
    values: dict[str, Any], other: Any, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(values)))
    changed = values | {key: other}
    assert (digest(changed) == digest(values)) == (typed(other) == typed(values[key]))


@given(VALUES)
def test_the_text_is_json_that_reads_back(value: Any) -> None:
    assert typed(json.loads(canonical(value))) == typed(value)
    assert canonical(value).isascii()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([1.5], [1, 5]),
        ([1, 5], [15]),
        (["1", "5"], ["1,5"]),
        (1, 1.0),
        (1, True),
        (0, False),
        (None, "null"),
        ("1", 1),
        ([], {}),
        ([[]], []),
        ({"a": {"b": 1}}, {"a.b": 1}),
        ({"a": None}, {}),
    ],
)
def test_values_that_look_alike_do_not_collide(left: Any, right: Any) -> None:
    assert digest(left) != digest(right)


def test_a_tuple_is_a_list() -> None:
    assert canonical((1, (2, 3))) == "[1,[2,3]]"


def test_one_text_in_two_unicode_forms_is_one_value() -> None:
    assert canonical({"cafe\u0301": "e\u0301"}) == canonical({"caf\u00e9": "\u00e9"})


def test_two_keys_that_become_one_are_refused() -> None:
    with pytest.raises(StoreError, match="two Unicode forms"):
        canonical({"e\u0301": 1, "\u00e9": 2})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, math.nan]}, "value.a[1] is nan, not a finite number"),
        ({"a": {"b": math.inf}}, "value.a.b is inf, not a finite number"),
        ({"a": {1, 2}}, "value.a is a set, not a JSON value"),
        ({"a": b"x"}, "value.a is a bytes, not a JSON value"),
        ({"a": {1: 2}}, "value.a has the key 1, which is not text"),
    ],
)
def test_what_json_cannot_hold_is_refused_by_its_place(value: Any, message: str) -> None:
    with pytest.raises(StoreError) as caught:
        canonical(value)
    assert caught.value.message == message


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(StoreError, match="nested deeper than 100 levels"):
        canonical(loop)


def test_the_digest_is_a_prefix_of_sha256_and_never_changes() -> None:
    assert digest({}) == "44136fa355b3678a"
    assert digest({"k": 3, "use": "knn"}, length=64).startswith(digest({"use": "knn", "k": 3}))
    assert len(digest(0, length=64)) == 64


@given(VALUES)
def test_a_value_that_is_not_copied_has_the_text_that_its_copy_has(value: Any) -> None:
    """Most values are written as they are; a mapping of another type is always copied."""
    assert canonical({"in": value}) == canonical(MappingProxyType({"in": value}))


def test_text_beyond_ascii_is_taken_in_its_nfc_form_wherever_it_stands() -> None:
    two = "e\u0301", "\u00e9"
    for place in (lambda t: t, lambda t: {t: 1}, lambda t: [{"a": (t,)}]):
        assert len({canonical(place(text)) for text in two}) == 1


def test_a_key_that_is_no_text_is_refused_beside_those_that_are() -> None:
    for value in ({"a": 1, 2: 3}, {"a": [{None: 1}]}):
        with pytest.raises(StoreError, match="which is not text"):
            canonical(value)
