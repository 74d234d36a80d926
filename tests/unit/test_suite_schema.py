from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adharness.errors import SuiteError
from adharness.suite.load import load_suite

Write = Callable[[str], Path]
Lines = tuple[str, str | None, str | None]


def refusal(path: Path) -> Lines:
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    return caught.value.message, caught.value.where, caught.value.hint


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (
            "    extractor: net\n    bank: {use: grid}",
            "    extractr: net\n    bank: {use: grid}",
            (
                "methods[1].extractr: unknown key",
                "x.yaml:15",
                "did you mean 'extractor'?",
            ),
        ),
        (
            "thresholders:",
            "treshholders:",
            ("treshholders: unknown key", "x.yaml:18", "did you mean 'thresholders'?"),
        ),
        (
            "thresholders:",
            "split: {calibration: {nromal: 0.1}}\nthresholders:",
            (
                "split.calibration.nromal: unknown key",
                "x.yaml:18",
                "did you mean 'normal'?",
            ),
        ),
        ("name: toy\n", "", ("name: the key is missing", "x.yaml:1", "add `name:` here")),
        (
            "name: toy",
            "name: ../toy",
            (
                "name: expected text that matches ^[a-z0-9][a-z0-9_-]*$, got '../toy'",
                "x.yaml:2",
                None,
            ),
        ),
        (
            "schema: 1",
            "schema: true",
            ("schema: expected an integer, got true", "x.yaml:1", None),
        ),
        (
            "schema: 1",
            "schema: 2",
            ("schema: this version reads schema 1, got 2", "x.yaml:1", None),
        ),
        (
            "thresholders:",
            "seeds: [1, '2']\nthresholders:",
            ("seeds[1]: expected an integer, got '2'", "x.yaml:18", "remove the quotes: 2"),
        ),
        (
            "thresholders:",
            "seeds: [true]\nthresholders:",
            ("seeds[0]: expected an integer, got true", "x.yaml:18", None),
        ),
        (
            "thresholders:",
            "seeds: [1.0]\nthresholders:",
            ("seeds[0]: expected an integer, got 1.0", "x.yaml:18", "write 1"),
        ),
        (
            "thresholders:",
            "seeds: [-1]\nthresholders:",
            ("seeds[0]: expected at least 0, got -1", "x.yaml:18", None),
        ),
        (
            "thresholders:",
            "seeds: []\nthresholders:",
            ("seeds: expected at least 1 item(s), got []", "x.yaml:18", None),
        ),
        (
            "thresholders:",
            "protocols: []\nthresholders:",
            ("protocols: expected at least 1 item(s), got []", "x.yaml:18", None),
        ),
        (
            "thresholders:",
            "protocols: [per-clas]\nthresholders:",
            (
                "protocols[0]: unknown protocol 'per-clas'",
                "x.yaml:18",
                "did you mean 'per-class'?",
            ),
        ),
        (
            "thresholders:",
            "split:\n  calibration:\n    normal: 1.0\nthresholders:",
            ("split.calibration.normal: expected less than 1.0, got 1.0", "x.yaml:20", None),
        ),
        (
            "thresholders:",
            "split: {policy: random}\nthresholders:",
            (
                "split.policy: expected 'holdout', 'official', 'study', 'k-fold' or 'file', "
                "got 'random'",
                "x.yaml:18",
                None,
            ),
        ),
        (
            "  - use: toy-set",
            "  - use: toy-set\n    classes: []",
            ("data[0].classes: expected at least 1 item(s), got []", "x.yaml:5", None),
        ),
        (
            "  - use: toy-set",
            "  - use: toy-set\n    classes: [01, 2]",
            ("data[0].classes[1]: expected text, got 2", "x.yaml:5", 'quote it: "2"'),
        ),
        (
            "  - use: toy-set",
            "  - use: toy-set\n  - use: toy-set\n",
            (
                "data[1].name: 'toy-set' is given twice",
                "x.yaml:5",
                "see x.yaml:4; give one of them another `name:`",
            ),
        ),
        (
            "name: padim",
            "name: knn",
            (
                "methods[1].name: 'knn' is given twice",
                "x.yaml:14",
                "see x.yaml:8; give one of them another `name:`",
            ),
        ),
        (
            "    extractor: net\n    bank: {use: grid}",
            "    extractor: nett\n    bank: {use: grid}",
            (
                "methods[1].extractor: no extractor is declared as 'nett'",
                "x.yaml:15",
                "did you mean 'net'?",
            ),
        ),
        (
            "thresholders:",
            "metrics: [image_auroc, image_auc]\nthresholders:",
            ("metrics[1]: unknown metric 'image_auc'", "x.yaml:18", "did you mean 'image_auroc'?"),
        ),
        (
            "thresholders:",
            "metrics: [image_ap, image_ap]\nthresholders:",
            ("metrics[1]: 'image_ap' is given twice", "x.yaml:18", "see x.yaml:18; keep one"),
        ),
        (
            "bank: {use: grid}",
            "bank: grid",
            ("methods[1].bank: expected a mapping (key: value), got 'grid'", "x.yaml:16", None),
        ),
        (
            "thresholders:",
            "on_error: ignore\nthresholders:",
            ("on_error: expected 'fail' or 'skip', got 'ignore'", "x.yaml:18", None),
        ),
    ],
)
def test_a_mistake_is_told_in_three_lines(
    write_suite: Write, good_suite: str, old: str, new: str, lines: Lines
) -> None:
    assert old in good_suite
    message, where, hint = refusal(write_suite(good_suite.replace(old, new, 1)))
    assert (message, where) == lines[:2]
    assert (hint or "").startswith(lines[2] or "")
    assert (hint is None) == (lines[2] is None)


def test_an_extractor_name_given_twice_is_a_repeated_key(
    write_suite: Write, good_suite: str
) -> None:
    text = good_suite.replace("extractors:\n", "extractors:\n  net: {use: net}\n")
    assert refusal(write_suite(text))[0] == "extractors.net: the key is given twice"


def test_several_mistakes_are_told_at_once_in_the_order_of_lines(
    write_suite: Write, good_suite: str
) -> None:
    text = good_suite.replace("name: toy", "name: 7").replace("f1}]", "f1}]\nseed: 3\nmaps: 3")
    message, where, hint = refusal(write_suite(text))
    assert (message, where) == ("name: expected text, got 7", "x.yaml:2")
    assert hint == (
        'quote it: "7"\n'
        "       2 more:\n"
        "       x.yaml:19: seed: unknown key (did you mean 'seeds'?)\n"
        "       x.yaml:20: maps: expected a mapping (key: value), got 3"
    )


def test_an_error_prints_as_three_lines(write_suite: Write, good_suite: str) -> None:
    with pytest.raises(SuiteError) as caught:
        load_suite(write_suite(good_suite.replace("thresholders", "thresholder")))
    assert str(caught.value) == (
        "thresholder: unknown key\nwhere: x.yaml:18\nhint: did you mean 'thresholders'?"
    )


@pytest.mark.parametrize(
    ("sweep", "fact"),
    [
        ("{ratio: [1]}", "methods[1].sweep.ratio: 'ratio' cannot be swept"),
        ("{bank.use: [a]}", "methods[1].sweep.bank.use: 'bank.use' cannot be swept"),
        ("{bank.a: 3}", "methods[1].sweep.bank.a: expected a list, got 3"),
        ("{bank.a: []}", "methods[1].sweep.bank.a: expected at least 1 item(s), got []"),
        ("{bank.a: [1, 1]}", "methods[1].sweep.bank.a[1]: 1 is given twice"),
    ],
)
def test_a_sweep_that_is_none_is_refused(
    write_suite: Write, good_suite: str, sweep: str, fact: str
) -> None:
    text = good_suite.replace("bank: {use: grid}", f"bank: {{use: grid}}\n    sweep: {sweep}")
    message, where, _ = refusal(write_suite(text))
    assert (message, where) == (fact, "x.yaml:17")


def test_a_parameter_both_set_and_swept_is_refused(write_suite: Write, good_suite: str) -> None:
    text = good_suite.replace("      k: 3", "      k: 3\n    sweep: {scorer.k: [1, 2]}")
    message, where, hint = refusal(write_suite(text))
    assert message == "methods[0].sweep.scorer.k: scorer.k is set and swept at once"
    assert where == "x.yaml:14"
    assert hint == "remove `k:` from `scorer:` or `scorer.k:` from `sweep:`"


@pytest.mark.parametrize(
    ("split", "lines"),
    [
        (
            "split:\n  policy: official\n  seed: 3\n",
            ("split.seed: means nothing to policy official", "x.yaml:20", "it reads no other key"),
        ),
        (
            "split:\n  policy: study\n  calibration:\n    normal: 0.1\n",
            ("split.calibration: means nothing to policy study", "x.yaml:20", "it reads seed"),
        ),
        (
            "split:\n  policy: k-fold\n  calibration:\n    normal: 0.1\n",
            (
                "split.calibration.normal: means nothing to policy k-fold",
                "x.yaml:21",
                "it reads calibration.anomalous, folds, fold, seed",
            ),
        ),
        (
            "split:\n  policy: k-fold\n  folds: 4\n  fold: 4\n",
            ("split.fold: expected a fold from 0 to 3, got 4", "x.yaml:21", None),
        ),
        (
            "split:\n  folds: 4\n",
            (
                "split.folds: means nothing to policy holdout",
                "x.yaml:19",
                "it reads calibration.normal, calibration.anomalous, seed",
            ),
        ),
        (
            "split: {policy: file}\n",
            ("split: policy file needs a path", "x.yaml:18", "add `path: clean_splits.json` here"),
        ),
        (
            "split: {policy: file, path: 3}\n",
            ("split.path: expected text, got 3", "x.yaml:18", 'quote it: "3"'),
        ),
    ],
)
def test_a_split_key_that_would_not_be_read_is_refused_where_it_stands(
    write_suite: Write, good_suite: str, split: str, lines: Lines
) -> None:
    text = good_suite.replace("thresholders:", split + "thresholders:")
    assert refusal(write_suite(text)) == lines


@pytest.mark.parametrize(
    ("split", "told"),
    [
        ("", {"policy": "holdout", "calibration": {"normal": 0.2, "anomalous": 0.3}, "seed": 42}),
        ("split: {policy: official}", {"policy": "official"}),
        ("split: {policy: study}", {"policy": "study", "seed": 42}),
        ("split: {policy: file, path: a/b.json}", {"policy": "file", "path": "a/b.json"}),
        (
            "split: {policy: k-fold, fold: 2, calibration: {anomalous: 0}}",
            {
                "policy": "k-fold",
                "folds": 5,
                "fold": 2,
                "calibration": {"anomalous": 0.0},
                "seed": 42,
            },
        ),
    ],
)
def test_a_split_tells_what_it_reads_and_no_more(
    write_suite: Write, good_suite: str, split: str, told: dict[str, object]
) -> None:
    assert load_suite(write_suite(f"{good_suite}{split}\n")).document.split.told() == told
