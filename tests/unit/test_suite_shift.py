from __future__ import annotations

from pathlib import Path

import pytest

from adharness.corruptions import Shift
from adharness.errors import AdharnessError
from adharness.plan import expand
from adharness.registry import discover
from adharness.suite.bind import bind
from adharness.suite.load import load_suite

SUITE = """\
schema: 1
name: toy
data:
  - use: textures
    {shift}
extractors: {{px: {{use: pixel-patches}}}}
methods:
  - {{name: r, extractor: px, bank: {{use: all}}, scorer: {{use: random-scores}}}}
thresholders: [{{use: quantile}}]
"""


def written(folder: Path, shift: str) -> Path:
    path = folder / "x.yaml"
    path.write_text(SUITE.format(shift=shift))
    return path


def refusal(folder: Path, shift: str) -> tuple[str, str | None, str | None]:
    with pytest.raises(AdharnessError) as caught:
        load_suite(written(folder, shift))
    where = caught.value.where
    return caught.value.message, where and Path(where).name, caught.value.hint


@pytest.mark.parametrize(
    ("shift", "message", "where", "hint"),
    [
        (
            "shift: {corruptions: [noise, blurr]}",
            "data[0].shift.corruptions[1]: unknown corruption 'blurr'",
            "x.yaml:5",
            "did you mean 'blur'?",
        ),
        (
            "shift: {corruptions: [noise], severity: 6}",
            "data[0].shift.severity: expected at most 5, got 6",
            "x.yaml:5",
            None,
        ),
        (
            "shift: {corruptions: [{use: noise, severity: 0}]}",
            "data[0].shift.corruptions[0].severity: expected at least 1, got 0",
            "x.yaml:5",
            None,
        ),
        (
            "shift: {corruptions: [noise], severity: 2.5}",
            "data[0].shift.severity: expected an integer, got 2.5",
            "x.yaml:5",
            None,
        ),
        (
            "shift: {corruptions: []}",
            "data[0].shift.corruptions: expected at least 1 item(s), got []",
            "x.yaml:5",
            None,
        ),
        (
            "shift: {corruptions: [noise], seed: -1}",
            "data[0].shift.seed: expected at least 0, got -1",
            "x.yaml:5",
            None,
        ),
        (
            "shift: {severity: 3}",
            "data[0].shift.corruptions: the key is missing",
            "x.yaml:5",
            "add `corruptions:` here",
        ),
        (
            "shift: {corruptions: [noise], shift: {corruptions: [blur]}}",
            "data[0].shift.shift: unknown key",
            "x.yaml:5",
            "the keys here are: corruptions, severity, seed",
        ),
        (
            "shift: {corruptions: [noise, {use: noise, severity: 3}]}",
            "data[0].shift.corruptions[1]: noise at severity 3 is given twice",
            "x.yaml:5",
            None,
        ),
        (
            "shift: {corruptions: [noise]}\n  - {use: textures, name: textures+noise-3}",
            "data[0].shift: 'textures+noise-3' is already the name of data[1]",
            "x.yaml:5",
            "give data[1] another `name:`",
        ),
        (
            "name: a\n  - {use: shift, of: {use: textures}}",
            "data[1].use: a shift is no data set of its own",
            "x.yaml:6",
            "write `shift: {corruptions: [noise, blur]}` beside the `use:` of the clean set",
        ),
    ],
    ids=[
        *("unknown", "too-strong", "too-mild", "fraction", "none", "seed", "missing", "of-a-shift"),
        *("twice", "name-taken", "as-a-set"),
    ],
)
def test_a_mistake_names_its_place_and_its_cure(tmp_path, shift, message, where, hint):
    said = refusal(tmp_path, shift)
    assert said[:2] == (message, where)
    if hint:
        assert said[2] is not None
        assert hint in said[2]


def test_a_shift_becomes_data_sets_beside_the_clean_one(tmp_path):
    shift = "shift: {corruptions: [noise, {use: blur, severity: 5}], severity: 2, seed: 7}"
    suite = bind(load_suite(written(tmp_path, shift)), discover())
    assert [(one.name, one.shift, one.clean.name) for one in suite.data] == [
        ("textures", None, "textures"),
        ("textures+noise-2", Shift("noise", 2, 7), "textures"),
        ("textures+blur-5", Shift("blur", 5, 7), "textures"),
    ]
    assert {id(one.bound) for one in suite.data} == {id(suite.data[0].bound)}


def test_cells_of_a_set_and_its_shifts_share_their_fits(tmp_path):
    shift = "shift: {corruptions: [noise, blur]}\n  - {use: textures, name: other}"
    plan = expand(bind(load_suite(written(tmp_path, shift)), discover()))
    assert plan.fits() == (0, 2)
    families = [[group[0].dataset.name for group in family] for family in plan.by_models()]
    assert families == [["textures", "textures+noise-3", "textures+blur-3"], ["other"]]
