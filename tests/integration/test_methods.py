"""What a method declares besides its scorer: how an image is scored, what is remembered."""

from __future__ import annotations

from typing import Any

import pytest

from adharness.engine.events import StepDone, StepProgress

PROTOCOLS = ["per-class", "absolute-unified"]


def method(name: str, bank: dict[str, Any], **changes: Any) -> dict[str, Any]:
    scorer = changes.pop("scorer", {"use": "knn-faiss"})
    return {"name": name, "extractor": "px", "bank": bank, "scorer": scorer, **changes}


def small(*methods: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "methods": list(methods),
        "normalizers": [{"use": "raw"}],
        "thresholders": [{"use": "f1"}],
        "protocols": PROTOCOLS,
        **changes,
    }


RANDOM = {"use": "random", "ratio": 0.5}


def test_methods_that_differ_in_the_image_score_share_one_fit_and_the_board_tells_them_apart(bench):
    rules: dict[str, Any] = {
        "own": {},
        "top": {"image_score": {"use": "top", "ratio": 0.05}},
        "pooled": {"image_score": {"use": "pooled", "side_px": 4}, "upsample": "nearest"},
    }
    methods = [method(name, RANDOM, maps=maps) for name, maps in rules.items()]
    _, cells = bench.run(**small(*methods, protocols=["per-class"]))
    assert [c.image_score for c in cells] == [
        "max of patches", "mean of top 5 % of patches", "max of 4 x 4 px means"
    ]  # fmt: skip
    assert len({tuple(c.scorings) for c in cells}) == 1
    macro = [next(r for r in c.rows if r.class_name == "macro") for c in cells]
    assert len({row.metrics["image_auroc"].value for row in macro}) > 1
    reused = [e for e in bench.events if isinstance(e, StepDone) and e.stage == "fit and score"]
    assert sum(e.reused for e in reused) == 2 * len(reused) / 3


def test_a_rule_can_be_swept_and_a_wrong_one_is_named_by_line(bench, capsys):
    rules = ["scorer", {"use": "top", "ratio": 0.5}]
    swept = method("knn", RANDOM, sweep={"maps.image_score": rules})
    _, cells = bench.run(**small(swept, protocols=["per-class"]))
    assert {c.image_score for c in cells} == {"max of patches", "mean of top 50 % of patches"}
    wrong = method("knn", RANDOM, maps={"image_score": {"use": "max", "ratio": 0.5}})
    assert bench.cli(**small(wrong)) == 2
    said = capsys.readouterr().err
    assert "ratio means nothing to image_score max" in said
    assert "tiny.yaml:" in said


def test_a_bank_that_is_told_hidden_classes_is_marked_as_an_upper_bound(bench):
    balanced = method("balanced", {**RANDOM, "balance": "class"})
    _, cells = bench.run(**small(method("plain", RANDOM), balanced))
    marked = {(c.method, c.protocol): c.class_oracle for c in cells}
    assert marked == {
        ("plain", "per-class"): False,
        ("plain", "absolute-unified"): False,
        ("balanced", "per-class"): False,
        ("balanced", "absolute-unified"): True,
    }


def test_turned_references_are_extracted_once_and_told_as_they_come(bench):
    shots = {"use": "all", "shots": 2, "draw": "block", "rotations": 4}
    plain = {**shots, "rotations": 1}
    suite = small(method("turned", shots), method("plain", plain), protocols=["absolute-unified"])
    _, cells = bench.run(**suite)
    assert [c.costs.bank_rows for c in cells] == [4 * 2 * 64, 2 * 64]
    turned = [e for e in bench.events if isinstance(e, StepProgress)]
    assert {e.unit for e in turned} == {f"images turned by {d} degrees" for d in (90, 180, 270)}
    assert all(e.total == 2 for e in turned)
    shards = sorted((bench.cache / "features").glob("*/entry.json"))
    bench.run(**suite, out="again")
    assert sorted((bench.cache / "features").glob("*/entry.json")) == shards


@pytest.mark.parametrize("key", ["extractor.resize", "maps", "maps.use"])
def test_what_cannot_be_swept_is_refused(bench, capsys, key):
    assert bench.cli(**small(method("knn", RANDOM, sweep={key: [1, 2]}))) == 2
    assert "cannot be swept" in capsys.readouterr().err
