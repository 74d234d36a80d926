"""The judge tried on made-up images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adharness.engine import trial_judge
from adharness.engine.scored_maps import RawMaps
from adharness.engine.trial_judge import Line, MadeUpImages, try_judge
from adharness.suite.schema import MapSettings, StatisticsSettings


def test_made_up_images_are_half_anomalous_and_all_tested():
    images = MadeUpImages(6)
    tested = images.portion("test")
    assert images.labels(tested).tolist() == [0, 1, 0, 1, 0, 1]
    assert [s.label for s in images.samples] == [0, 1, 0, 1, 0, 1]
    assert not len(images.portion("train"))


def test_a_line_goes_through_both_measurements_and_never_falls():
    line = Line.through((4, 3.0), (8, 5.0))
    assert (line.at(4), line.at(8), line.at(100)) == (3.0, 5.0, 51.0)
    assert Line.through((4, 3.0), (8, 2.0)).image_s == 0.0
    assert Line.through((4, 1.0), (8, 5.0)).fixed_s == 0.0


@pytest.mark.parametrize("grid", [None, (4, 4)])
def test_every_metric_can_be_tried(grid):
    metrics = ("image_auroc", "image_f1", "pixel_auroc", "pixel_f1", "region_aupro_30")
    suite: Any = SimpleNamespace(
        metrics=metrics,
        statistics=StatisticsSettings(bootstrap=20),
        maps=MapSettings(),
        deployment=None,
    )
    costs = try_judge(suite, (32, 24), grid, most=8)
    whole = [line.at(10) for line in (costs.order, costs.scale, costs.decided)]
    assert all(seconds >= 0 for seconds in whole)
    assert sum(whole) > 0
    larger = costs.scaled(4.0)
    assert larger.order.image_s == 4 * costs.order.image_s
    assert larger.decided == costs.decided


@pytest.mark.parametrize(("given", "drawn_at"), [(None, (256, 256)), ((32, 48), (32, 48))])
def test_maps_are_drawn_at_the_size_of_the_extractors_input(monkeypatch, given, drawn_at):
    sizes: list[Any] = []

    def watched(patches: Any, native: Any, input_size: Any, *how: Any) -> RawMaps:
        sizes.append(input_size)
        return RawMaps(patches, native, input_size, *how)

    monkeypatch.setattr(trial_judge, "RawMaps", watched)
    suite: Any = SimpleNamespace(
        metrics=("image_auroc",),
        statistics=StatisticsSettings(bootstrap=0),
        maps=MapSettings(),
        deployment=None,
    )
    try_judge(suite, (8, 8), (32, 24), most=4, input_size=given)
    assert set(sizes) == {drawn_at}
