from __future__ import annotations

import csv
import importlib
import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness.cli import main
from adharness.errors import StoreError
from adharness.report import long_files
from adharness.report.long_files import write_long
from adharness.report.long_form import Chunk, open_runs, table_chunks
from adharness.report.long_schemas import COSTS, SCORES, TABLE, LongSchema
from adharness.report.reading import read_run
from adharness.report.run_id import run_id
from adharness.store.folder import RunFolder
from adharness.store.run_record import ShiftRecord

parquet = pytest.importorskip("pyarrow.parquet")
DOCS = Path(__file__).parents[3] / "docs" / "export.md"


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def table(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("long") / "numbers.csv"
    assert main.run(["export", "table", str(run_folder), "--to", str(target)]) == 0
    return target


@pytest.fixture(scope="module")
def scores(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("long") / "scores.parquet"
    assert main.run(["export", "scores", str(run_folder), "--to", str(target)]) == 0
    return target


def test_each_number_of_the_run_has_exactly_one_line(table: Path, run_folder: Path) -> None:
    run, cells = read_run(run_folder)
    expected = {
        (cell.id, row.class_name, metric): value.value
        for cell in cells
        for row in cell.rows
        for metric, value in row.metrics.items()
    }
    failed = sum(len(run.metrics) for cell in cells for row in cell.rows if row.failure)
    lines = lines_of(table)
    assert failed > 0
    assert len(lines) == len(expected) + failed
    for line in lines:
        if line["status"] == "ok":
            told = expected.pop((line["cell"], line["class"], line["metric"]))
            assert told == (float(line["value"]) if line["value"] else None)
    assert not expected


def test_what_is_undefined_is_empty_and_has_its_reason(table: Path) -> None:
    empty = [line for line in lines_of(table) if not line["value"]]
    assert empty
    assert all(line["reason"] for line in empty)
    assert any("not finite" in line["reason"] for line in empty)
    assert not any(line["reason"] for line in lines_of(table) if line["value"])


def test_csv_is_rfc_4180_with_hostile_names_kept_as_they_are(table: Path) -> None:
    content = table.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") == len(lines_of(table)) + 1
    assert {line["class"] for line in lines_of(table)} >= {"\"quoted' & <b>bold</b>"}


def test_parquet_holds_the_same_lines_as_csv(table: Path, run_folder: Path, tmp_path: Path) -> None:
    runs = open_runs([run_folder])
    write_long(tmp_path / "n.parquet", TABLE, table_chunks(runs))
    stored = parquet.read_table(tmp_path / "n.parquet").to_pylist()
    as_text = [
        {name: "" if value is None else str(value) for name, value in line.items()}
        for line in stored
    ]
    assert as_text == lines_of(table)


def test_parquet_types_and_version_are_those_of_the_docs(scores: Path) -> None:
    schema = parquet.read_schema(scores)
    assert json.loads(schema.metadata[b"adharness"]) == {"schema": "scores", "version": 1}
    types = {field.name: str(field.type) for field in schema}
    assert types["score"] == "double"
    assert types["label"] == types["decision"] == types["seed"] == "int64"
    assert types["class_oracle"] == "bool"
    assert (
        types["sample"]
        == types["method"]
        == ("dictionary<values=string, indices=int32, ordered=0>")
    )


def test_each_image_has_its_score_and_the_decision_of_the_deployed_threshold(
    scores: Path, run_folder: Path
) -> None:
    lines = parquet.read_table(scores).to_pylist()
    cells = [cell for cell in read_run(run_folder)[1] if "scores.npz" in cell.files]
    first = open_runs([run_folder])[0].store.cell_arrays(cells[0].id, "scores.npz")
    mine = [line for line in lines if line["cell"] == cells[0].id]
    assert len(lines) == sum(len(first["labels"]) for _ in cells)
    assert [line["score"] for line in mine] == first["scores"].tolist()
    assert [line["decision"] for line in mine] == (first["scores"] > first["threshold"]).tolist()


def test_no_threshold_gives_no_decision(fake_run: Callable[..., Any], tmp_path: Path) -> None:
    folder = fake_run(thresholders=["f1"], faults=False).write(tmp_path)
    run = open_runs([folder])[0]
    cell = next(run.cells())
    arrays = run.store.cell_arrays(cell.id, "scores.npz")
    arrays["threshold"] = np.full(len(arrays["scores"]), np.nan)
    run.store.put_cell(cell.model_copy(update={"files": {}}), {"scores.npz": arrays})
    assert main.run(["export", "scores", str(folder), "--to", str(tmp_path / "s.csv")]) == 0
    found = [line for line in lines_of(tmp_path / "s.csv") if line["cell"] == cell.id]
    assert {(line["threshold"], line["decision"]) for line in found} == {("", "")}
    assert all(line["score"] for line in found)


def test_lines_of_a_corrupted_set_say_what_was_done_to_it(
    fake_run: Callable[..., Any], tmp_path: Path
) -> None:
    folder = fake_run(thresholders=["f1"], faults=False).write(tmp_path)
    store = RunFolder(folder)
    run = store.run()
    shift = ShiftRecord(of="textures", corruption="noise", severity=3, seed=0, version=1)
    second = run.datasets[1].model_copy(update={"shift": shift})
    store.put_run(run.model_copy(update={"datasets": [run.datasets[0], second]}))
    assert main.run(["export", "table", str(folder), "--to", str(tmp_path / "t.csv")]) == 0
    told = {
        (line["dataset"], line["shift_of"], line["corruption"], line["severity"])
        for line in lines_of(tmp_path / "t.csv")
    }
    assert told == {("textures", "", "", ""), (second.name, "textures", "noise", "3")}


def test_the_columns_are_those_that_the_docs_list() -> None:
    told = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", DOCS.read_text("utf-8"), re.MULTILINE)
    fields = list(dict.fromkeys([*TABLE.fields, *SCORES.fields, *COSTS.fields]))
    key = [(field.name, field.kind, field.note) for field in fields]
    assert sorted(told) == sorted(key)


def test_each_cell_that_has_costs_has_one_line_of_them(run_folder: Path, tmp_path: Path) -> None:
    assert main.run(["export", "costs", str(run_folder), "--to", str(tmp_path / "c.csv")]) == 0
    lines = {line["cell"]: line for line in lines_of(tmp_path / "c.csv")}
    _, cells = read_run(run_folder)
    told = {cell.id: cell.costs for cell in cells if cell.costs is not None}
    assert set(lines) == set(told)
    for identity, costs in told.items():
        line = lines[identity]
        for name, value in costs:
            if name != "measured":
                assert line[name] == ("" if value is None else str(value))
        assert line["threads"] == ";".join(str(one.threads) for one in costs.measured)


def test_cells_are_drawn_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_files, "GROUP_LINES", 4)
    schema = LongSchema("table", 1, TABLE.fields[-1:])
    drawn = []

    def chunks() -> Iterator[Chunk]:
        for number in range(10):
            drawn.append(number)
            yield Chunk(2, {}, {"versions": [f"a{number}", None]})

    written = write_long(tmp_path / "x.parquet", schema, chunks())
    stored = parquet.ParquetFile(tmp_path / "x.parquet")
    assert (written.cells, written.lines, len(drawn)) == (10, 20, 10)
    assert stored.num_row_groups == 5
    assert stored.read().to_pydict()["versions"] == [
        text for number in range(10) for text in (f"a{number}", None)
    ]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_error_on_the_way_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"x{suffix}"
    target.write_text("old")

    def chunks() -> Iterator[Chunk]:
        yield Chunk(1, {}, {"versions": ["a"]})
        raise StoreError("a cell is damaged")

    with pytest.raises(StoreError, match="damaged"):
        write_long(target, LongSchema("table", 1, TABLE.fields[-1:]), chunks())
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_copy_of_a_run_is_refused_and_another_run_is_told_apart(
    fake_run: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder, seeds in zip(folders, ([0], [0], [0, 1]), strict=True):
        folder.mkdir()
        fake_run(seeds=seeds, thresholders=["f1"]).write(folder)
    arguments = ["export", "table", *map(str, folders[:2]), "--to", str(tmp_path / "x.csv")]
    assert main.run(arguments) == 2
    assert "are the same run" in capsys.readouterr().err
    arguments[3] = str(folders[2])
    assert main.run(arguments) == 0
    names = {run_id(read_run(folder)[0]) for folder in folders[1:]}
    assert {line["run"] for line in lines_of(tmp_path / "x.csv")} == names


def test_a_missing_pyarrow_is_named_with_what_to_type(
    run_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(long_files, "import_module", absent)
    target = tmp_path / "x.parquet"
    assert main.run(["export", "table", str(run_folder), "--to", str(target)]) == 2
    assert "pip install 'adharness[parquet]'" in capsys.readouterr().err
    assert not target.exists()
    assert importlib.import_module("adharness.cli.export")


def test_an_unknown_suffix_is_an_error(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"not in '\.xlsx'"):
        write_long(tmp_path / "x.xlsx", TABLE, islice(table_chunks(open_runs([run_folder])), 1))


def test_text_that_a_spreadsheet_would_compute_is_told(tmp_path: Path) -> None:
    schema = LongSchema("table", 1, TABLE.fields[-1:])
    chunk = Chunk(3, {}, {"versions": ["=1+1", "plain", None]})
    assert write_long(tmp_path / "x.csv", schema, [chunk]).formulas == {"=1+1"}
    assert lines_of(tmp_path / "x.csv")[0]["versions"] == "=1+1"
