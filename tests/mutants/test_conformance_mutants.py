"""Wrong data sets, extractors, banks, normalizers and thresholders: each is told its fault."""

from __future__ import annotations

from typing import Any

import pytest

import wrong_kinds as wrong
from adharness.testing import checks_of
from wrong_kinds import SPECS, record


def made(kind: str, component: Any, **said: Any) -> Any:
    if kind == "bank":
        said.setdefault("emits", "bag")
    return record(SPECS[kind], component, **said)


RIGHT = {
    "dataset": made("dataset", wrong.Pictures),
    "extractor": made("extractor", wrong.Colours),
    "bank": made("bank", wrong.Half),
    "normalizer": made("normalizer", wrong.Centred, keeps_class_order=True),
    "thresholder": made("thresholder", wrong.Highest, levels=("image", "pixel")),
}
MUTANTS: dict[str, tuple[Any, set[str]]] = {
    # data sets
    "samples come in another order each time": (
        made("dataset", wrong.Shuffled),
        {"lists-samples-in-a-fixed-order"},
    ),
    "it trains on defects": (made("dataset", wrong.TrainsOnBad), {"trains-on-normal-images"}),
    "grey images have one channel": (made("dataset", wrong.Grey), {"gives-colour-images"}),
    "a mask is turned": (made("dataset", wrong.Transposed), {"masks-fit-their-images"}),
    "a fingerprint is made of the folder": (
        made("dataset", wrong.HashesNames),
        {"fingerprints-tell-contents"},
    ),
    "a missing image is a KeyError": (
        made("dataset", wrong.RaisesKeyError),
        {"names-what-it-cannot-read"},
    ),
    "sizes are told width first": (made("dataset", wrong.Sized), {"sizes-are-those-of-images"}),
    # extractors
    "features are centred by the batch": (
        made("extractor", wrong.Whitened),
        {"extracts-each-image-alone"},
    ),
    "a black image is divided by zero": (
        made("extractor", wrong.Normed),
        {"gives-finite-features"},
    ),
    "images of any size are taken": (
        made("extractor", wrong.Tolerant),
        {"refuses-other-images"},
    ),
    "each extractor has a fingerprint of its own": (
        made("extractor", wrong.NamedByInstance),
        {"fingerprint-stays"},
    ),
    "what it chose is no parameter of its own": (
        made("extractor", wrong.Undecided),
        {"makes-its-choice-known"},
    ),
    "a call is more than it says": (
        made("extractor", wrong.Miscounting),
        {"computes-as-many-as-it-says"},
    ),
    "all images look alike": (made("extractor", wrong.Blind), {"tells-images-apart"}),
    "features of anything are made up": (
        made("extractor", wrong.Inventing, imported=True),
        {"invents-nothing"},
    ),
    "a name is told to one that says nothing of it": (
        made("extractor", wrong.Told),
        {"is-told-no-name"},
    ),
    "a score made elsewhere is infinite": (
        made("scorer", wrong.Infinite, needs="nothing", imported=True),
        {"has-what-is-finite"},
    ),
    # banks
    "all patches are held at once": (made("bank", wrong.AllAtOnce), {"reads-lazily"}),
    "rows are of the next image": (made("bank", wrong.OffByOne), {"names-the-image-of-each-row"}),
    "rows in float64": (made("bank", wrong.Doubles), {"emits-what-its-record-says"}),
    "the last training set is remembered too": (
        made("bank", wrong.Growing),
        {"reductions-are-independent"},
    ),
    "it should know classes, and goes on without": (
        made("bank", wrong.Half, needs_class=lambda _: True),
        {"refuses-hidden-classes"},
    ),
    # normalizers
    "scores are centred by the images shown together": (
        made("normalizer", wrong.BatchCentred),
        {"rescales-each-image-alone"},
    ),
    "what lies beyond calibration is cut off": (
        made("normalizer", wrong.Clipped),
        {"higher-stays-higher"},
    ),
    "a class does not keep its order": (
        made(
            "normalizer",
            wrong.ByEmbedding,
            keeps_class_order=True,
            needs_embedding=lambda _: True,
        ),
        {"keeps-the-order-of-a-class"},
    ),
    "it says it needs embeddings, and takes images without": (
        made("normalizer", wrong.Centred, needs_embedding=lambda _: True),
        {"refuses-missing-embeddings"},
    ),
    "it leaves scores out that are no numbers": (
        made("normalizer", wrong.Trusting),
        {"refuses-what-is-not-finite"},
    ),
    "the last images of calibration decide": (
        made("normalizer", wrong.LastFirst),
        {"order-of-images-changes-nothing"},
    ),
    # thresholders
    "a margin has a unit": (made("thresholder", wrong.Absolute), {"moves-with-the-scores"}),
    "most normal images are flagged": (
        made("thresholder", wrong.Lowest),
        {"lets-most-normal-images-pass"},
    ),
    "it promises more than images can keep": (
        made("thresholder", wrong.Boasting),
        {"keeps-its-promise"},
    ),
    "of one image it says nothing": (
        made("thresholder", wrong.Quiet),
        {"says-where-images-are-few"},
    ),
    "labels are asked for and not read": (
        made("thresholder", wrong.Unlabelled, needs_labels=True),
        {"uses-the-labels-it-asks-for"},
    ),
    "the first images of calibration decide": (
        made("thresholder", wrong.First),
        {"order-of-images-changes-nothing"},
    ),
    "it remembers earlier calibration": (
        made("thresholder", wrong.Learning),
        {"choices-are-independent"},
    ),
    "it counts pixels for images": (
        made("thresholder", wrong.CountsPixels, levels=("pixel",)),
        {"counts-its-images"},
    ),
    "all maps are held at once": (
        made("thresholder", wrong.Stacks, levels=("pixel",)),
        {"holds-one-map-at-a-time"},
    ),
    "a batch of another size is counted": (
        made("thresholder", wrong.Uncounted, batch=True),
        {"decides-over-the-whole-batch"},
    ),
}
"""What is wrong, the component, and the checks that must say so."""


def failing(spec: Any) -> dict[str, str]:
    trials = [t for t in checks_of(spec) if t.check.clause != "A2"]  # each takes a second
    told = [trial.outcome() for trial in trials]
    return {outcome.check: outcome.reason for outcome in told if outcome.status == "failed"}


@pytest.mark.parametrize("kind", RIGHT)
def test_a_component_that_is_right_keeps_every_clause(kind: str) -> None:
    assert failing(RIGHT[kind]) == {}


@pytest.mark.parametrize("fault", MUTANTS, ids=str)
def test_a_wrong_component_is_rejected_by_the_check_that_names_its_fault_and_no_other(
    fault: str,
) -> None:
    spec, named = MUTANTS[fault]
    assert set(failing(spec)) == named


def test_there_are_two_wrong_components_of_each_kind_at_least() -> None:
    kinds = [spec.kind for spec, _ in MUTANTS.values()]
    assert all(kinds.count(kind) >= 2 for kind in RIGHT)
