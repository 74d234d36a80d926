from __future__ import annotations

import json

import pytest

from adharness.cli import main


def identities(cells):
    return [(c.id, [r.metrics for r in c.rows]) for c in cells]


@pytest.mark.slow
@pytest.mark.parametrize(
    "split",
    [
        {"policy": "study", "seed": 7},
        {"policy": "k-fold", "folds": 3, "fold": 1, "seed": 1},
        {"policy": "holdout", "calibration": {"normal": 0.3, "anomalous": 0.4}},
    ],
    ids=lambda split: split["policy"],
)
def test_a_split_of_one_run_read_by_another_gives_the_same_cells(bench, on_tree, split):
    first, cells = bench.run(**on_tree, split=split)
    written = bench.out / "splits" / "folder.json"
    content = json.loads(written.read_text())
    assert content["metadata"].items() >= first.split.items()
    read = {"policy": "file", "path": str(written)}
    second, again = bench.run(out="again", **on_tree, split=read)
    assert identities(again) == identities(cells)
    assert second.datasets == first.datasets
    copied = json.loads((bench.folder / "again/splits/folder.json").read_text())
    assert copied["splits"] == content["splits"]


def test_writing_a_split_twice_gives_the_same_bytes(bench, on_tree):
    files = []
    for out in ("one", "two"):
        bench.run(out=out, **on_tree, split={"policy": "study"})
        files.append((bench.folder / out / "splits/folder.json").read_bytes())
    assert files[0] == files[1]


def test_images_that_the_file_omits_are_told_on_the_board_and_by_check(
    bench, on_tree, tree, capsys
):
    bench.run(**on_tree, split={"policy": "study"})
    for name in ("train/good/new.png", "test/good/new.png"):
        tree.image(f"nut/{name}")
    split = {"policy": "file", "path": str(bench.out / "splits")}
    written = (bench.out / "splits/folder.json").read_bytes()
    assert bench.cli("--limit", "5", **on_tree, split=split) == 0
    assert (bench.out / "splits/folder.json").read_bytes() == written
    page = (bench.out / "leaderboard.html").read_text()
    assert "not in the split file" in page
    assert "policy: file, path: " in page
    suite = str(bench.suite(**on_tree, split=split))
    assert main.run(["check", suite, "--no-estimate"]) == 0
    told = capsys.readouterr().out
    assert "split: 12 train, 6 calibrate, 14 are tested; 2 are not in the file" in told


@pytest.mark.slow
def test_a_run_on_a_split_file_can_be_saved_after_the_file_is_gone(bench, on_tree):
    bench.run(**on_tree, split={"policy": "study"})
    path = (bench.out / "splits/folder.json").rename(bench.folder / "mine.json")
    assert bench.cli(**on_tree, split={"policy": "file", "path": str(path)}) == 0
    path.unlink()
    only = ["method=whole", "protocol=per-class", "normalizer=raw", "thresholder=f1"]
    options = [word for choice in only for word in ("--only", choice)]
    saved = ["save", str(bench.out), "--out", str(bench.folder / "saved"), *options]
    assert main.run([*saved, "--cache-dir", str(bench.cache)]) == 0


def test_a_split_file_that_does_not_fit_ends_the_run_before_anything_is_computed(bench, on_tree):
    path = bench.folder / "mine.json"
    path.write_text('{"splits": {"nut": {"train": {"images": ["nut/no.png"]}}}}')
    split = {"policy": "file", "path": str(path)}
    assert bench.cli(**on_tree, split=split) == 2
    assert not (bench.out / "splits").exists()


def without(document, portion, label):
    """The split of a run, but for the images of one label in one portion of every class."""
    for its in document["splits"].values():
        lists = its[portion]
        kept = [i for i, found in enumerate(lists["labels"]) if found != label]
        its[portion] = {name: [lists[name][i] for i in kept] for name in ("images", "labels")}
    return document


@pytest.mark.parametrize(
    ("label", "kind", "thresholders", "code"),
    [
        (1, "anomalous", [{"use": "f1"}, {"use": "quantile"}], 2),
        (1, "anomalous", [{"use": "quantile"}], 0),
        (0, "normal", [{"use": "quantile"}], 2),
    ],
    ids=["f1-without-anomalies", "quantile-without-anomalies", "quantile-without-normals"],
)
def test_a_split_file_must_hold_what_the_thresholders_need(
    bench, on_tree, capsys, label, kind, thresholders, code
):
    bench.run(**on_tree)
    whole = json.loads((bench.out / "splits/folder.json").read_text())
    path = bench.folder / "mine.json"
    path.write_text(json.dumps(without(whole, "val", label)))
    changes = {"split": {"policy": "file", "path": str(path)}, "thresholders": thresholders}
    for command in ("check", "run"):
        done = (
            main.run(["check", str(bench.suite(**on_tree, **changes)), "--no-estimate"])
            if command == "check"
            else bench.cli(**on_tree, **changes)
        )
        assert done == code, command
        told = capsys.readouterr().err
        if code:
            needs = f"thresholder '{thresholders[0]['use']}' needs {kind} calibration images"
            assert f"{needs}, but the split file lists none under `val` of bolt, nut" in told
            assert str(path) in told
