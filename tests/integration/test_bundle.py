"""`adharness bundle` and `verify`: what a run gives away, and what no forger can change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import forgery
from adharness.bundle import Packed, pack_run, verify_bundle
from adharness.bundle.pack import Submission
from adharness.bundle.verify import Verdict
from adharness.cli import main
from adharness.errors import StoreError
from adharness.report.reading import read_run
from adharness.store.folder import RunFolder
from forgery import Members, edited, forged, rearranged

pytestmark = pytest.mark.slow

FLOOR = {"name": "floor", "extractor": "px", "bank": {"use": "all"},
         "scorer": {"use": "random-scores"}}  # fmt: skip
KNN = {"name": "knn", "extractor": "px", "bank": {"use": "random", "ratio": 0.1},
       "scorer": {"use": "knn-faiss"}}  # fmt: skip
DATA = {"use": "textures", "size": 48, "train": 8, "good": 5, "per_defect": 1}
BASE: dict[str, Any] = {
    "data": [DATA],
    "protocols": ["per-class", "absolute-unified"],
    "methods": [FLOOR, KNN],
    "normalizers": [{"use": "zscore"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "metrics": ["image_auroc", "image_ap", "image_f1", "image_precision", "image_f1_oracle",
                "image_cost", "pixel_auroc", "pixel_aupimo"],
}  # fmt: skip
IMAGE_METRICS = [name for name in BASE["metrics"] if name.startswith("image")]

SETTINGS = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def run(shared_bench: Any) -> Path:
    shared_bench.run(**BASE)
    return shared_bench.out


@pytest.fixture(scope="module")
def packed(run: Path) -> Packed:
    return pack_run(run, run.parent / "run.adbundle", Submission("alice", "https://example.org"))


@pytest.fixture(scope="module")
def members(packed: Packed) -> Members:
    return forgery.members_of(packed.path)


def verified(tmp_path: Path, data: bytes) -> Verdict:
    path = tmp_path / "forged"
    path.write_bytes(data)
    return verify_bundle(path)


def cell_ids(members: Members) -> list[str]:
    return json.loads(members["run.json"])["cells"]


def result(members: Members, cell: str) -> str:
    return f"cells/{cell}/result.json"


def test_a_bundle_of_a_run_is_verified(packed: Packed) -> None:
    verdict = verify_bundle(packed.path)
    assert verdict.disagreements == []
    assert verdict.not_recomputed == ["pixel_auroc", "pixel_aupimo"]
    assert verdict.numbers > 4 * 5 * len(IMAGE_METRICS)
    assert {cell.status for cell in verdict.cells} == {"self-reported"}


@pytest.mark.parametrize("changes", [
    {"statistics": {"bootstrap": 0}},
    {"metrics": ["image_auroc", "image_f1"]},
    {"normalizers": [{"use": "raw"}, {"use": "zscore-routed"}], "methods": [FLOOR]},
    {"methods": [FLOOR | {"scorer": {"use": "mahalanobis"}, "bank": {"use": "images"}}, KNN]},
    {"seeds": [0, 1], "methods": [FLOOR], "protocols": ["routed", "model-unified"],
     "normalizers": [{"use": "raw"}]},
    {"data": [DATA | {"classes": ["brick"]}], "thresholders": [{"use": "f1"}]},
    {"split": {"calibration": {"normal": 0.3, "anomalous": 0.0}, "seed": 3}},
], ids=str)  # fmt: skip
def test_a_bundle_of_any_run_is_verified(bench: Any, changes: dict[str, Any]) -> None:
    bench.run(**{**BASE, **changes})
    verdict = verify_bundle(pack_run(bench.out, bench.folder / "bundle").path)
    assert verdict.disagreements == []
    assert verdict.numbers > 0
    pixels = any(name.startswith("pixel") for name in verdict.run.metrics)
    assert any(cell.status == "verified" for cell in verdict.cells) or pixels


def test_a_failed_class_is_verified_as_failed(run: Path, tmp_path: Path) -> None:
    """What failed has no numbers; a bundle that has some all the same is refused."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    store, (record, cells) = RunFolder(copy), read_run(copy)
    cell = cells[0]
    failure = {"stage": "fit", "type": "ValueError", "message": "no /home/alice/x.bin", "traceback":
               'File "/home/alice/x.py"'}  # fmt: skip
    names = {"brick", "macro", "pooled"}
    rows = [
        type(row)(class_name=row.class_name, status="failed", failure=failure,
                  normals=row.normals, anomalies=row.anomalies)
        if row.class_name in names else row
        for row in cell.rows
    ]  # fmt: skip
    arrays = store.cell_arrays(cell.id, "scores.npz")
    kept = {part: arrays[f"{part}classes"] != "brick" for part in ("", "calibration_")}
    scores = {
        name: values[kept["calibration_" if name.startswith("calibration") else ""]]
        for name, values in arrays.items()
    }
    broken = cell.model_copy(update={"rows": rows, "status": "partial", "files": {},
                                     "thresholds": [t for t in cell.thresholds
                                                    if t.class_name != "brick"]})  # fmt: skip
    pixels = [name for name in record.metrics if name.startswith("pixel")]
    for row in broken.rows:
        for name in pixels:
            if row.status == "ok":
                row.metrics[name] = type(row.metrics[name])(value=None, reason="not measured")
    store.put_cell(broken, {"scores.npz": scores})
    packed = pack_run(copy, tmp_path / "bundle")
    assert verify_bundle(packed.path).disagreements == []
    assert b"alice" not in packed.path.read_bytes()


def test_the_same_run_gives_the_same_bytes(run: Path, packed: Packed, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(run, moved)
    again = pack_run(moved, tmp_path / "again", Submission("alice", "https://example.org"))
    assert again.path.read_bytes() == packed.path.read_bytes()


def test_a_bundle_brings_no_pictures_and_maps_only_on_request(
    run: Path, members: Members, tmp_path: Path
) -> None:
    kinds = {name.rpartition("/")[2] for name in members}
    assert kinds == {"manifest.json", "run.json", "result.json", "scores.npz", "replicates.npz"}
    assert (run / "gallery").is_dir()
    assert json.loads(members["run.json"])["gallery"] == []
    with_maps = pack_run(run, tmp_path / "maps", Submission(maps=True))
    assert any(name.endswith("maps.npz") for name in with_maps.manifest.files)
    assert verify_bundle(with_maps.path).disagreements == []


def test_paths_of_the_submitters_machine_do_not_leave_it(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    store = RunFolder(copy)
    secret = {
        "command": "adharness run /home/alice/secret/suite.yaml --out '/mnt/big disk/out'",
        "suite_text": 'data: [{use: folder, root: "C:\\Users\\alice\\data"}]  # https://a.org/b/c',
    }
    store.put_run(store.run().model_copy(update=secret))
    packed = pack_run(copy, tmp_path / "bundle")
    told = json.loads(forgery.members_of(packed.path)["run.json"])
    assert told["command"] == "adharness run <path>/suite.yaml --out '<path>/big disk/out'"
    assert "alice" not in told["suite_text"]
    assert "https://a.org/b/c" in told["suite_text"]
    assert set(packed.scrubbed) == {"run.json: command", "run.json: suite_text"}


def test_a_run_that_is_not_finished_is_not_bundled(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    cell = read_run(copy)[1][0]
    (copy / "cells" / cell.id / "scores.npz").unlink()
    with pytest.raises(StoreError, match="1 of 4 cells are missing"):
        pack_run(copy, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


@SETTINGS
@given(data=st.data())
def test_no_single_byte_can_be_changed(data: st.DataObject, packed: Packed, tmp_path: Path) -> None:
    content = bytearray(packed.path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1), label="place")
    content[place] ^= data.draw(st.integers(1, 255), label="bits")
    with pytest.raises(StoreError):
        verified(tmp_path, bytes(content))


@SETTINGS
@given(data=st.data())
def test_a_number_changed_and_signed_again_is_found(
    data: st.DataObject, members: Members, tmp_path: Path
) -> None:
    """By whom the scores are, the number must be theirs: cell, row and metric are named."""
    cell = data.draw(st.sampled_from(cell_ids(members)), label="cell")
    row = data.draw(st.integers(0, 4), label="row")
    metric = data.draw(st.sampled_from(IMAGE_METRICS), label="metric")
    what = data.draw(st.sampled_from(["value", "low", "high"]), label="what")
    step = data.draw(st.sampled_from([1e-7, -1e-7, 0.01, -0.01, None]), label="step")
    claimed: dict[str, Any] = {}

    def change(record: Any) -> None:
        told = record["rows"][row]["metrics"][metric]
        claimed.update(row=record["rows"][row]["class_name"], before=told[what])
        old = told[what]
        told[what] = None if step is None or old is None else old + step
        if old is None:
            told.update(value=0.5, low=None, high=None)
        if what == "value" and step is None and old is not None:
            told.update(low=None, high=None, reason="lost")

    forgery_of = forged(edited(members, result(members, cell), change))
    try:
        verdict = verified(tmp_path, forgery_of)
    except StoreError as error:  # it is refused even before it is measured
        told = error.message
        event("out of its range" if "expected 0" in told else "upside down")
        return
    found = {(one.cell, one.row, one.metric) for one in verdict.disagreements}
    assert (cell, claimed["row"], metric) in found


@SETTINGS
@given(number=st.integers(0, 3), draw=st.integers(0, 999))
def test_a_score_changed_and_signed_again_moves_its_numbers(
    number: int, draw: int, members: Members, tmp_path: Path
) -> None:
    """Above all normal images an anomalous one makes the claimed numbers of its class too low."""
    name = f"cells/{cell_ids(members)[number]}/scores.npz"
    arrays = forgery.arrays_of(members[name])
    found = np.flatnonzero(arrays["labels"] == 1)
    image = found[draw % len(found)]
    below = (arrays["scores"][arrays["labels"] == 0] >= arrays["scores"][image]).any()

    def raise_score(arrays: dict[str, np.ndarray]) -> None:
        arrays["scores"][image] = arrays["raw"][image] = 1e6

    verdict = verified(tmp_path, forged(rearranged(members, name, raise_score)))
    assert verdict.disagreements or not below


@pytest.mark.parametrize("change", [
    lambda row: row["metrics"]["pixel_auroc"].update(value=0.999, high=1.0),
    lambda row: row["metrics"]["pixel_auroc"].update(low=0.0),
    lambda row: row["metrics"]["pixel_aupimo"].update(value=0.9, high=1.0),
    lambda row: row["metrics"]["pixel_aupimo"].update(spread=None),
])  # fmt: skip
def test_pixel_metrics_must_agree_with_what_lies_beside_them(
    change: Any, members: Members, tmp_path: Path
) -> None:
    """The macro mean is that of the classes, intervals are those of the replicates."""
    cell = next(
        one for one in cell_ids(members)
        if json.loads(members[result(members, one)])["method"] == "knn"
    )  # fmt: skip
    forgery_of = forged(edited(members, result(members, cell), lambda r: change(r["rows"][3])))
    assert verified(tmp_path, forgery_of).disagreements


def test_ones_own_run_agrees_number_by_number(run: Path, packed: Packed, capsys: Any) -> None:
    assert main.run(["verify", str(packed.path), "--rerun", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verified"]
    assert {cell["rerun"] for cell in told["cells"]} == {"re-run"}
    assert told["submitter"] == "alice"


def made_up(members: Members) -> bytes:
    """Scores that tell the label: every number is what the scores give, and none is true."""
    changed = dict(members)
    for cell in cell_ids(members):
        name = f"cells/{cell}/scores.npz"
        changed = rearranged(changed, name, lambda a: a.update(raw=a["raw"] + 100 * a["labels"]))
    return forged(changed)


def test_ones_own_run_that_differs_is_exit_code_1(bench: Any, packed: Packed, capsys: Any) -> None:
    slower = {"name": "knn", "extractor": "px", "bank": {"use": "random", "ratio": 0.9},
              "scorer": {"use": "knn-faiss"}}  # fmt: skip
    bench.run(**{**BASE, "methods": [slower]})
    assert main.run(["verify", str(packed.path), "--rerun", str(bench.out), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["verified"]
    states = [cell["rerun"] for cell in told["cells"]]
    assert sorted(set(states)) == ["differs", "not run here"]


def test_a_label_that_ones_own_data_does_not_have_is_refused(
    run: Path, members: Members, tmp_path: Path
) -> None:
    """Both labels are turned, so that all counts are right: only the data itself can tell."""

    def turn(arrays: dict[str, np.ndarray]) -> None:
        brick = arrays["classes"] == "brick"
        for label in (0, 1):
            at = np.flatnonzero(brick & (arrays["labels"] == label))[0]
            arrays["labels"][at] = 2 + (1 - label)
        arrays["labels"][arrays["labels"] >= 2] -= 2

    changed = dict(members)
    for cell in cell_ids(members):
        changed = rearranged(changed, f"cells/{cell}/scores.npz", turn)
        changed = {k: v for k, v in changed.items() if k != f"cells/{cell}/replicates.npz"}
    path = tmp_path / "forged"
    path.write_bytes(forged(changed))
    assert verify_bundle(path).disagreements
    assert main.run(["verify", str(path), "--rerun", str(run)]) == 2


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: Any, shared_bench: Any, run: Path) -> tuple[Path, Members]:
    """A suite of one class without resamples, and the bundle of its run, with maps."""
    asked = {
        "data": [DATA | {"classes": ["brick"]}],
        "methods": [KNN],
        "normalizers": [{"use": "raw"}],
        "metrics": ["image_auroc", "pixel_auroc", "pixel_aupimo"],
        "statistics": {"bootstrap": 0},
    }
    shared_bench.run(out="mapped", **{**BASE, **asked})
    suite = tmp_path_factory.mktemp("mapped") / "suite.yaml"
    suite.write_text((shared_bench.folder / "tiny.yaml").read_text())
    out = shared_bench.folder / "mapped.adbundle"
    pack_run(shared_bench.folder / "mapped", out, Submission(maps=True))
    return suite, forgery.members_of(out)


def verify_by(suite: Path, path: Path, content: bytes, *options: str) -> int:
    path.write_bytes(content)
    return main.run(["verify", str(path), "--data", str(suite), *options])


def test_with_data_and_maps_every_number_is_measured_again(
    mapped: tuple[Path, Members], tmp_path: Path, capsys: Any
) -> None:
    suite, members = mapped
    assert verify_by(suite, tmp_path / "x", forged(members), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {cell["status"] for cell in told["cells"]} == {"verified"}
    assert told["not_recomputed"] == []


def test_pixel_numbers_that_only_the_masks_can_refute_are_found_by_them(
    mapped: tuple[Path, Members], tmp_path: Path, capsys: Any
) -> None:
    suite, members = mapped

    def better(record: Any) -> None:
        for row in record["rows"]:
            row["metrics"]["pixel_auroc"]["value"] = 0.999

    lie = forged(edited(members, result(members, cell_ids(members)[0]), better))
    assert {cell.status for cell in verified(tmp_path, lie).cells} == {"self-reported"}
    assert verify_by(suite, tmp_path / "x", lie) == 1
    assert "pixel_auroc" in capsys.readouterr().out


def test_images_and_maps_must_be_those_of_the_data_at_hand(
    mapped: tuple[Path, Members], tmp_path: Path, capsys: Any
) -> None:
    suite, members = mapped
    cell = cell_ids(members)[0]
    maps, scores = (f"cells/{cell}/{name}.npz" for name in ("maps", "scores"))
    forgeries = {
        "other sizes": rearranged(members, maps, lambda a: a["sizes"].fill(2**40)),
        "other images": rearranged(members, maps, lambda a: a.update(samples=a["samples"][::-1])),
        "cannot be drawn": rearranged(members, maps, lambda a: a["input_size"].fill(10**9)),
        "drawn otherwise": rearranged(members, maps, lambda a: a.update(smooth_px=np.array(1.5))),
        "missing here": rearranged(members, scores, lambda a: a["samples"].__setitem__(0, "new")),
    }
    for message, forgery_of in forgeries.items():
        lie = forged(forgery_of)
        assert verify_by(suite, tmp_path / "x", lie) == 2
        assert message in capsys.readouterr().err


def test_data_of_another_fingerprint_judges_nothing(
    mapped: tuple[Path, Members], tmp_path: Path, capsys: Any
) -> None:
    suite, members = mapped
    other = tmp_path / "other.yaml"
    other.write_text(suite.read_text().replace("size: 48", "size: 64"))
    assert verify_by(other, tmp_path / "x", forged(members)) == 0
    assert "self-reported: pixel_auroc" in capsys.readouterr().out


def test_the_command_prints_what_disagrees_and_exits_with_1(
    members: Members, tmp_path: Path, capsys: Any
) -> None:
    cell = cell_ids(members)[0]
    path = tmp_path / "forged"

    def change(record: Any) -> None:
        record["rows"][0]["metrics"]["image_auroc"]["value"] = 1.0
        record["rows"][0]["metrics"]["image_auroc"]["high"] = 1.0

    path.write_bytes(forged(edited(members, result(members, cell), change)))
    assert main.run(["verify", str(path)]) == 1
    told = capsys.readouterr().out
    assert cell in told
    assert "brick" in told
    assert "image_auroc" in told
    assert "refused" in told


def test_the_command_bundles_and_says_what_went_in(run: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "x.adbundle"
    assert main.run(["bundle", str(run), "--out", str(out), "--by", "bob"]) == 0
    told = capsys.readouterr().out
    assert "scores.npz" in told
    assert "by bob" in told
    assert verify_bundle(out).manifest.submitter == "bob"


def test_a_submitters_name_with_a_control_character_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="--by"):
        pack_run(run, tmp_path / "x", Submission("a\x1b[2J"))
