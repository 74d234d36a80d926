from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness import Calibration, ContractError, DataError, ImageContext
from adharness_normalizers import RAW, ZSCORE, RawParams, ZscoreParams


def calibration(scores, classes, labels=None):
    labels = None if labels is None else np.array(labels)
    return Calibration(np.array(scores, dtype=np.float64), labels, ImageContext(classes))


def zscore(scores, classes, labels=None):
    return ZSCORE.make(ZscoreParams()).fit(calibration(scores, classes, labels))


TWO = zscore([1.0, 3.0, 100.0, 120.0], ["a", "a", "b", "b"])


def test_raw_returns_the_scores_it_is_given():
    fitted = RAW.make(RawParams()).fit(calibration([1.0], ["a"]))
    values = np.array([3.0, -1.0])
    np.testing.assert_array_equal(fitted.apply(values, ImageContext()), values)


def test_zscore_uses_the_mean_and_the_sample_deviation_of_the_images_own_class():
    scaled = TWO.apply(np.array([2.0, 110.0, 3.0, 120.0]), ImageContext(["a", "b", "a", "b"]))
    expected = [0.0, 0.0, 1 / np.sqrt(2), 10 / np.sqrt(200)]
    np.testing.assert_allclose(scaled, expected)


def test_the_calibration_normals_of_each_class_become_mean_0_and_deviation_1():
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(5, 2, 30), rng.normal(-80, 9, 12)])
    classes = ["x"] * 30 + ["y"] * 12
    scaled = zscore(scores, classes).apply(scores, ImageContext(classes))
    for part in (scaled[:30], scaled[30:]):
        np.testing.assert_allclose([part.mean(), part.std(ddof=1)], [0, 1], atol=1e-12)


def test_maps_are_scaled_pixel_by_pixel_like_image_scores():
    maps = np.arange(2 * 3 * 4, dtype=np.float64).reshape(2, 3, 4)
    context = ImageContext(["b", "a"])
    scaled = TWO.apply(maps, context)
    assert scaled.shape == maps.shape
    for row in range(3):
        np.testing.assert_array_equal(
            scaled[:, row, 1], TWO.apply(np.ascontiguousarray(maps[:, row, 1]), context)
        )


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=20, unique=True))
def test_zscore_is_strictly_increasing_within_a_class(scores):
    values = np.sort(np.array(scores, dtype=np.float64))
    scaled = TWO.apply(values, ImageContext(["a"] * len(values)))
    assert (np.diff(scaled) > 0).all()


def test_each_image_is_scaled_on_its_own():
    values, classes = np.array([5.0, 7.0, 90.0]), ["a", "a", "b"]
    together = TWO.apply(values, ImageContext(classes))
    alone = [TWO.apply(values[i : i + 1], ImageContext(classes[i : i + 1]))[0] for i in range(3)]
    np.testing.assert_array_equal(together, alone)


def test_zscore_learns_from_normal_images_only():
    with_anomaly = zscore([1.0, 3.0, 999.0], ["a", "a", "a"], labels=[0, 0, 1])
    context = ImageContext(["a"])
    assert with_anomaly.apply(np.array([5.0]), context) == TWO.apply(np.array([5.0]), context)


def test_no_image_gives_no_score():
    assert TWO.apply(np.zeros((0, 2, 2)), ImageContext([])).shape == (0, 2, 2)


def test_an_unseen_class_is_named():
    with pytest.raises(DataError, match=r"no calibration image of class 'c'") as caught:
        TWO.apply(np.array([1.0, 1.0]), ImageContext(["a", "c"]))
    assert "'a', 'b'" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("scores", "classes", "labels", "message"),
    [
        ([1.0, 2.0, 3.0], ["a", "a", "b"], None, "class 'b' has 1 normal calibration image"),
        ([0.1, 0.1, 0.1], ["a", "a", "a"], None, "all 3 normal calibration scores of class 'a'"),
        ([1.0, np.nan], ["a", "a"], None, "not finite"),
        ([1.0, 2.0, 3.0], ["a", "a", "b"], [0, 0, 1], "no normal calibration image of class 'b'"),
    ],
)
def test_what_has_no_scale_is_refused(scores, classes, labels, message):
    with pytest.raises(DataError, match=message):
        zscore(scores, classes, labels)


def test_a_protocol_that_hides_the_class_is_refused():
    with pytest.raises(ContractError, match="needs the class"):
        TWO.apply(np.array([1.0]), ImageContext())
    with pytest.raises(ContractError, match="2 images, but 1 classes"):
        TWO.apply(np.array([1.0, 2.0]), ImageContext(["a"]))


def test_zscore_must_be_told_the_class_and_raw_need_not():
    assert (RAW.needs_class(RawParams()), ZSCORE.needs_class(ZscoreParams())) == ("never", "always")


def test_importing_the_plugin_does_not_import_its_parts():
    code = "import sys, adharness_normalizers; print('adharness_normalizers.zscore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
