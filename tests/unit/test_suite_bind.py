from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adharness.errors import PluginError, SuiteError
from adharness.suite.bind import BoundSuite, Overrides, bind
from adharness.suite.load import load_suite

Write = Callable[[str], Path]
Bind = Callable[..., BoundSuite]


@pytest.fixture
def bound(write_suite: Write, good_suite: str, toy_registry: Any) -> Bind:
    """Binds the good suite after replacements of its text."""

    def bound(*changes: tuple[str, str], overrides: Overrides | None = None) -> BoundSuite:
        text = good_suite
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        return bind(load_suite(write_suite(text)), toy_registry, overrides or Overrides())

    return bound


def refusal(bound: Bind, *changes: tuple[str, str]) -> tuple[str, str | None, str | None]:
    with pytest.raises(SuiteError) as caught:
        bound(*changes)
    return caught.value.message, caught.value.where, caught.value.hint


def test_a_good_suite_binds_with_all_defaults_filled_in(bound: Bind) -> None:
    suite = bound()
    knn, padim = suite.methods
    assert knn.extractor.params.identity() == {
        "resize": [256, 256],
        "model": "small",
        "layers": [1, 2],
        "size": 256,
    }
    assert knn.scorer.identity() == {
        "use": "toys/knn",
        "params": {"k": 3, "metric": "euclidean", "exact": True},
    }
    assert padim.bank.name == "grid"
    assert [d.name for d in suite.data] == ["toy-set"]
    assert suite.data[0].classes is None
    assert suite.text.startswith("schema: 1\n")


def test_making_a_component_hands_it_its_parameters(bound: Bind) -> None:
    assert bound().methods[0].scorer.make() == bound().methods[0].scorer.params


def test_a_data_set_has_the_boards_name_and_its_classes(bound: Bind) -> None:
    change = ("- use: toy-set", "- {use: toy-set, name: toys, classes: [a, b], seed: 4}")
    (dataset,) = bound(change).data
    assert (dataset.name, dataset.classes) == ("toys", ("a", "b"))
    assert dataset.bound.params.identity() == {"seed": 4}


def test_a_reader_that_takes_classes_is_told_them(bound: Bind) -> None:
    (dataset,) = bound(("- use: toy-set", "- {use: other-set, classes: [a]}")).data
    assert dataset.classes == ("a",)
    assert dataset.bound.params.identity()["classes"] == ["a"]


@pytest.mark.parametrize(
    ("value", "fact", "hint"),
    [
        ("three", "expected an integer, got 'three'", None),
        ("'3'", "expected an integer, got '3'", "remove the quotes: 3"),
        ("1.0", "expected an integer, got 1.0", "write 1"),
        ("true", "expected an integer, got true", None),
        ("~", "expected an integer, got null", None),
        ("[1]", "expected an integer, got [1]", None),
        ("0", "expected more than 0, got 0", None),
    ],
)
def test_a_wrong_parameter_is_told_at_its_line(
    bound: Bind, value: str, fact: str, hint: str | None
) -> None:
    found = refusal(bound, ("k: 3", f"k: {value}"))
    assert found == (f"methods[0].scorer.k: {fact}", "x.yaml:13", hint)


def test_an_unknown_parameter_names_the_nearest(bound: Bind) -> None:
    assert refusal(bound, ("k: 3", "metrik: cosine")) == (
        "methods[0].scorer.metrik: unknown key",
        "x.yaml:13",
        "did you mean 'metric'?",
    )


def test_a_boolean_is_no_text_and_no_number(bound: Bind) -> None:
    assert refusal(bound, ("ratio: 0.5", "ratio: true"))[0] == (
        "methods[0].bank.ratio: expected a number, got true"
    )
    assert refusal(bound, ("k: 3", "exact: 1"))[0] == (
        "methods[0].scorer.exact: expected true or false, got 1"
    )


def test_an_item_of_a_list_is_named_by_its_position(bound: Bind) -> None:
    assert refusal(bound, ("layers: [1, 2]", "layers: [1, two]"))[:2] == (
        "extractors.net.layers[1]: expected an integer, got 'two'",
        "x.yaml:6",
    )


def test_a_union_is_told_as_one_mistake(bound: Bind) -> None:
    assert refusal(bound, ("layers: [1, 2]", "size: big"))[0] == (
        "extractors.net.size: expected an integer or a list, got 'big'"
    )


@pytest.mark.parametrize("written", ["[64, 32]", "64"])
def test_a_field_with_its_own_validator_still_takes_a_list(bound: Bind, written: str) -> None:
    params = bound(("layers: [1, 2]", f"resize: {written}")).methods[0].extractor.params
    assert params.resize == ((64, 32) if "[" in written else (64, 64))  # type: ignore[attr-defined]


@pytest.mark.parametrize("written", ["[64.0, 32]", "[64, '32']", "[true, 1]", "'64'", "[64]"])
def test_a_field_with_its_own_validator_still_coerces_nothing(bound: Bind, written: str) -> None:
    message, where, _ = refusal(bound, ("layers: [1, 2]", f"resize: {written}"))
    assert message.startswith("extractors.net.resize")
    assert where == "x.yaml:6"


def test_an_unknown_component_is_told_at_the_line_of_its_use(bound: Bind) -> None:
    assert refusal(bound, ("use: knn\n", "use: knm\n")) == (
        "methods[0].scorer.use: unknown scorer 'knm'",
        "x.yaml:12",
        "install it",
    )


def test_a_scorer_that_cannot_fit_on_what_its_bank_emits_is_refused(bound: Bind) -> None:
    change = ("bank: {use: grid}", "bank: {use: coreset}")
    assert refusal(bound, change) == (
        "methods[1].bank.use: bank 'coreset' emits bag, scorer 'padim' needs grid",
        "x.yaml:16",
        "banks that fit 'padim': grid",
    )


def test_a_threshold_from_labels_needs_anomalous_calibration_images(bound: Bind) -> None:
    change = ("schema: 1", "schema: 1\nsplit: {calibration: {anomalous: 0}}")
    assert refusal(bound, change) == (
        "thresholders[0].use: thresholder 'f1' needs anomalous calibration images, "
        "but split.calibration.anomalous is 0",
        "x.yaml:19",
        "set split.calibration.anomalous above 0, or use one that needs none: quantile",
    )
    assert bound(change, ("use: f1", "use: quantile")).thresholders[0].name == "quantile"


def test_a_quantile_needs_normal_calibration_images(bound: Bind) -> None:
    split = ("schema: 1", "schema: 1\nsplit: {calibration: {normal: 0}}")
    assert refusal(bound, split, ("use: f1", "use: quantile")) == (
        "thresholders[0].use: thresholder 'quantile' needs normal calibration images, "
        "but split.calibration.normal is 0",
        "x.yaml:19",
        "set split.calibration.normal above 0, such as 0.2",
    )


def test_the_official_split_has_no_anomalous_calibration_images(bound: Bind) -> None:
    split = ("schema: 1", "schema: 1\nsplit: {policy: official}")
    message, _, hint = refusal(bound, split)
    assert message.endswith("but split.policy is official, which holds out no anomalous ones")
    assert hint == "set split.policy to holdout, or use one that needs none: quantile"
    assert bound(split, ("use: f1", "use: quantile")).split.policy == "official"


def test_one_component_with_two_settings_gets_two_names(bound: Bind) -> None:
    suite = bound(("{use: f1}", "{use: quantile, q: 0.9}, {use: quantile}, {use: f1}"))
    assert [t.name for t in suite.thresholders] == ["quantile[q=0.9]", "quantile", "f1"]


def test_one_component_twice_with_equal_parameters_is_refused(bound: Bind) -> None:
    change = ("{use: f1}", "{use: quantile, q: 0.95}, {use: quantile}")
    message, where, _ = refusal(bound, change)
    assert message == "thresholders[1]: 'quantile' is given twice with equal parameters"
    assert where == "x.yaml:18"


def test_all_mistakes_of_a_suite_are_told_at_once(bound: Bind) -> None:
    message, where, hint = refusal(bound, ("k: 3", "k: x"), ("layers: [1, 2]", "layer: 1"))
    assert (message, where) == ("extractors.net.layer: unknown key", "x.yaml:6")
    assert hint is not None
    assert "x.yaml:13: methods[0].scorer.k: expected an integer, got 'x'" in hint


def test_a_broken_plugin_stays_a_plugin_error(
    write_suite: Write, good_suite: str, toy_registry: Any
) -> None:
    class Broken:
        of_kind = toy_registry.of_kind

        def find(self, kind: str, name: str, *, where: str, field: str) -> object:
            if name == "net":
                raise PluginError(f"{field}: could not be loaded", where=where)
            return toy_registry.find(kind, name, where=where, field=field)

    with pytest.raises(PluginError, match=r"extractors\.net\.use: could not be loaded"):
        bind(load_suite(write_suite(good_suite)), Broken())  # type: ignore[arg-type]


def test_the_roots_win_in_the_documented_order(bound: Bind, tmp_path: Path) -> None:
    change = ("- use: toy-set", "- {use: toy-set, root: from-suite}")

    def root(**roots: Path) -> object:
        return bound(change, overrides=Overrides(**roots)).data[0].bound.params.root  # type: ignore[attr-defined,arg-type]

    flag, environment = tmp_path / "flag", tmp_path / "environment"
    assert root() == Path("from-suite")
    assert root(environment_root=environment) == environment
    assert root(environment_root=environment, data_root=flag) == flag


def test_a_data_sets_own_folder_under_the_root_is_found(bound: Bind, tmp_path: Path) -> None:
    def root() -> object:
        return bound(overrides=Overrides(data_root=tmp_path)).data[0].bound.params.root  # type: ignore[attr-defined]

    assert root() == tmp_path
    (tmp_path / "toy-set").mkdir()
    assert root() == tmp_path / "toy-set"
    (tmp_path / "toy_set").mkdir()
    assert root() == tmp_path / "toy_set"


def test_overrides_fill_only_settings_and_never_the_identity(bound: Bind, tmp_path: Path) -> None:
    overrides = Overrides(data_root=tmp_path, device="cuda:1")
    suite, plain = bound(overrides=overrides), bound()
    assert suite.methods[0].extractor.params.device == "cuda:1"  # type: ignore[attr-defined]
    assert suite.methods[0].extractor.identity() == plain.methods[0].extractor.identity()
    assert suite.data[0].bound.identity() == plain.data[0].bound.identity()
    assert suite.methods[0].scorer == plain.methods[0].scorer


def test_a_field_that_is_no_setting_is_left_alone(bound: Bind) -> None:
    overrides = Overrides(device="cuda")
    (dataset,) = bound(("use: toy-set", "use: other-set"), overrides=overrides).data
    assert dataset.bound.params.identity()["device"] == "a camera, and so no setting"


def test_a_sweep_makes_one_method_for_each_combination(bound: Bind) -> None:
    sweep = "sweep:\n      scorer.metric: [cosine, euclidean]\n      bank.ratio: [0.01, 1]\n"
    suite = bound((", ratio: 0.5", ""), ("  - name: padim", f"    {sweep}  - name: padim"))
    assert [m.name for m in suite.methods] == [
        "knn[bank.ratio=0.01,scorer.metric=cosine]",
        "knn[bank.ratio=0.01,scorer.metric=euclidean]",
        "knn[bank.ratio=1,scorer.metric=cosine]",
        "knn[bank.ratio=1,scorer.metric=euclidean]",
        "padim",
    ]
    assert suite.methods[1].bank.params.identity() == {"ratio": 0.01}
    assert suite.methods[2].scorer.params.identity()["metric"] == "cosine"


@pytest.mark.parametrize(
    ("sweep", "lines"),
    [
        (
            "{scorer.kk: [1, 2]}",
            ("methods[0].sweep.scorer.kk: unknown key", "x.yaml:14", "the keys here are"),
        ),
        (
            "{bank.ration: [1, 2]}",
            ("methods[0].sweep.bank.ration: unknown key", "x.yaml:14", "did you mean 'ratio'?"),
        ),
        (
            "\n      scorer.metric:\n        - cosine\n        - cubic",
            (
                "methods[0].sweep.scorer.metric[1]: expected 'euclidean' or 'cosine', got 'cubic'",
                "x.yaml:17",
                None,
            ),
        ),
    ],
)
def test_a_wrong_swept_value_is_told_at_its_line(
    bound: Bind, sweep: str, lines: tuple[str, str, str | None]
) -> None:
    message, where, hint = refusal(
        bound, ("  - name: padim", f"    sweep: {sweep}\n  - name: padim")
    )
    assert (message, where) == lines[:2]
    assert (hint or "").startswith(lines[2] or "")


def test_a_sweep_of_millions_is_refused_before_it_is_made(bound: Bind) -> None:
    values = ", ".join(map(str, range(1, 101)))
    sweep = f"{{scorer.k: [{values}], bank.ratio: [{values}], scorer.exact: [true, false]}}"
    changes = [(", ratio: 0.5", ""), ("\n      k: 3", f"\n    sweep: {sweep}")]
    message, where, _ = refusal(bound, *changes)
    assert message == "methods[0].sweep: 20000 combinations, more than 1000"
    assert where == "x.yaml:13"


def test_a_list_outside_a_sweep_is_a_list(bound: Bind) -> None:
    assert bound().methods[0].extractor.params.layers == (1, 2)  # type: ignore[attr-defined]
    assert len(bound().methods) == 2


def test_a_thresholder_that_decides_no_pixels_is_refused_for_them(bound: Bind) -> None:
    change = ("schema: 1", "schema: 1\npixel_threshold: {use: quantile}")
    assert refusal(bound, change) == (
        "pixel_threshold.use: thresholder 'quantile' decides no pixels",
        "x.yaml:2",
        "it belongs under `thresholders:`; here may stand: none installed",
    )


def test_costs_are_bound_where_a_metric_counts_by_them(bound: Bind) -> None:
    assert bound().deployment is None
    stated = bound(("schema: 1", "schema: 1\ndeployment: {miss_cost: 50}"))
    assert stated.deployment is not None
    assert stated.deployment.model_dump() == {
        "miss_cost": 50.0,
        "false_alarm_cost": 1.0,
        "defect_rate": 0.01,
    }
    assert stated.metrics[: len(bound().metrics)] == bound().metrics
    assert {"image_recall", "image_fpr", "image_cost", "image_cost_oracle"} <= set(stated.metrics)
    assert len(stated.metrics) == len(set(stated.metrics))
    empty = bound(("schema: 1", "schema: 1\ndeployment: {}"))
    assert empty.metrics == stated.metrics


@pytest.mark.parametrize(
    "deployment", ["{miss_cost: 0}", "{defect_rate: 1.0}", "{false_alarm_cost: .inf}", "{cost: 1}"]
)
def test_costs_without_meaning_are_refused(bound: Bind, deployment: str) -> None:
    _, where, _ = refusal(bound, ("schema: 1", f"schema: 1\ndeployment: {deployment}"))
    assert where == "x.yaml:2"
