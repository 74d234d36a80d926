from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adharness.errors import SuiteError
from adharness.suite.load import MAX_BYTES, load_suite

Write = Callable[[str], Path]


def refusal(path: Path) -> tuple[str, str | None, str | None]:
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    return caught.value.message, caught.value.where, caught.value.hint


def test_a_good_suite_loads_with_its_defaults(write_suite: Write, good_suite: str) -> None:
    document = load_suite(write_suite(good_suite)).document
    assert document.name == "toy"
    assert document.protocols == ("per-class",)
    assert document.seeds == (0,)
    assert [n.use for n in document.normalizers] == ["raw"]
    assert (document.split.policy, document.split.calibration.normal) == ("holdout", 0.2)
    assert document.methods[0].scorer.params == {"k": 3}


def test_every_key_and_item_has_its_line(write_suite: Write, good_suite: str) -> None:
    source = load_suite(write_suite(good_suite)).source
    assert source.where(("methods", 0, "scorer", "k")) == "x.yaml:13"
    assert source.where(("extractors", "net", "layers", 1)) == "x.yaml:6"
    assert source.where(("methods", 0, "scorer")) == "x.yaml:11"
    assert source.where(("methods", 1)) == "x.yaml:14"
    assert source.where(("methods", 1, "no", "such", "thing")) == "x.yaml:14"


def test_a_missing_file_names_the_close_ones(write_suite: Write, good_suite: str) -> None:
    write_suite(good_suite).rename("quickstart.yaml")
    assert refusal(Path("quickstrat.yaml")) == (
        "there is no such suite file",
        "quickstrat.yaml",
        "did you mean 'quickstart.yaml'?",
    )


def test_a_folder_is_refused_with_the_suites_inside(write_suite: Write, good_suite: str) -> None:
    write_suite(good_suite)
    assert refusal(Path()) == ("the suite is a folder", ".", "suites in '.': x.yaml")


def test_a_file_in_a_missing_folder_says_that_the_folder_is_missing(write_suite: Write) -> None:
    write_suite("")
    assert refusal(Path("nowhere/a.yaml"))[2] == "there is no folder 'nowhere' either"


def test_a_binary_file_is_refused(write_suite: Write) -> None:
    path = write_suite("")
    path.write_bytes(b"schema: 1\n\xff\xfe\x00")
    message, where, _ = refusal(path)
    assert message == "the suite is not text: byte 10 is no UTF-8"
    assert where == "x.yaml:2"


def test_control_characters_are_refused_at_their_line(write_suite: Write) -> None:
    message, where, _ = refusal(write_suite("schema: 1\nname: a\x00b\n"))
    assert message == "the suite is not YAML: special characters are not allowed (U+0000)"
    assert where == "x.yaml:2"


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n...\n"])
def test_an_empty_file_is_refused(write_suite: Write, text: str) -> None:
    assert refusal(write_suite(text))[0] == "the suite is empty"


@pytest.mark.parametrize(("text", "found"), [("- a\n- b\n", "a list"), ("hello\n", "one value")])
def test_a_file_that_is_no_mapping_is_refused(write_suite: Write, text: str, found: str) -> None:
    message, where, _ = refusal(write_suite(text))
    assert message == f"the suite is {found}, expected a mapping (key: value)"
    assert where == "x.yaml:1"


def test_broken_yaml_is_refused_at_its_line(write_suite: Write) -> None:
    message, where, _ = refusal(write_suite("name: a\ndata: [1, 2\nseeds: 3\n"))
    assert message.startswith("the suite is not YAML: ")
    assert where == "x.yaml:3"


def test_two_documents_in_one_file_are_refused(write_suite: Write) -> None:
    assert refusal(write_suite("name: a\n---\nname: b\n"))[0] == (
        "the suite is not YAML: but found another document"
    )


def test_a_repeated_key_is_refused_with_both_lines(write_suite: Write) -> None:
    text = "schema: 1\nsplit:\n  seed: 1\n  policy: holdout\n  seed: 2\n"
    assert refusal(write_suite(text)) == (
        "split.seed: the key is given twice",
        "x.yaml:5",
        "the first is on line 3; keep one of them",
    )


def test_the_billion_laughs_are_refused(write_suite: Write) -> None:
    laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    laughs += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    message, _, _ = refusal(write_suite("\n".join(laughs)))
    assert message == "the suite has more than 100000 values once its aliases are expanded"


def test_an_alias_that_holds_itself_is_refused(write_suite: Write) -> None:
    message, _, hint = refusal(write_suite("name: &a [*a]\n"))
    assert message == "the suite is nested deeper than 64 levels"
    assert hint is not None
    assert "alias" in hint


@pytest.mark.parametrize("opened", ["[", "{a: "])
def test_deep_nesting_is_refused(write_suite: Write, opened: str) -> None:
    assert refusal(write_suite(f"name: {opened * 5000}"))[0] == (
        "the suite is nested deeper than 64 levels"
    )


def test_a_harmless_alias_is_expanded(write_suite: Write, good_suite: str) -> None:
    text = good_suite.replace("{use: random, ratio: 0.5}", "&b {use: random, ratio: 0.5}")
    text += "normalizers:\n  - *b\n"
    assert load_suite(write_suite(text)).document.normalizers[0].params == {"ratio": 0.5}


def test_a_file_larger_than_a_mebibyte_is_refused(write_suite: Write) -> None:
    assert refusal(write_suite("#" * (MAX_BYTES + 1)))[0] == (
        "the suite is larger than 1048576 bytes"
    )


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("name: !!python/object:os.system x", "the tag '!!python/object:os.system' is not read"),
        ("name: !!str 1", "the tag '!!str' is not read"),
        ("a: {b: 1}\nc: {<<: {b: 1}}", "merge keys (<<) are not read"),
        ("? [a, b]\n: 1", "a key is a list or a mapping"),
        ("name: .nan", ".nan is not a finite number"),
        ("name: -.inf", "-.inf is not a finite number"),
        (r'name: "\ud800"', "half of a surrogate pair is no character"),
    ],
)
def test_yaml_beyond_plain_values_is_refused(write_suite: Write, text: str, fact: str) -> None:
    assert refusal(write_suite(text))[0] == fact


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("yes", "yes"),
        ("010", "010"),
        ("1e3", 1000.0),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("'3'", "3"),
        ("~", None),
        ("True", True),
        ("-7", -7),
        ("1.0", 1.0),
        ("1e999", "1e999"),
        ("1_000", "1_000"),
    ],
)
def test_scalars_are_read_as_json_would(
    write_suite: Write, good_suite: str, written: str, read: object
) -> None:
    path = write_suite(good_suite.replace("k: 3", f"k: {written}"))
    value = load_suite(path).document.methods[0].scorer.params["k"]
    assert value == read
    assert type(value) is type(read)
