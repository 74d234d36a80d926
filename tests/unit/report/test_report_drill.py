from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness.metrics.mistakes import outcomes
from adharness.report.drill import drill_data, listed, plain
from adharness.report.embedded import embed
from adharness.report.formats import clipped
from adharness.report.gallery import LIST_BYTES, galleries
from adharness.report.judged import Judged, judged
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.reading import ImageScores, read_run
from adharness.store.records import CellRecord

NAN, INF = float("nan"), float("inf")
Make = Callable[..., Judged]


@pytest.fixture(scope="module")
def board(run_folder: Path) -> Leaderboard:
    return leaderboard(*read_run(run_folder))


@pytest.fixture(scope="module")
def a_cell(board: Leaderboard) -> CellRecord:
    return board.rows[0].cell


@pytest.fixture
def make(a_cell: CellRecord) -> Make:
    def make(method: str, scores: Sequence[float], threshold: Any = 0.5, **names: Any) -> Judged:
        n = len(scores)
        stored = ImageScores(
            samples=np.array(names.get("samples", [f"{i}.png" for i in range(n)])),
            classes=np.array(names.get("classes", ["a"] * n)),
            labels=np.array(names.get("labels", [0] * n)),
            scores=np.array(scores, float),
            threshold=np.broadcast_to(np.array(threshold, float), (n,)),
            groups=np.full(n, ""),
        )
        parts = (stored.scores, stored.threshold, stored.labels, stored.classes)
        cell = a_cell.model_copy(update={"method": method, "id": method})
        return Judged(Path("/nowhere"), cell, stored, outcomes(*parts))

    return make


def data_of(cells: Mapping[str, Sequence[Judged]], budget: int = 10**6, **known: Any) -> Any:
    found = listed(cells, [], budget)
    methods = known.get("methods", [])
    return json.loads(embed(drill_data(found, [], known.get("defects", {}), methods)))


def test_every_image_has_its_verdict(make: Make) -> None:
    cells = [make("knn", [0.9, 0.1, 0.2, 0.8, NAN], labels=[0, 0, 1, 1, 1])]
    data = data_of({"per-class": cells}, defects={"2.png": "hole"})
    (cell,) = data["cells"]
    assert cell["kinds"] == "fcmc-"
    assert cell["scores"] == [0.9, 0.1, 0.2, 0.8, None]
    assert cell["thresholds"] == [0.5]
    assert cell["totals"] == [[1, 1, 2]]
    assert [data["defects"][i] for i in data["images"]["defect"]] == ["", "", "hole", "", ""]
    assert data["depth"] is None


def test_thresholds_are_told_image_by_image_where_a_class_has_several(make: Make) -> None:
    data = data_of({"routed": [make("knn", [1, 1], [0.5, 2.0])]})
    assert data["cells"][0]["each"] == [0.5, 2.0]
    assert "thresholds" not in data["cells"][0]


def test_a_decision_is_that_of_the_whole_number_not_of_the_rounded_one(make: Make) -> None:
    (cell,) = data_of({"per-class": [make("knn", [0.50000001, 0.5])]})["cells"]
    assert cell["scores"] == [0.5, 0.5]
    assert cell["kinds"] == "fc"


def test_infinities_and_what_is_not_there_can_be_written_as_json(make: Make) -> None:
    data = data_of({"per-class": [make("knn", [INF, -INF, NAN], [NAN, INF, -INF])]})
    assert data["cells"][0]["kinds"] == "-c-"
    assert data["cells"][0]["scores"] == [plain(INF), plain(-INF), None]
    assert plain(NAN) is plain(None) is None
    assert plain(INF) != plain(-INF)


def test_images_that_a_cell_lost_stay_in_the_list_of_the_others(make: Make) -> None:
    whole, part = make("knn", [1, 2]), make("padim", [3], samples=["1.png"])
    data = data_of({"per-class": [whole, part]})
    assert data["images"]["path"] == ["0.png", "1.png"]
    assert data["cells"][1]["scores"] == [None, 3.0]
    assert data["cells"][1]["kinds"] == "-f"


def test_methods_without_a_result_are_named(make: Make) -> None:
    data = data_of({"per-class": [make("knn", [1])]}, methods=["knn", "gone"])
    assert data["settings"][0]["silent"] == ["gone"]


def test_where_not_all_fit_the_worst_of_each_kind_and_class_stay(make: Make) -> None:
    rng = np.random.default_rng(1)
    n = 3000
    classes = np.array([f"class {i % 5}" for i in range(n)])
    cells = [
        make(name, rng.normal(size=n), labels=rng.integers(0, 2, n), classes=classes)
        for name in ("knn", "padim")
    ]
    found = listed({"per-class": cells}, ["7.png"], 40_000)
    assert found.depth is not None
    assert 5 * 3 * found.depth <= len(found.paths) < n == found.total
    assert "7.png" in found.paths  # it has a picture
    for each in cells:
        for kind in ("false alarm", "miss", "correct"):
            for at in each.outcomes.worst(kind, found.depth).values():
                assert set(each.scores.samples[at].tolist()) <= set(found.paths)
    size = len(embed(drill_data(found, [], {}, [])))
    assert size < 1.3 * 40_000


def test_where_not_even_one_of_each_fits_methods_are_dropped_and_named(make: Make) -> None:
    rng = np.random.default_rng(1)
    names = [f"method {i:02d}" for i in range(12)]
    cells = [make(name, rng.normal(size=400), labels=rng.integers(0, 2, 400)) for name in names]
    found = listed({"per-class": cells}, [], 900)
    kept = [each.cell.method for each in found.cells["per-class"]]
    assert kept
    assert sorted([*kept, *found.dropped]) == names
    assert listed({"per-class": cells}, [], 0).cells  # never nothing at all


def test_where_not_all_methods_fit_each_tells_of_its_own_list_alone(make: Make) -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 400)
    cells = [make(f"m{i}", rng.normal(size=400), labels=labels) for i in range(40)]
    found = listed({"per-class": cells}, [], 20_000)
    assert found.own
    assert not found.dropped
    data = json.loads(embed(drill_data(found, [], {}, [])))
    assert len(embed(data)) < 1.6 * 20_000
    for cell, each in zip(data["cells"], cells, strict=True):
        assert len(cell["told"]) == len(cell["kinds"]) == len(cell["scores"]) == 3 * found.depth
        names = [data["images"]["path"][i] for i in cell["told"]]
        assert cell["scores"] == [plain(each.scores.scores[each.rows[name]]) for name in names]
        worst = each.outcomes.worst("miss", found.depth)["a"]
        assert {f"{i}.png" for i in worst} <= set(names)


def test_two_hundred_rows_of_thirty_classes_keep_to_the_budget(make: Make) -> None:
    rng = np.random.default_rng(2)
    n = 2000
    given = {
        "labels": rng.integers(0, 2, n),
        "classes": np.array([f"class {i % 30}" for i in range(n)]),
        "samples": [f"class {i % 30}/test/defect/{i:04d}.png" for i in range(n)],
    }
    cells = {
        protocol: [make(f"m{i:02d}", rng.normal(size=n), **given) for i in range(50)]
        for protocol in ("per-class", "model-unified", "absolute-unified", "routed")
    }
    found = listed(cells, [], LIST_BYTES)
    assert found.paths
    assert not found.dropped
    assert len(embed(drill_data(found, [], {}, []))) < 700_000


def test_the_lists_of_a_run_are_those_of_its_scores(run_folder: Path, board: Leaderboard) -> None:
    for gallery in galleries(run_folder, board):
        data = json.loads(embed(gallery.data))
        cells = [
            each for its in judged(run_folder, board, gallery.dataset).values() for each in its
        ]
        assert [cell["method"] for cell in data["cells"]] == [each.cell.method for each in cells]
        for cell, each in zip(data["cells"], cells, strict=True):
            scores = each.scores
            wrong = int(((scores.scores > scores.threshold) != (scores.labels == 1)).sum())
            assert sum(sum(counts[:2]) for counts in cell["totals"]) == wrong
            assert sum(kind in "fm" for kind in cell["kinds"]) == wrong


def test_a_setting_that_a_method_failed_in_makes_room_for_a_whole_one(
    run_folder: Path, board: Leaderboard
) -> None:
    data = json.loads(embed(galleries(run_folder, board)[0].data))  # padim failed under raw and f1
    assert {each["note"] for each in data["settings"]} >= {
        "normalizer raw, thresholder f1, seed 0",
        "normalizer raw, thresholder youden, seed 0",
    }
    assert not any(each["silent"] for each in data["settings"])


def test_a_method_without_maps_says_so(run_folder: Path, board: Leaderboard) -> None:
    data = json.loads(embed(galleries(run_folder, board)[0].data))
    without = {cell["method"] for cell in data["cells"] if not cell["maps"]}
    assert without == {"mahalanobis"}
    for cell in data["cells"]:
        assert bool(cell["layers"]) == cell["maps"]


def test_hostile_names_are_cut_and_cannot_end_the_script(make: Make) -> None:
    long = "x" * 5000 + "</script><img src=x>\u202e\x07.png"
    found = listed({"per-class": [make("<b>knn</b>", [1], samples=[long])]}, [], 10**6)
    text = embed(drill_data(found, [], {long: "<i>" * 200}, ["<b>knn</b>"]))
    assert "<" not in text
    (path,) = json.loads(text)["images"]["path"]
    assert len(path) == 160
    assert "[...]" in path
    assert path.endswith(".png")
    assert "\u202e" not in path
    assert "\x07" not in path


@pytest.mark.parametrize("length", [0, 1, 39, 40, 41, 400])
def test_a_text_is_cut_only_where_it_is_too_long(length: int) -> None:
    text = "".join(chr(97 + i % 26) for i in range(length))
    cut = clipped(text, 40)
    assert len(cut) == min(length, 40)
    assert (cut == text) == (length <= 40)
    start, _, end = cut.partition("[...]")
    assert text.startswith(start)
    assert text.endswith(end)
