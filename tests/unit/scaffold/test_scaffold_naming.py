"""Names of a plugin: what is taken, what is mended, what follows."""

from __future__ import annotations

import keyword

import pytest

from adharness.errors import PluginError
from adharness.scaffold import KINDS, PluginName
from adharness.scaffold.naming import LONGEST


@pytest.mark.parametrize("typed", ["my-scorer", "adharness-my-scorer"])
def test_the_prefix_is_written_once_however_it_was_typed(typed):
    name = PluginName.parsed(typed)
    assert name.component == "my-scorer"
    assert name.distribution == "adharness-my-scorer"
    assert name.package == "adharness_my_scorer"


@pytest.mark.parametrize(
    ("typed", "kind", "expected"),
    [
        ("my-scorer", "scorer", "MyScorer"),
        ("knn", "scorer", "KnnScorer"),
        ("scorer", "scorer", "ScorerScorer"),  # `Scorer` is the role's own name
        ("my-scorer", "bank", "MyScorerBank"),
        ("tiles-3d", "dataset", "Tiles3dDataset"),
    ],
)
def test_a_class_has_the_words_and_the_kind(typed, kind, expected):
    assert PluginName.parsed(typed).class_name(kind) == expected


@pytest.mark.parametrize("word", [word.lower() for word in keyword.kwlist])
def test_no_keyword_of_python_makes_a_name_that_is_none(word):
    name = PluginName.parsed(word)
    for kind in KINDS:
        for made in (name.package, name.class_name(kind)):
            assert made.isidentifier()
            assert not keyword.iskeyword(made)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("My_Scorer", "my-scorer"),
        ("MyScorer", "my-scorer"),
        ("my scorer", "my-scorer"),
        ("my--scorer-", "my-scorer"),
        ("adharness_my_scorer", "my-scorer"),
        ("naïve", "naive"),
        ("3d-scorer", "d-scorer"),
        ("../up", "up"),
        ("a\nb", "a-b"),
        ("x" * 40, "x" * LONGEST),
        ("word-" * 8, "word-word-word-word-word"),
    ],
)
def test_a_bad_name_is_refused_with_the_nearest_good_one(typed, meant):
    with pytest.raises(PluginError, match="lower-case words of letters and digits") as refused:
        PluginName.parsed(typed)
    assert repr(typed) in refused.value.message
    assert refused.value.hint == f"did you mean '{meant}'?"
    assert PluginName.parsed(meant).component == meant


@pytest.mark.parametrize("typed", ["", "3", "---", "異常", "adharness-", "\ud800"])
def test_where_no_letter_can_be_kept_the_hint_has_an_example(typed):
    with pytest.raises(PluginError) as refused:
        PluginName.parsed(typed)
    assert refused.value.hint == "such as 'my-scorer'"
