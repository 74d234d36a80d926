from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest

from adharness.errors import StoreError
from adharness.report.boards import board_tables
from adharness.report.class_tables import class_tables
from adharness.report.export import to_csv, to_json
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.page import build_page, render_page
from adharness.report.reading import read_run
from adharness.report.reference_lines import SHOWN
from adharness.report.reference_rows import (
    CLASSES,
    HEADER,
    parse_rows,
    reference_rows,
    wanted_rows,
)
from adharness.report.view import Table
from adharness.suite.schema import Document
from published_rows import clean

GOOD = "mvtec-ad,per-class,PatchCore,WR50,macro,image_auroc,exact,image_auroc,0.991,primary,,A,"
RAW = {
    "protocol": "model_unified", "method": "RD", "variant": "ADer", "dataset": "mvtec_ad",
    "class": "avg", "metric": "aupro_0.30", "value": "91.10", "tier": "primary", "note": "",
    "source": "zhangzjn/ADer@902937a:configs/benchmark/README.md",
}  # fmt: skip


@pytest.fixture(scope="module")
def board(fake_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Leaderboard:
    folder = fake_run(published=True, thresholders=["f1"]).write(tmp_path_factory.mktemp("ad"))
    return leaderboard(*read_run(folder))


def shown(board: Leaderboard, **changes: Any) -> tuple[list[Table], list[Table]]:
    board = replace(board, run=board.run.model_copy(update=changes))
    return board_tables(board), class_tables(board)


def test_the_shipped_rows_are_valid_and_sorted() -> None:
    rows = reference_rows()
    assert len(rows) == 4802
    keys = [(row.dataset, row.protocol, row.method, row.variant) for row in rows]
    assert keys == sorted(keys)
    assert {name for name in CLASSES if wanted_rows(rows, "all", name)} == {*CLASSES}


def test_a_published_mean_of_all_classes_is_the_mean_of_the_published_classes() -> None:
    rows = [
        row for row in reference_rows()
        if row.variant.startswith("IM224_WR50") and row.metric == "image_auroc"
    ]  # fmt: skip
    of = {row.class_name: row.value for row in rows}
    macro = of.pop("macro")
    assert len(of) == CLASSES["mvtec-ad"]
    assert sum(of.values()) / len(of) == pytest.approx(macro, abs=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("0.991", "99.1", "not a share"),
        ("0.991", "nan", "not a share"),
        ("0.991", "", "could not convert"),
        (",primary,", ",blog,", "tier 'blog'"),
        ("per-class", "one-class", "protocol 'one-class'"),
        (",exact,", ",approx,", "dialect 'approx'"),
        (",image_auroc,exact", ",image_auc,exact", "image_auc"),
        (",A,", ",A", "12 columns"),
        (",primary,,", ",primary,maybe,", "contested 'maybe'"),
    ],
)
def test_a_bad_line_is_named(old: str, new: str, told: str) -> None:
    text = ",".join(HEADER) + "\n" + GOOD + "\n"
    assert parse_rows(text)[0].value == 0.991
    with pytest.raises(StoreError, match=told) as caught:
        parse_rows(text.replace(old, new))
    assert caught.value.where == "published/rows.csv:2"


def test_another_header_is_an_error() -> None:
    with pytest.raises(StoreError, match="the columns are"):
        parse_rows("method,value\n")


def test_cleaning_gives_shares_our_ids_and_the_dialect_of_the_source() -> None:
    lines, left = clean([RAW, RAW, {**RAW, "protocol": "speed"}, {**RAW, "metric": "mAD"}])
    assert [(line["metric"], line["dialect"], line["value"], line["class"]) for line in lines] == [
        ("region_aupro_30", "ader or binned_50", "0.911", "macro")
    ]
    assert dict(+left) == {
        "a cost of other hardware": 1, "mAD, a mean of seven metrics": 1, "an exact duplicate": 1
    }  # fmt: skip


def test_cleaning_marks_both_sides_of_a_contradiction_and_keeps_them() -> None:
    other = {**RAW, "source": "Paper, table 1", "value": "88.0", "method": "rd"}
    near = {**RAW, "source": "Paper, table 2", "value": "90.0", "class": "tile"}
    lines, _ = clean([RAW, other, near])
    assert [(line["class"], line["contested"]) for line in lines] == [
        ("macro", "yes"), ("tile", ""), ("macro", "yes"),
    ]  # fmt: skip


def test_cleaning_refuses_a_number_that_is_no_percentage() -> None:
    with pytest.raises(SystemExit, match="no percentage"):
        clean([{**RAW, "value": "101"}])


def test_the_shipped_file_is_in_the_form_that_the_script_writes() -> None:
    file = resources.files("adharness.report") / "published" / "rows.csv"
    lines = list(csv.reader(io.StringIO(file.read_text("utf-8"))))
    assert tuple(lines[0]) == HEADER
    assert lines[1:] == sorted(lines[1:], key=lambda line: [*line[:10], *line[11:]])


def test_only_primary_rows_of_the_same_set_and_protocol_stand_under_a_board(
    board: Leaderboard,
) -> None:
    per_class, unified, absolute = shown(board)[0]
    assert len(per_class.references) == SHOWN
    assert per_class.more_references
    everything = [*per_class.references, *per_class.more_references]
    assert all(" · per-class · primary · " in line.why for line in everything)
    assert any("ADer" in line.method for line in unified.references)
    assert not absolute.references
    all_tiers, _, pooled = shown(board, reference="all")[0]
    assert len(all_tiers.more_references) > len(per_class.more_references)
    assert [line.method for line in pooled.references] == ["CADA(best host)", "SOTA-before-CADA"]


def test_published_rows_are_never_ranked_or_marked_and_change_no_measured_line(
    board: Leaderboard,
) -> None:
    with_all, without = (shown(board, reference=choice)[0] for choice in ("all", "none"))
    for table, plain in zip(with_all, without, strict=True):
        assert table.lines == plain.lines
        for line in (*table.references, *table.more_references):
            assert line.rank == ""
            assert line.state == "reference"
            assert not any(number.best or number.heat is not None for number in line.numbers)
            assert len(line.numbers) == len(table.columns)
            assert len(line.settings) == len(table.settings)


def test_another_dialect_in_the_exact_column_says_so(board: Leaderboard) -> None:
    unified = shown(board)[0][1]
    at = [column.key for column in unified.columns].index("region_aupro_30")
    ader = next(line for line in unified.references if "ADer" in line.method)
    assert ader.numbers[at].aside == "ader or binned_50"
    assert "zhangzjn/ADer@902937a" in ader.numbers[at].note
    auroc = [column.key for column in unified.columns].index("image_auroc")
    assert ader.numbers[auroc].aside == ""


def test_a_run_of_fewer_classes_has_no_published_mean_but_published_classes(
    board: Leaderboard,
) -> None:
    data = board.run.datasets[0]
    few = data.model_copy(update={"classes": data.classes[:3]})
    boards, classes = shown(board, datasets=[few])
    assert not any(table.references for table in boards)
    assert "over all its classes, and left out" in boards[0].caption
    assert any(table.references for table in classes)


@pytest.mark.parametrize("changes", [{"use": "adharness/folder"}, {"shift": None}, {}])
def test_other_data_and_corrupted_data_have_no_published_rows(
    board: Leaderboard, changes: dict[str, Any]
) -> None:
    data = board.run.datasets[0]
    if changes.get("shift", 0) is None:
        shift = {"of": "mvtec-ad", "corruption": "noise", "severity": 3, "seed": 0, "version": 1}
        data = type(data).model_validate({**data.model_dump(), "shift": shift})
        found = shown(board, datasets=[data])
    elif changes:
        found = shown(board, datasets=[data.model_copy(update=changes)])
    else:
        found = shown(board, reference="none")
    tables = [table for part in found for table in part]
    assert not any(table.references or "ublished" in table.caption for table in tables)


def test_the_page_shows_them_and_the_files_and_findings_do_not(board: Leaderboard) -> None:
    page = build_page(board, [])
    text = render_page(page)
    assert '<tr class="reference leads"' in text
    assert "not measured here, with other preprocessing and dialects; never ranked" in text
    assert "more published</summary>" in text
    for written in (to_csv(board), to_json(board), json.dumps(page.findings)):
        assert "anomalib" not in written
    assert not any("anomalib" in str(winner) for winner in page.glance)


def test_a_suite_chooses_which_published_rows_it_wants() -> None:
    plain = {"name": "x", "data": [{"use": "textures"}], "methods": [
        {"name": "m", "extractor": "e", "bank": {"use": "b"}, "scorer": {"use": "s"}}]}  # fmt: skip
    assert Document.model_validate(plain).report.reference == "primary"
    chosen = Document.model_validate({**plain, "report": {"reference": "none"}})
    assert chosen.report.reference == "none"
    with pytest.raises(ValueError, match="Input should be 'primary', 'all' or 'none'"):
        Document.model_validate({**plain, "report": {"reference": "some"}})
