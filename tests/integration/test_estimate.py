"""What `adharness check` says a run takes, and what is refused before it starts."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adharness import ContentHash, DatasetSpec, ExtractorSpec, Params, StoreError
from adharness.cli import main
from adharness.cli.estimate import Places, refuse, total_lines
from adharness.contracts.specs import AnySpec
from adharness.data.textures import TexturesDataset, TexturesParams
from adharness.engine.calibration import Budget
from adharness.engine.estimate import Estimate, estimate
from adharness.engine.fits import refuse_what_does_not_fit
from adharness.engine.growth import Span
from adharness.engine.room import Room, free_disk, free_memory, one_disk
from adharness.engine.survey import survey
from adharness.engine.workload import Workload, workload
from adharness.plan import Plan, expand
from adharness.registry import Component, discover
from adharness.suite.bind import bind
from adharness.suite.load import load_suite

pytestmark = pytest.mark.slow
NOISE = {"corruptions": ["noise"], "severity": 3}
QUICK: dict[str, Any] = {
    "protocols": ["per-class"],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "f1"}],
    "metrics": ["image_auroc"],
    "methods": [
        {"name": "whole", "extractor": "px", "bank": {"use": "images"},
         "scorer": {"use": "mahalanobis"}}
    ],
}  # fmt: skip
"""Whose features are the same as those of the whole suite."""
TEXTURES = {"use": "textures", "size": 64, "train": 10, "good": 5, "per_defect": 1}


def plan_of(bench: Any, *extra: AnySpec, **changes: Any) -> Plan:
    installed = discover()
    added = tuple(Component(spec, "adharness", "0") for spec in extra)
    registry = replace(installed, components=installed.components + added)
    return expand(bind(load_suite(bench.suite(**changes)), registry))


def estimated(bench: Any, *extra: AnySpec, seconds: float = 1.0, **changes: Any) -> Estimate:
    plan = plan_of(bench, *extra, **changes)
    return estimate(plan, bench.cache, limit=None, budget=Budget(seconds))


def written(cache: Path) -> int:
    return sum(file.stat().st_size for file in cache.glob("features/*/*.npy"))


def test_the_bytes_of_features_are_exactly_those_that_the_run_writes(bench):
    made = estimated(bench, **QUICK)
    assert written(bench.cache) == 0
    bench.run(**QUICK)
    assert made.feature_bytes == written(bench.cache) > 0
    (row,) = made.features
    assert (row.images, row.cached, row.left) == (66, 0, 66)


def test_what_the_cache_holds_is_counted_and_not_extracted_again(bench):
    bench.run(**QUICK)
    whole = written(bench.cache)
    (row,) = estimated(bench, **QUICK).features
    assert (row.images, row.cached, row.left, row.left_bytes) == (66, 66, 0, 0)
    assert row.seconds.high == 0.0
    shard = next(bench.cache.glob("features/*/"))
    shutil.rmtree(shard)
    (row,) = estimated(bench, **QUICK).features
    assert (row.cached, row.left) == (44, 22)
    assert row.left_bytes == whole - written(bench.cache)


def test_arrays_that_are_gone_are_not_counted_as_cached(bench):
    bench.run(**QUICK)
    next(bench.cache.glob("features/*/patches.npy")).unlink()
    (row,) = estimated(bench, **QUICK).features
    assert row.cached == 44


def test_images_that_two_names_share_are_extracted_once(bench):
    px = {"use": "pixel-patches", "resize": 64, "patch_px": 8}
    other = {"name": "b", "extractor": "py", "bank": {"use": "images"},
             "scorer": {"use": "mahalanobis"}}  # fmt: skip
    changes: dict[str, Any] = {
        **QUICK,
        "data": [{**TEXTURES, "shift": NOISE}],
        "extractors": {"px": px, "py": px},
    }
    methods = [{**other, "name": "a", "extractor": "px"}, other]
    changes["methods"] = methods
    made = estimated(bench, **changes)
    bench.run(**changes)
    assert made.feature_bytes == written(bench.cache)
    assert [row.left for row in made.features] == [66, 30, 0, 0]


def test_only_training_images_are_read_and_the_cache_gets_no_feature(bench):
    class TestImagesAreHidden(TexturesDataset):
        def image(self, sample: Any) -> Any:
            assert sample.portion == "train"
            return super().image(sample)

        def fingerprint(self, sample: Any) -> ContentHash:
            return ContentHash(sample.path, None)

        def mask(self, sample: Any) -> Any:
            raise AssertionError("a mask was read")

    spec = DatasetSpec(name="hidden", params=TexturesParams, make=TestImagesAreHidden, summary="")
    made = estimated(bench, spec, data=[{**TEXTURES, "use": "hidden"}])
    assert made.untold == []
    assert set(made.methods) == {"knn", "whole"}
    assert not (bench.cache / "features").exists()


def test_models_are_counted_as_the_run_fits_them(bench):
    plan = plan_of(bench, data=[{**TEXTURES, "shift": NOISE}])
    textures = plan.suite.data[0]
    here = survey(plan.suite, textures)
    work = workload(plan, {"textures": here})
    merged, each = plan.fits()
    assert len(work.fits) == merged + each * len(here.classes)
    assert len(work.scorings) == 2 * len(work.fits)  # the clean set and its shift
    assert sum(work.cells.values()) == len(plan.cells)
    judged = len(here.portion("calibration")) + len(here.portion("test"))
    assert work.scorings["textures", "knn", None, 0] == (len(here.portion("train")), judged)
    assert work.rows["textures"].pooled == len(here.portion("test"))


def test_every_stage_is_told_and_a_method_that_fails_is_named(bench):
    methods = [
        {"name": "knn", "extractor": "px", "bank": {"use": "all"}, "scorer": {"use": "knn-faiss"}},
        {"name": "greedy", "extractor": "px", "bank": {"use": "grid"},
         "scorer": {"use": "spade", "k": 50}},
    ]  # fmt: skip
    made = estimated(bench, methods=methods)
    assert list(made.stages_s) == ["extract", "fit and score", "judge"]
    assert all(0 < span.low <= span.likely <= span.high for span in made.stages_s.values())
    assert set(made.methods) == {"knn"}
    (why,) = made.untold
    assert why.startswith("method greedy: ContractError: k = 50 neighbours")
    assert made.methods["knn"].map_grid == (8, 8)


def test_without_time_nothing_is_tried_and_all_of_it_is_told(bench):
    made = estimated(bench, seconds=0.0)
    assert made.methods == {}
    assert made.untold == ["method knn: the time was spent", "method whole: the time was spent"]
    assert made.feature_bytes > 0


def test_data_that_are_not_there_leave_no_estimate_and_no_error(bench, capsys, tmp_path):
    suite = bench.suite(data=[{"use": "folder", "root": str(tmp_path / "gone")}])
    assert main.run(["check", str(suite), "--cache-dir", str(bench.cache)]) == 0
    told = capsys.readouterr().out
    assert "no estimate:" in told
    assert "  data set folder: the root of data set 'folder'" in told
    assert str(tmp_path / "gone") in told


def test_check_prints_cells_cache_time_memory_and_disk(bench, capsys):
    where = ["--cache-dir", str(bench.cache), "--out", str(bench.out), "--limit", "4"]
    assert main.run(["check", str(bench.suite()), *where]) == 0
    told = capsys.readouterr().out.split("are tested\n")[1]
    table = [line.split() for line in told.splitlines()]
    assert ["textures", "8", "8", "8"] in table  # 2 methods x 2 normalizers x 2 thresholders
    assert any(line[:4] == ["textures", "px", "36", "0"] for line in table)
    for title in ("time: ", "memory: ", "disk: features ", "disk: results "):
        assert f"\n{title}" in told
    assert main.run(["check", str(bench.suite()), "--no-estimate"]) == 0
    assert "memory: " not in capsys.readouterr().out
    assert not bench.out.exists()


def surveys_of(plan: Plan) -> dict[str, Any]:
    return {data.name: survey(plan.suite, data) for data in plan.suite.data}


def test_a_run_is_refused_where_one_byte_is_lacking_and_not_where_all_fit(bench):
    exact = estimated(bench, **QUICK).feature_bytes
    plan = plan_of(bench, **QUICK)
    surveys = surveys_of(plan)

    def refused(free: int) -> None:
        refuse_what_does_not_fit(plan, surveys, bench.cache, bench.out, Room(disk=lambda _: free))

    refused(exact)
    with pytest.raises(StoreError) as caught:
        refused(exact - 1)
    assert caught.value.message.startswith("features of 66 images take ")
    assert "--cache-dir" in (caught.value.hint or "")
    assert caught.value.where == str(bench.cache)
    bench.run(out="elsewhere", **QUICK)
    refused(0)  # the cache holds all of it


def test_a_run_that_goes_on_is_not_refused(bench):
    bench.run(**QUICK)
    shutil.rmtree(bench.cache)
    plan = plan_of(bench, **QUICK)
    room = Room(disk=lambda _: 0)
    refuse_what_does_not_fit(plan, surveys_of(plan), bench.cache, bench.out, room)
    with pytest.raises(StoreError):
        refuse_what_does_not_fit(plan, surveys_of(plan), bench.cache, bench.folder / "new", room)


def test_an_extractor_that_fails_is_no_reason_to_refuse(bench):
    class NoParams(Params):
        """Nothing to set."""

    def broken(_: Params) -> Any:
        raise OSError("no weights here")

    spec = ExtractorSpec(name="broken", params=NoParams, make=broken, summary="")
    changes = {**QUICK, "extractors": {"px": {"use": "broken"}}}
    plan = plan_of(bench, spec, **changes)
    room = Room(disk=lambda _: 0)
    refuse_what_does_not_fit(plan, surveys_of(plan), bench.cache, bench.out, room)
    assert estimated(bench, spec, **changes).untold == ["extractor px: OSError: no weights here"]


def test_run_and_check_exit_2_on_a_tiny_disk_before_anything_is_extracted(
    bench, capsys, monkeypatch
):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert bench.cli() == 2
    told = capsys.readouterr().err
    assert "error: features of 66 images take " in told
    assert ", and 1.0 kB are free" in told
    assert "hint:  choose a folder on a larger disk with --cache-dir" in told
    assert written(bench.cache) == 0
    where = ["--cache-dir", str(bench.cache), "--out", str(bench.out)]
    assert main.run(["check", str(bench.suite()), *where]) == 2
    assert "error: features of 66 images take " in capsys.readouterr().err


PLENTY = 10**15


@pytest.mark.parametrize(
    ("room", "says"),
    [
        (Room(disk=lambda _: PLENTY, memory=lambda: PLENTY), None),
        (Room(disk=lambda _: 5000, memory=lambda: PLENTY), "results and features take 5.3 kB"),
        (Room(disk=lambda _: PLENTY, memory=lambda: 5000), "the suite needs at least 7.0 kB"),
    ],
)
def test_results_and_memory_refuse_at_their_lower_ends(room, says, tmp_path):
    made = Estimate(Workload())
    made.results, made.memory, made.held = Span(5300, 9000, 20_000), Span(7000, 8000, 9000), 1500
    where = Places(tmp_path / "cache", tmp_path / "out", room=room)
    assert len(total_lines(made, where)) == 5
    if says is None:
        refuse(made, where)
        return
    with pytest.raises(StoreError, match=says):
        refuse(made, where)


def test_room_is_asked_of_the_folder_that_will_hold_one_not_there_yet(tmp_path):
    assert free_disk(tmp_path / "not" / "yet") == pytest.approx(free_disk(tmp_path), rel=0.05)
    assert one_disk(tmp_path / "a" / "b", tmp_path / "c")
    assert free_memory() > 0
