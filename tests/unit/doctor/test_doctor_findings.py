from __future__ import annotations

import re
from pathlib import Path

import pytest

import broken_set
from adharness import Counts, DataError, DatasetSpec, Expected, Licence
from adharness.data import FOLDER, MVTEC, TEXTURES, FolderDataset, FolderSource, RootParams
from adharness.data.doctor import Diagnosis, Finding, examine_folder, examine_set

COUNTS = Counts(train=4, good=2, anomalous=3)


def published(*classes: str, counts: Counts = COUNTS) -> DatasetSpec:
    source = FolderSource("hardware", Licence("mine"), MVTEC, classes=classes)
    return DatasetSpec(
        name="hardware",
        params=RootParams,
        make=lambda params: FolderDataset(params.root, source),
        summary="Bolts and nuts.",
        expected=Expected(classes, dict.fromkeys(classes, counts)),
    )


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    root = broken_set.make_broken(tmp_path_factory.mktemp("broken") / "set")
    return examine_folder(root, [FOLDER])


def found(diagnosis: Diagnosis, check: str) -> list[Finding]:
    return [finding for finding in diagnosis.findings if finding.check == check]


@pytest.mark.parametrize("way", broken_set.BREAKS)
def test_each_way_of_breaking_a_set_is_found_with_its_path_and_severity(
    broken: Diagnosis, way: str
) -> None:
    check, severity, path = broken_set.BREAKS[way]
    told = [f for f in found(broken, check) if f.path == path]
    assert [f.severity for f in told] == [severity], broken.findings
    assert told[0].cure
    assert told[0].message


def test_nothing_is_found_that_was_not_broken(broken: Diagnosis) -> None:
    meant = {(check, path) for check, _, path in broken_set.BREAKS.values()}
    assert {(f.check, f.path) for f in broken.findings} == meant


def test_a_broken_set_has_errors_and_they_come_first(broken: Diagnosis) -> None:
    assert broken.broken
    order = ["error", "warning", "note"]
    severities = [order.index(f.severity) for f in broken.findings]
    assert severities == sorted(severities)


def test_copies_name_each_other(broken: Diagnosis) -> None:
    assert found(broken, "leaked-copy")[0].also == ("bolt/train/good/001.png",)
    assert found(broken, "copy")[0].also == ("bolt/train/good/071.png",)
    assert found(broken, "near-copy")[0].also == ("bolt/train/good/002.png",)


def test_a_healthy_set_has_no_finding(tmp_path: Path) -> None:
    root = broken_set.make_healthy(tmp_path / "set", "bolt", "nut")
    diagnosis = examine_folder(root, [FOLDER])
    assert diagnosis.findings == ()
    assert not diagnosis.broken
    assert [(c.name, c.found, c.masks) for c in diagnosis.classes] == [
        ("bolt", COUNTS, 3),
        ("nut", COUNTS, 3),
    ]
    assert diagnosis.images == 18


def test_the_textures_have_no_finding() -> None:
    diagnosis = examine_set(TEXTURES, None)
    assert diagnosis.findings == ()
    assert diagnosis.images == 270


def test_a_published_set_is_recognised_before_a_general_reader(tmp_path: Path) -> None:
    root = broken_set.make_healthy(tmp_path / "set", "bolt", "nut")
    diagnosis = examine_folder(root, [FOLDER, published("bolt", "nut")])
    assert diagnosis.reader is not None
    assert diagnosis.reader.name == "hardware"
    assert diagnosis.findings == ()


def test_a_broken_copy_of_a_published_set_is_recognised_by_its_classes(tmp_path: Path) -> None:
    root = broken_set.make_healthy(tmp_path / "set", "bolt", "nut")
    (root / "nut/train/good/003.png").unlink()
    diagnosis = examine_folder(root, [FOLDER, published("bolt", "nut", "screw")])
    assert diagnosis.reader is not None
    assert diagnosis.reader.name == "hardware"
    assert [(f.check, f.path, f.severity) for f in diagnosis.findings] == [
        ("missing-class", "screw", "error"),
        ("wrong-count", "nut", "error"),
    ]
    assert "train 3 instead of 4" in diagnosis.findings[1].message


def test_a_few_classes_of_a_published_set_are_a_folder_of_ones_own(tmp_path: Path) -> None:
    root = broken_set.make_healthy(tmp_path / "set", "bolt")
    diagnosis = examine_folder(root, [FOLDER, published("bolt", "nut", "screw")])
    assert diagnosis.reader is FOLDER
    asked = examine_folder(root, [FOLDER, published("bolt", "nut", "screw")], use="hardware")
    assert [f.path for f in found(asked, "missing-class")] == ["nut", "screw"]


def test_a_set_with_labels_only_gets_one_note(tmp_path: Path) -> None:
    root = broken_set.make_healthy(tmp_path / "set", "bolt", "nut")
    for name in ("bolt", "nut"):
        broken_set._remove_masks(root / name)
    diagnosis = examine_folder(root, [FOLDER])
    assert [(f.severity, f.check) for f in diagnosis.findings] == [("note", "no-masks")]


def test_a_folder_that_nothing_reads_says_what_each_reader_said(tmp_path: Path) -> None:
    broken_set.save(tmp_path / "holiday/beach.png", broken_set.pixels(1))
    (tmp_path / "holiday/sea.png").write_text("water")
    diagnosis = examine_folder(tmp_path, [FOLDER])
    assert diagnosis.reader is None
    (unknown,) = found(diagnosis, "unknown-layout")
    assert unknown.message.count("folder: ") == 1
    assert "--use" in unknown.cure
    assert [f.path for f in found(diagnosis, "unreadable-file")] == ["holiday/sea.png"]


def test_a_reader_that_breaks_stops_nothing(tmp_path: Path) -> None:
    def make(params: RootParams) -> FolderDataset:
        raise ZeroDivisionError("mine")

    spec = DatasetSpec(name="wild", params=RootParams, make=make, summary="Breaks.")
    root = broken_set.make_healthy(tmp_path / "set", "bolt")
    diagnosis = examine_folder(root, [spec, FOLDER])
    assert [t.refusal for t in diagnosis.trials] == ["ZeroDivisionError: mine", ""]
    assert diagnosis.findings == ()


def test_an_unknown_reader_or_folder_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no reader of folders is called 'fodler'") as caught:
        examine_folder(tmp_path, [FOLDER], use="fodler")
    assert "folder" in str(caught.value.hint)
    with pytest.raises(DataError, match="does not exist"):
        examine_folder(tmp_path / "nowhere", [FOLDER])


def test_a_link_that_leaves_the_root_is_told_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    root = broken_set.make_healthy(tmp_path / "set", "bolt", "nut")
    (tmp_path / "elsewhere").mkdir()
    (root / "nut/test/dent").symlink_to(tmp_path / "elsewhere")
    diagnosis = examine_folder(root, [FOLDER])
    assert diagnosis.broken
    assert any("leaves the root" in f.message for f in diagnosis.findings)
    assert "bolt" in [c.name for c in diagnosis.classes]


def test_every_check_is_in_the_documentation_with_its_severity() -> None:
    root = Path(__file__).resolve().parents[3]
    files = (root / "adharness/data/doctor").glob("*.py")
    source = "".join(f.read_text(encoding="utf-8") for f in files if f.name != "findings.py")
    told = set(re.findall(r'"(error|warning|note)",\s*"([a-z-]+)"', source))
    told |= {("error", "unreadable-set"), ("note", "mixed-sizes"), ("note", "mixed-modes")}
    guide = (root / "docs/data.md").read_text(encoding="utf-8")
    table = guide.partition("## Is the data right?")[2]
    rows = re.findall(r"^\| (`[^|]+) \| (\w+) \|", table, flags=re.MULTILINE)
    pairs = [(severity, name) for names, severity in rows for name in names.split(", ")]
    assert {(severity, name.strip("`")) for severity, name in pairs} == told
