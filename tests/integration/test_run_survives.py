"""Mistakes of contestants that once ended a whole run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adharness import ContentHash, DatasetSpec, NormalizerSpec, Params, ThresholderSpec
from adharness.contracts import Threshold
from adharness.data.textures import TexturesDataset, TexturesParams
from adharness.errors import DataError

pytestmark = pytest.mark.slow
SMALL: dict[str, Any] = {
    "protocols": ["absolute-unified"],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
}


class NoParams(Params):
    """Nothing to set."""


def methods(*names: str) -> list[dict[str, Any]]:
    return [
        {"name": n, "extractor": "px", "bank": {"use": "all"}, "scorer": {"use": "random-scores"}}
        for n in names
    ]


def test_a_renamed_method_and_twins_each_have_their_own_rows(bench):
    bench.run(**SMALL, methods=methods("before"))
    _, cells = bench.run(**SMALL, methods=methods("after", "twin"))
    assert [c.method for c in cells] == ["after", "twin"]
    assert cells[0].rows == cells[1].rows
    assert cells[0].id != cells[1].id


class FlatOnly:
    """A normalizer that cannot take maps."""

    def fit(self, calibration: Any) -> FlatOnly:
        return self

    def apply(self, values: np.ndarray, context: Any) -> np.ndarray:
        if values.ndim > 1:
            raise TypeError("one number an image, please")
        return values


def test_a_normalizer_that_fails_on_maps_fails_its_own_cells(bench):
    spec = NormalizerSpec(name="flat", params=NoParams, make=lambda _: FlatOnly(), summary="")
    suite = {**SMALL, "normalizers": [{"use": "flat"}, {"use": "raw"}]}
    _, cells = bench.run(extra=[spec], **suite)
    status = {(c.method, c.normalizer): c.status for c in cells}
    assert status["knn", "flat"] == "failed"
    assert status["knn", "raw"] == status["whole", "flat"] == "ok"  # `whole` has no maps


@pytest.mark.parametrize("answer", [None, 0.5, Threshold(float("nan"), 1, 0)])
def test_a_thresholder_without_a_threshold_fails_its_own_cells(bench, answer):
    class Broken:
        def threshold(self, calibration: Any) -> Any:
            return answer

    spec = ThresholderSpec(name="broken", params=NoParams, make=lambda _: Broken(), summary="")
    suite = {**SMALL, "thresholders": [{"use": "broken"}, {"use": "quantile", "q": 0.8}]}
    _, cells = bench.run(extra=[spec], methods=methods("floor"), **suite)
    assert {c.thresholder: c.status for c in cells} == {"broken": "failed", "quantile": "ok"}


def test_an_unreadable_image_of_a_set_that_may_be_shown_does_not_end_the_run(bench):
    class Torn(TexturesDataset):
        def fingerprint(self, sample: Any) -> ContentHash:
            return ContentHash(sample.path, None)

        def image(self, sample: Any) -> Any:
            if sample.class_name == "brick" and sample.portion == "test":
                raise DataError(f"{sample.path} is torn")
            return super().image(sample)

    params = TexturesParams(size=64, train=10, good=5, per_defect=1)
    spec = DatasetSpec(name="torn", params=TexturesParams, make=lambda _: Torn(params), summary="")
    suite = {**SMALL, "protocols": ["per-class"], "data": [{"use": "torn"}]}
    record, cells = bench.run(extra=[spec], methods=methods("floor"), **suite)
    assert [r.status for r in cells[0].rows].count("ok") == 2
    assert {g.class_name for g in record.gallery} == {r.class_name for r in cells[0].rows
                                                      if r.status == "ok"}  # fmt: skip
