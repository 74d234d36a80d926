"""`adharness merge`: own runs and bundles of others on one board, each row marked."""

from __future__ import annotations

import csv
import json
import sys
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import forgery
from adharness.bundle import merge, pack_run
from adharness.bundle.pack import Submission
from adharness.bundle.sources import Disagrees
from adharness.cli import main
from adharness.errors import StoreError
from adharness.report.comparable import conditions
from adharness.report.reading import read_run
from adharness.store.identity import digest
from forgery import Members, edited, forged, rearranged

pytestmark = pytest.mark.slow

DATA = {"use": "textures", "size": 48, "train": 8, "good": 5, "per_defect": 1}
FLOOR = {"name": "floor", "extractor": "px", "bank": {"use": "all"},
         "scorer": {"use": "random-scores"}}  # fmt: skip
MARKUP = "<img src=x onerror=alert(1)>"


def knn(ratio: float) -> dict[str, Any]:
    return {"name": "knn", "extractor": "px", "bank": {"use": "random", "ratio": ratio},
            "scorer": {"use": "knn-faiss"}}  # fmt: skip


def suite(ratio: float = 0.2, **changes: Any) -> dict[str, Any]:
    return {
        "data": [DATA],
        "protocols": ["per-class", "absolute-unified"],
        "methods": [FLOOR, knn(ratio)],
        "normalizers": [{"use": "raw"}],
        "thresholders": [{"use": "quantile", "q": 0.8}],
        "metrics": ["image_auroc", "image_f1"],
        **changes,
    }


@pytest.fixture(scope="module")
def own(shared_bench: Any) -> Path:
    shared_bench.run(out="own", **suite())
    return shared_bench.folder / "own"


@pytest.fixture(scope="module")
def alice(shared_bench: Any) -> Path:
    """Submits another `knn`, and the same `floor`."""
    return submitted(shared_bench, "alice", **suite(0.9))


@pytest.fixture(scope="module")
def carol(shared_bench: Any) -> Path:
    """Submits data of the same name that is not the same."""
    return submitted(shared_bench, "carol", **suite(data=[DATA | {"size": 56}]))


def submitted(bench: Any, by: str, **asked: Any) -> Path:
    bench.run(out=f"run-{by}", **asked)
    return pack_run(bench.folder / f"run-{by}", bench.folder / f"{by}.adbundle",
                    Submission(by)).path  # fmt: skip


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def origins(folder: Path) -> dict[tuple[str, str, str], tuple[str, str]]:
    """(Data set, protocol, method) -> (status, source)."""
    run, cells = read_run(folder)
    return {
        (c.dataset, c.protocol, c.method): (run.origins[c.id].status, run.origins[c.id].source)
        for c in cells
    }


def test_rows_are_marked_by_what_verifying_found(own: Path, alice: Path, tmp_path: Path) -> None:
    merge([own, alice], tmp_path / "board")
    found = origins(tmp_path / "board")
    assert found["textures", "per-class", "knn"] == ("run here", "tiny")
    assert found["textures", "per-class", "knn (alice)"] == ("verified", "alice")
    assert found["textures", "per-class", "floor"] == ("re-run", "tiny")
    assert len(found) == 6
    run = read_run(tmp_path / "board")[0]
    assert all(
        origin.also == (["alice"] if origin.status == "re-run" else [])
        for origin in run.origins.values()
    )
    assert {o.note for o in run.origins.values() if o.source == "alice"} == {
        "a method of this name has other parameters elsewhere"
    }
    assert run.methods["knn (alice)"]["bank"]["params"]["ratio"] == 0.9


def test_the_order_of_arguments_changes_no_byte_and_neither_does_a_second_merge(
    own: Path, alice: Path, carol: Path, tmp_path: Path
) -> None:
    merge([own, alice, carol], tmp_path / "board")
    merge([carol, alice, own, alice], tmp_path / "other")
    first = tree(tmp_path / "board")
    assert tree(tmp_path / "other") == first
    merge([alice, own, carol], tmp_path / "board")
    assert tree(tmp_path / "board") == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board", "other"]


def test_no_source_is_touched(own: Path, alice: Path, tmp_path: Path) -> None:
    before, links = tree(own), {p: p.stat().st_nlink for p in own.rglob("*") if p.is_file()}
    bundle = alice.read_bytes()
    merge([own, alice], tmp_path / "board")
    assert tree(own) == before
    assert {p: p.stat().st_nlink for p in own.rglob("*") if p.is_file()} == links
    assert alice.read_bytes() == bundle


def test_data_sets_of_one_name_that_are_not_one_are_told_apart(
    own: Path, carol: Path, tmp_path: Path
) -> None:
    merge([own, carol], tmp_path / "board")
    run, cells = read_run(tmp_path / "board")
    assert [data.name for data in run.datasets] == ["textures", "textures (carol)"]
    assert len({data.fingerprint for data in run.datasets}) == 2
    assert {cell.dataset for cell in cells} == {"textures", "textures (carol)"}
    notes = {run.origins[c.id].note for c in cells if c.dataset == "textures (carol)"}
    assert all("of another data set of this name: fingerprint" in (note or "") for note in notes)
    assert "of another data set of this name" in (tmp_path / "board/leaderboard.html").read_text()


def test_pictures_of_own_runs_stay_with_their_own_data(
    bench: Any, own: Path, tmp_path: Path
) -> None:
    bench.run(out="other", **suite(data=[DATA | {"size": 56}]))
    merge([own, bench.folder / "other"], tmp_path / "board")
    run, _ = read_run(tmp_path / "board")
    bare = next(data for data in run.datasets if data.name == "textures")
    homes = [read_run(folder)[0] for folder in (own, bench.folder / "other")]
    home = next(one for one in homes if one.datasets[0].fingerprint == bare.fingerprint)
    assert run.gallery == home.gallery
    assert {image.width for image in run.gallery} == {home.gallery[0].width}


def test_the_same_data_divided_otherwise_is_told_apart(
    bench: Any, own: Path, tmp_path: Path
) -> None:
    other = {"calibration": {"normal": 0.4, "anomalous": 0.3}, "seed": 42}
    dave = submitted(bench, "dave", **suite(split=other))
    merge([own, dave], tmp_path / "board")
    run, _ = read_run(tmp_path / "board")
    assert [data.name for data in run.datasets] == ["textures", "textures (dave)"]


def test_every_cell_keeps_the_conditions_under_which_it_was_judged(
    own: Path, alice: Path, carol: Path, shared_bench: Any, tmp_path: Path
) -> None:
    merge([own, alice, carol], tmp_path / "board")
    run, cells = read_run(tmp_path / "board")
    known = {}
    for folder in (own, shared_bench.folder / "run-alice", shared_bench.folder / "run-carol"):
        source, its = read_run(folder)
        for cell in its:
            told = {name: one.key for name, one in conditions(source, cell).items()}
            known[tuple(cell.scorings), cell.protocol] = told
    for cell in cells:
        told = {name: one.key for name, one in conditions(run, cell).items()}
        assert told == known[tuple(cell.scorings), cell.protocol]
        assert cell.id == digest(cell.identity)
        assert cell.identity["names"]["method"] == cell.method


def test_where_nobody_ran_it_here_each_submitter_is_named(
    alice: Path, bench: Any, tmp_path: Path
) -> None:
    bob = submitted(bench, "bob", **suite(0.5))
    merge([alice, bob], tmp_path / "board")
    found = origins(tmp_path / "board")
    methods = {method for _, _, method in found}
    assert methods == {"floor", "knn (alice)", "knn (bob)"}
    assert found["textures", "per-class", "floor"][0] == "verified"


def test_equal_numbers_of_two_submitters_are_one_row(
    alice: Path, shared_bench: Any, tmp_path: Path
) -> None:
    eve = pack_run(shared_bench.folder / "run-alice", tmp_path / "eve", Submission("eve")).path
    merge([alice, eve], tmp_path / "board")
    run = read_run(tmp_path / "board")[0]
    assert len(run.cells) == 4
    for origin in run.origins.values():
        assert {origin.source, *origin.also} == {"alice", "eve"}
        assert origin.status == "verified"


def test_two_submitters_of_one_name_are_told_apart_by_their_bundles(
    alice: Path, bench: Any, tmp_path: Path
) -> None:
    other = submitted(bench, "alice", **suite(0.5))
    merge([alice, other], tmp_path / "board")
    names = {m for _, _, m in origins(tmp_path / "board") if m.startswith("knn")}
    assert len(names) == 2
    assert all(name.startswith("knn (alice ") for name in names)


def test_a_bundle_cannot_take_a_name_that_merging_gives(alice: Path, tmp_path: Path) -> None:
    def rename(run: Any) -> None:
        run["methods"]["floor (alice)"] = run["methods"].pop("floor")

    named = edited(forgery.members_of(alice), "run.json", rename)
    bad = forged_file(tmp_path / "bad", forged(named))
    with pytest.raises(StoreError, match="no suite can give"):
        merge([bad], tmp_path / "board")


def test_pixel_numbers_stay_self_reported(bench: Any, own: Path, tmp_path: Path) -> None:
    asked = suite(metrics=["image_auroc", "pixel_auroc"], methods=[{**knn(0.3), "name": "new"}])
    merge([own, submitted(bench, "bob", **asked)], tmp_path / "board")
    run, cells = read_run(tmp_path / "board")
    bobs = [run.origins[cell.id] for cell in cells if cell.method == "new"]
    assert {origin.status for origin in bobs} == {"self-reported"}
    assert all(origin.not_recomputed == ["pixel_auroc"] for origin in bobs)
    page = (tmp_path / "board/leaderboard.html").read_text()
    assert "not recomputed: pixel_auroc" in page
    told = json.loads((tmp_path / "board/leaderboard.json").read_text())["rows"]
    assert {row["origin"]["status"] for row in told} == {"run here", "self-reported"}
    with (tmp_path / "board/leaderboard.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert {(line["origin"], line["source"]) for line in lines} == {
        ("run here", "tiny"), ("self-reported", "bob"),
    }  # fmt: skip


def forged_file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def lie(members: Members) -> bytes:
    name = next(name for name in members if name.endswith("result.json"))

    def change(record: Any) -> None:
        for what in ("value", "high"):
            record["rows"][0]["metrics"]["image_auroc"][what] = 1.0

    return forged(edited(members, name, change))


def test_a_bundle_that_disagrees_is_not_merged_and_nothing_is_written(
    own: Path, alice: Path, tmp_path: Path, capsys: Any
) -> None:
    bad = forged_file(tmp_path / "bad", lie(forgery.members_of(alice)))
    with pytest.raises(Disagrees, match="image_auroc"):
        merge([own, bad], tmp_path / "board")
    assert main.run(["merge", str(own), str(bad), "--out", str(tmp_path / "board")]) == 1
    assert "image_auroc" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["bad"]


def test_labels_that_contradict_ones_own_data_are_refused(
    own: Path, alice: Path, tmp_path: Path
) -> None:
    """Scores are moved with the labels, so every number agrees with the scores."""

    def exchange(arrays: dict[str, Any]) -> None:
        at = [i for i, name in enumerate(arrays["classes"]) if name == "brick"]
        ends = [next(i for i in at if arrays["labels"][i] == label) for label in (0, 1)]
        arrays["samples"][ends] = arrays["samples"][ends[::-1]]

    members = forgery.members_of(alice)
    for name in [name for name in members if name.endswith("scores.npz")]:
        members = rearranged(members, name, exchange)
    bad = forged_file(tmp_path / "bad", forged(members))
    assert main.run(["verify", str(bad)]) == 0
    with pytest.raises(StoreError, match=r"the image .* of textures is brick, label"):
        merge([own, bad], tmp_path / "board")


def test_costs_that_are_counted_differently_are_not_one_column(bench: Any, tmp_path: Path) -> None:
    asked = suite(metrics=["image_auroc", "image_cost"])
    bench.run(out="cheap", **asked, deployment={"miss_cost": 5.0})
    bench.run(out="dear", **asked, deployment={"miss_cost": 50.0})
    with pytest.raises(StoreError, match="count costs differently"):
        merge([bench.folder / "cheap", bench.folder / "dear"], tmp_path / "board")


def test_only_a_merged_folder_is_replaced(own: Path, alice: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    for out in (tmp_path / "mine", own, own.parent):
        before = tree(out)
        with pytest.raises(StoreError):
            merge([own, alice], out)
        assert tree(out) == before


def test_a_merge_that_is_killed_leaves_what_was_there(
    own: Path, alice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge([own], tmp_path / "board")
    before = tree(tmp_path / "board")

    def killed(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["adharness.bundle.merge"], "write_report", killed)
    for out in ("board", "fresh"):
        with pytest.raises(KeyboardInterrupt):
            merge([own, alice], tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == ["board"]
    assert tree(tmp_path / "board") == before


def test_what_is_merged_is_neither_merged_nor_bundled_again(
    own: Path, alice: Path, tmp_path: Path
) -> None:
    merge([own, alice], tmp_path / "board")
    with pytest.raises(StoreError, match="itself merged"):
        merge([tmp_path / "board"], tmp_path / "more")
    with pytest.raises(StoreError, match="merged from several"):
        pack_run(tmp_path / "board", tmp_path / "x")


def test_a_merged_folder_is_a_run_that_the_report_reads(
    own: Path, alice: Path, tmp_path: Path
) -> None:
    merge([own, alice], tmp_path / "board")
    before = tree(tmp_path / "board")
    assert main.run(["report", str(tmp_path / "board")]) == 0
    assert tree(tmp_path / "board") == before


class Elements(HTMLParser):
    """Counts elements, and notes attributes that run something."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.handlers += [v for _, v in attrs if v and v.lower().startswith("javascript:")]


def elements(path: Path) -> Elements:
    parser = Elements()
    parser.feed(path.read_text())
    return parser


def with_markup(members: Members) -> bytes:
    """Put markup wherever a bundle may have text."""
    run = json.loads(members["run.json"])
    run |= {"suite_text": f"</pre>{MARKUP}</script>", "command": MARKUP,
            "suite_file": MARKUP, "started": MARKUP}  # fmt: skip
    run["skipped"] = [{"dataset": "textures", "path": MARKUP, "message": MARKUP}]
    run["provenance"] = {MARKUP: MARKUP, "cpu": MARKUP, "git": {"commit": MARKUP, "dirty": True}}
    run["datasets"][0] |= {"licence": MARKUP, "citation": MARKUP, "url": "javascript:alert(1)"}
    for told in run["methods"].values():
        told["scorer"]["params"] |= {MARKUP: MARKUP}
    found = {name: c for name, c in members.items() if not name.startswith("cells/")}
    for number, cell in enumerate(list(run["cells"])):
        record = json.loads(members[f"cells/{cell}/result.json"])
        scores = members[f"cells/{cell}/scores.npz"]
        for part in ("extractor", "bank", "scorer"):
            record[part] = record["identity"]["names"][part] = MARKUP + record[part]
        record["image_score"], record["facts"] = MARKUP, {MARKUP: 1.0}
        record["versions"] |= {MARKUP: MARKUP}
        record["id"] = run["cells"][number] = digest(record["identity"])
        found[f"cells/{record['id']}/result.json"] = forgery.dumped(record)
        found[f"cells/{record['id']}/scores.npz"] = scores
    manifest = json.loads(members["manifest.json"]) | {"submitter": MARKUP, "contact": MARKUP}
    return forged({**found, "run.json": forgery.dumped(run),
                   "manifest.json": forgery.dumped(manifest)})  # fmt: skip


def test_markup_of_a_bundle_is_text_on_the_page(own: Path, alice: Path, tmp_path: Path) -> None:
    plain = forged_file(tmp_path / "plain", forged(forgery.members_of(alice)))
    bad = forged_file(tmp_path / "bad", with_markup(forgery.members_of(alice)))
    merge([own, plain], tmp_path / "harmless")
    merge([own, bad], tmp_path / "board")
    page = tmp_path / "board/leaderboard.html"
    found, harmless = elements(page), elements(tmp_path / "harmless/leaderboard.html")
    assert found.handlers == []
    for tag in ("script", "img", "iframe", "style", "link", "object", "form"):
        assert found.counts.get(tag, 0) == harmless.counts.get(tag, 0)
    assert "&lt;img src=x onerror" in page.read_text()


def test_merging_nothing_is_a_usage_error(tmp_path: Path) -> None:
    assert main.run(["merge", "--out", str(tmp_path / "x")]) == 2
