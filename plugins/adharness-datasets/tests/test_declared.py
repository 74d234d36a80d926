"""The doctor on sets that declare their regions one by one, in miniature."""

from __future__ import annotations

from pathlib import Path

import pytest

from adharness.data.doctor import Finding, examine_set
from adharness_datasets import SETS
from miniatures import MINIATURES, SATURATIONS, Files, mask, write

MASK = "pushpins/ground_truth/logical_anomalies/000/001.png"
CONFIG = "pushpins/defects_config.json"


def found(root: Path, **broken: bytes | None) -> list[Finding]:
    """What the doctor says of regions in a copy of MVTec LOCO, whose files are exchanged."""
    files: Files = next(one for one in MINIATURES if one.use == "mvtec-loco").files()
    files |= {name: content for name, content in broken.items() if content is not None}
    for name, content in broken.items():
        if content is None:
            del files[name]
    spec = next(spec for spec in SETS if spec.name == "mvtec-loco")
    told = examine_set(spec, write(root / "loco", files)).findings
    return [one for one in told if one.check in ("unreadable-saturations", "undeclared-region")]


def test_a_whole_set_has_no_such_finding(tmp_path: Path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize("content", [b"{", b"[{}]", None], ids=["cut-off", "no-keys", "gone"])
def test_a_list_of_saturations_that_cannot_be_read_is_told_once(tmp_path: Path, content) -> None:
    (one,) = found(tmp_path, **{CONFIG: content})
    assert (one.severity, one.check, one.path) == ("error", "unreadable-saturations", CONFIG)
    assert "cannot read the saturations" in one.message


@pytest.mark.parametrize(
    ("content", "says"),
    [(mask(17), "the grey value 17 of mask"), (mask(0), "is empty")],
    ids=["unnamed", "empty"],
)
def test_a_region_that_the_list_does_not_name_is_told(tmp_path: Path, content, says) -> None:
    (one,) = found(tmp_path, **{MASK: content})
    assert (one.severity, one.check, one.path) == ("error", "undeclared-region", MASK)
    assert says in one.message


def test_a_mask_that_is_no_picture_is_left_to_the_check_of_files(tmp_path: Path) -> None:
    assert found(tmp_path, **{MASK: b"nothing"}) == []


def test_other_values_of_the_list_are_other_regions(tmp_path: Path) -> None:
    swapped = SATURATIONS.replace(b"251", b"250")
    assert {one.path.split("/")[0] for one in found(tmp_path, **{CONFIG: swapped})} == {"pushpins"}
