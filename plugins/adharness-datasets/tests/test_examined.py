"""The doctor knows each published set in miniature, and finds what is broken in it."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from adharness.data import FOLDER
from adharness.data.doctor import Finding, examine_folder, examine_set
from adharness_datasets import ELPV, SETS
from adharness_datasets.downloads import DOWNLOADS
from adharness_datasets.elpv import ElpvDataset, ElpvParams
from miniatures import MINIATURES, Miniature, write

SPECS = (FOLDER, *SETS)
# The miniatures hold a few pictures of one colour: copies of each other, and fewer than published.
OF_MINIATURES = {"wrong-count", "label-conflict", "leaked-copy", "copy", "mixed-modes"}
OF_LAYOUTS = {"unread-folder", "orphan-mask"}
each = pytest.mark.parametrize(
    "miniature", MINIATURES, ids=lambda m: f"{m.use}-{'Data/' in m.image}"
)


def examine(root: Path) -> tuple[str, dict[str, list[Finding]]]:
    diagnosis = examine_folder(root, SPECS)
    assert diagnosis.reader is not None
    by_check: dict[str, list[Finding]] = {}
    for finding in diagnosis.findings:
        by_check.setdefault(finding.check, []).append(finding)
    return diagnosis.reader.name, by_check


@each
def test_each_set_is_recognised_and_found_healthy_but_for_its_size(
    miniature: Miniature, tmp_path: Path
) -> None:
    name, found = examine(write(tmp_path, miniature.files()))
    assert name == miniature.use
    assert set(found) <= OF_MINIATURES | OF_LAYOUTS
    assert not any(f.severity == "error" for check in OF_LAYOUTS for f in found.get(check, ()))


def test_defects_among_the_training_images_of_kolektor_sdd2_are_no_strays(tmp_path: Path) -> None:
    kolektor = next(m for m in MINIATURES if m.use == "kolektor-sdd2")
    _, found = examine(write(tmp_path, kolektor.files()))
    assert not OF_LAYOUTS & set(found)


@each
def test_a_corrupt_image_and_a_corrupt_mask_of_each_set_are_found(
    miniature: Miniature, tmp_path: Path
) -> None:
    root = write(tmp_path, miniature.files())
    truth = root / miniature.truth
    masks = [path for path in (truth, *truth.glob("*")) if path.is_file() and miniature.truth]
    broken = [miniature.image, *(path.relative_to(root).as_posix() for path in masks)]
    assert len(broken) > bool(miniature.truth)
    for name in broken:
        (root / name).write_bytes(b"no picture")
    _, found = examine(root)
    assert sorted(f.path for f in found["unreadable-file"]) == sorted(broken)


def test_the_published_counts_are_compared(tmp_path: Path) -> None:
    mvtec = next(m for m in MINIATURES if m.use == "mvtec-ad")
    _, found = examine(write(tmp_path, mvtec.files()))
    bottle = next(f for f in found["wrong-count"] if f.path == "bottle")
    assert bottle.severity == "error"
    assert "train 2 instead of 209" in bottle.message


def test_a_copy_of_mvtec_ad_without_two_classes_is_mvtec_ad_without_two_classes(
    tmp_path: Path,
) -> None:
    mvtec = next(m for m in MINIATURES if m.use == "mvtec-ad")
    gone = ("bottle/", "zipper/")
    files = {name: b for name, b in mvtec.files().items() if not name.startswith(gone)}
    name, found = examine(write(tmp_path, files))
    assert name == "mvtec-ad"
    assert [f.path for f in found["missing-class"]] == ["bottle", "zipper"]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("elpv_dataset") is None, reason="needs: pip install elpv-dataset")
def test_elpv_has_labels_only_and_is_healthy() -> None:
    half = ElpvParams(classes=("mono",))
    mono = replace(ELPV, make=lambda params: ElpvDataset(half), expected=None)
    diagnosis = examine_set(mono, None)
    assert [(f.severity, f.check) for f in diagnosis.findings] == [("note", "no-masks")]
    assert diagnosis.images == 901


def test_only_sets_that_exist_have_a_download_and_it_is_complete() -> None:
    named = {spec.name: spec for spec in SETS}
    assert set(DOWNLOADS) <= set(named)
    for name, record in DOWNLOADS.items():
        assert named[name].download is record
        assert record.url.startswith("https://")
        assert len(bytes.fromhex(record.sha256)) == 32


def test_sets_behind_a_form_have_no_download() -> None:
    gated = [s for s in SETS if s.name.startswith("mvtec") or s.name == "real-iad"]
    assert len(gated) == 5
    assert all(spec.download is None for spec in gated)
