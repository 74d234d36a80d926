"""A run is made again from its own record, and every stored number is compared."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness.cli import main
from adharness.reproduction import compare_runs
from adharness.store.files import read_arrays, read_json, write_arrays, write_json
from adharness.store.folder import RunFolder

pytestmark = pytest.mark.timeout(120)  # a run each, and one more
SMALL: dict[str, Any] = {
    "data": [
        {
            "use": "textures",
            "size": 64,
            "train": 10,
            "good": 5,
            "per_defect": 1,
            "classes": ["brick", "gravel"],
        }
    ],
    "protocols": ["per-class"],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "f1"}],
}


def small(bench: Any, *options: str, **changes: Any) -> Path:
    assert bench.cli("-q", *options, **{**SMALL, **changes}) == 0
    return bench.out


def reproduce(bench: Any, *options: str, out: str = "again") -> int:
    place = ["--out", str(bench.folder / out), "--cache-dir", str(bench.cache)]
    return main.run(["reproduce", str(bench.out), *place, "-q", *options])


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    record = read_json(path)
    change(record)
    write_json(path, record)


def edit_arrays(folder: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change stored arrays, and the hash that vouches for them."""
    arrays = {key: np.array(value) for key, value in read_arrays(folder / name).items()}
    change(arrays)
    sha = write_arrays(folder / name, arrays)
    edit(folder / "result.json", lambda record: record["files"].update({name: sha}))


def test_every_number_of_a_run_is_got_again_to_the_last_bit(bench, capsys):
    small(bench)
    capsys.readouterr()
    assert reproduce(bench) == 0
    said = capsys.readouterr().out
    assert "identical to the last bit" in said
    assert "from the cache, 0 extracted; --fresh-features extracts all anew" in said
    assert "versions, machine, weights and data are as they were" in said
    assert reproduce(bench, "--fresh-features", "--json", out="anew") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["agree"] is True
    assert told["features"]["from_cache"] == 0
    assert told["features"]["extracted"] > 0
    assert told["changed"] == []
    kinds = {kind["name"]: kind for kind in told["numbers"]}
    assert {"patch scores of a model", "image scores", "metrics", "thresholds"} <= set(kinds)
    assert all(kind["identical"] == kind["count"] > 0 for kind in kinds.values())
    assert not [p for p in bench.folder.iterdir() if "features-" in p.name]


def test_by_default_it_is_made_beside_the_run_and_stays_there(bench):
    small(bench)
    assert main.run(["reproduce", str(bench.out), "--cache-dir", str(bench.cache), "-q"]) == 0
    assert RunFolder(bench.folder / "out-reproduced").run().finished


def _score(arrays: dict[str, Any]) -> None:
    arrays["scores"][3] *= 1.001


def _patch(arrays: dict[str, Any]) -> None:
    arrays["patches"][0, 0, 0] += 0.5


@pytest.mark.parametrize(
    ("part", "name", "change", "kind"),
    [
        ("cells", "scores.npz", _score, "normalized image scores"),
        ("cells", "maps.npz", _patch, "patch scores of maps"),
        ("scorings", "scores.npz", _patch, "patch scores of a model"),
    ],
)
def test_a_stored_array_that_is_not_what_is_made_is_found(bench, capsys, part, name, change, kind):
    run = small(bench, "--only", "method=knn")
    ids = RunFolder(run).run().cells
    own = (
        ids[0]
        if part == "cells"
        else read_json(run / "cells" / ids[0] / "result.json")["scorings"][0]
    )
    edit_arrays(run / part / own, name, change)
    capsys.readouterr()
    assert reproduce(bench) == 1
    said = capsys.readouterr().out
    assert f"does not agree within 1e-05: {kind};" in said
    assert "textures per-class knn" in said
    assert reproduce(bench, "--tolerance", "1.0") == 0
    assert "the others within" in capsys.readouterr().out


def test_a_metric_a_threshold_and_an_interval_that_were_changed_are_found(bench, capsys):
    run = small(bench, "--only", "method=knn")
    folder = run / "cells" / RunFolder(run).run().cells[0]

    def change(record: dict[str, Any]) -> None:
        record["rows"][0]["metrics"]["image_auroc"]["value"] -= 0.001
        record["rows"][0]["metrics"]["image_auroc"]["low"] = None
        record["thresholds"][0]["value"] *= 1.01

    edit(folder / "result.json", change)
    capsys.readouterr()
    assert reproduce(bench, "--json") == 1
    kinds = {kind["name"]: kind for kind in json.loads(capsys.readouterr().out)["numbers"]}
    wrong = {name for name, kind in kinds.items() if kind["identical"] < kind["count"]}
    assert wrong == {"metrics", "thresholds", "intervals"}
    assert kinds["intervals"]["unlike"] == 1
    assert kinds["metrics"]["absolute"] == pytest.approx(0.001)
    assert kinds["metrics"]["where"].endswith("brick image_auroc")


def test_only_the_cells_of_the_run_are_made_again_with_its_limit(bench):
    small(bench, "--only", "method=whole", "--limit", "6")
    assert reproduce(bench) == 0
    made = RunFolder(bench.folder / "again").run()
    assert made.limit == 6
    assert set(made.cells) == set(RunFolder(bench.out).run().cells)


def test_a_second_reproduction_uses_no_result_of_the_first(bench):
    run = small(bench, "--only", "method=knn")
    assert reproduce(bench) == 0
    other = bench.folder / "again"
    for path in other.glob("scorings/*"):
        edit_arrays(path, "scores.npz", _patch)
    assert not compare_runs(run, other).agree()
    assert reproduce(bench) == 0


def test_one_that_was_stopped_goes_on(bench, capsys):
    small(bench, "--only", "method=knn")
    assert reproduce(bench) == 0
    again = RunFolder(bench.folder / "again")
    again.put_run(again.run().model_copy(update={"finished": None}))
    capsys.readouterr()
    assert reproduce(bench) == 0
    assert "goes on with what was made again" in capsys.readouterr().err


def test_other_data_are_refused_with_both_fingerprints(bench, tree, on_tree, capsys):
    small(bench, **on_tree)
    then = RunFolder(bench.out).run().datasets[0].fingerprint
    tree.image("nut/test/good/000.png", seed=9)
    capsys.readouterr()
    assert reproduce(bench) == 2
    said = capsys.readouterr().err
    assert f"its fingerprint was {then} and is " in said
    assert "--data-root" in said
    assert not (bench.folder / "again" / "cells").exists()
    shutil.rmtree(tree.root)
    assert reproduce(bench) == 2
    assert str(tree.root) in capsys.readouterr().err


def test_data_that_moved_are_found_by_their_root(bench, tree, on_tree):
    small(bench, **on_tree)
    moved = tree.root.with_name("moved")
    tree.root.rename(moved)
    assert reproduce(bench, "--data-root", str(moved)) == 0


def test_a_missing_plugin_is_named(bench, capsys):
    run = small(bench)

    def change(record: dict[str, Any]) -> None:
        record["suite_text"] = record["suite_text"].replace("knn-faiss", "knn-of-a-stranger")

    edit(run / "run.json", change)
    assert reproduce(bench) == 2
    said = capsys.readouterr().err
    assert "unknown scorer 'knn-of-a-stranger'" in said
    assert "tiny.yaml:" in said


def test_a_split_that_came_from_a_file_is_read_from_the_run_itself(bench, tmp_path):
    small(bench)
    split = tmp_path / "mine.json"
    shutil.copyfile(bench.out / "splits" / "textures.json", split)
    shutil.rmtree(bench.out)
    small(bench, split={"policy": "file", "path": str(split)})
    split.unlink()
    assert reproduce(bench) == 0


def test_a_split_that_is_nowhere_is_told(bench, tmp_path, capsys):
    small(bench)
    split = tmp_path / "mine.json"
    shutil.copyfile(bench.out / "splits" / "textures.json", split)
    small(bench, split={"policy": "file", "path": str(split)})
    shutil.rmtree(bench.out / "splits")
    assert reproduce(bench) == 2
    assert "keeps no split of textures" in capsys.readouterr().err


def test_what_a_packed_run_did_not_keep_is_told_and_the_rest_compared(bench, capsys):
    run = small(bench, "--only", "method=knn")
    for path in run.glob("scorings/*"):
        shutil.rmtree(path)
    for path in run.glob("cells/*"):
        (path / "maps.npz").unlink()
        edit(path / "result.json", lambda record: record["files"].pop("maps.npz"))
    capsys.readouterr()
    assert reproduce(bench) == 0
    told = capsys.readouterr()
    assert "the run does not keep them: patch scores of a model" in told.err
    assert "agrees: all " in told.out
    assert "image scores" in told.out


def test_a_run_without_results_and_the_run_itself_are_refused(bench, capsys):
    run = small(bench, "--only", "method=knn")
    assert main.run(["reproduce", str(run), "--out", str(run), "-q"]) == 2
    assert "is the run itself" in capsys.readouterr().err
    store = RunFolder(run)
    store.put_run(store.run().model_copy(update={"finished": None, "cells": []}))
    assert reproduce(bench) == 2
    said = capsys.readouterr().err
    assert "holds no result to compare with, and the run is not finished" in said
    assert "give the command that began it again" in said


def test_versions_and_weights_that_changed_stand_side_by_side(bench, capsys):
    run = small(bench, "--only", "method=knn")

    def change(record: dict[str, Any]) -> None:
        record["provenance"]["versions"]["numpy"] = "0.0.1"
        record["weights"]["px"] = "other"

    edit(run / "run.json", change)
    capsys.readouterr()
    assert reproduce(bench) == 0
    said = capsys.readouterr().out
    assert "versions.numpy" in said
    assert "0.0.1" in said
    assert "weights.px" in said


def test_processes_give_the_same_numbers_as_one(bench, capsys):
    small(bench, "--only", "method=knn")
    capsys.readouterr()
    assert reproduce(bench, "--jobs", "2", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["agree"] is True
    assert RunFolder(bench.folder / "again").run().given.jobs == 2
