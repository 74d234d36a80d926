from __future__ import annotations

import gc
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from adharness.errors import StoreError
from adharness.report import write_report
from adharness.report.class_tables import class_tables
from adharness.report.embedded import SCRIPTS, asset
from adharness.report.formats import DASH, aligned, points
from adharness.report.leaderboard import leaderboard
from adharness.report.metric_names import metric_name
from adharness.report.panels import web_address
from adharness.report.reading import read_run
from adharness.report.write import uncollected

VOID = {"meta", "link", "img", "br", "hr", "input", "line", "rect", "path"}


class Document(HTMLParser):
    """A page as a list of elements with their attributes and text, checked for balance."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def count(self) -> Counter[str]:
        return Counter(tag for tag, _ in self.elements)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def hostile(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Document:
    folder = shutil.copytree(run_folder, tmp_path_factory.mktemp("report") / "run")
    return Document(write_report(folder).html.read_text("utf-8"))


@pytest.fixture(scope="module")
def plain(fake_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Document:
    folder = fake_run(faults=False, thresholders=["f1"]).write(tmp_path_factory.mktemp("plain"))
    return Document(write_report(folder).html.read_text("utf-8"))


def test_every_element_is_closed(hostile: Document) -> None:
    assert not hostile.open


def test_hostile_text_never_becomes_markup(hostile: Document) -> None:
    count = hostile.count()
    data = [each for each in hostile.all("script") if each.get("type") == "application/json"]
    assert count["script"] == len(SCRIPTS) + len(data)
    assert count["em"] == 0
    assert count["u"] == 0
    assert not [image for image in hostile.all("img") if image.get("src") == "x"]
    assert not [name for _, each in hostile.elements for name in each if name.startswith("on")]
    assert "<script>alert(1)</script>" in hostile.text


def test_hostile_names_survive_as_text(hostile: Document) -> None:
    assert "\"quoted' & <b>bold</b>" in hostile.text
    assert "quick <em>start</em> \"&'" in hostile.text


def test_marks_that_turn_the_reading_direction_are_made_visible(hostile: Document) -> None:
    values = [value or "" for _, each in hostile.elements for value in each.values()]
    assert "\u202e" not in "".join([*values, *hostile.texts])
    assert "\N{REPLACEMENT CHARACTER}txt.exe" in hostile.text


def test_nothing_is_loaded_from_elsewhere(hostile: Document) -> None:
    for tag, attributes in hostile.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        assert (attributes.get("src") or "data:").startswith("data:")
        for name in ("srcset", "action", "poster", "xlink:href"):
            assert name not in attributes
    inline = [each.get("style") or "" for _, each in hostile.elements]
    styles = "".join([asset("style.css"), *inline])
    assert "@import" not in styles
    assert "url(" not in styles


def test_links_lead_to_the_page_its_files_or_the_web(hostile: Document) -> None:
    ids = {attributes.get("id") for _, attributes in hostile.elements}
    files = ("leaderboard.csv", "leaderboard.json", "unification_gap.csv", "cross_class.csv")
    for link in hostile.all("a"):
        target = link["href"] or ""
        inside = target.startswith("#") and target[1:] in ids
        assert inside or target in files or target.startswith("https://")


def test_the_policy_allows_our_script_alone(hostile: Document) -> None:
    policy = next(m["content"] for m in hostile.all("meta") if "http-equiv" in m) or ""
    assert "default-src 'none'" in policy
    assert re.search(r"script-src( 'sha256-[A-Za-z0-9+/]{43}=')+$", policy)
    assert policy.count("sha256-") == len(SCRIPTS)


@pytest.mark.parametrize("text", ["javascript:alert(1)", "data:text/html,x", "//x", "ftp://x", ""])
def test_only_web_addresses_become_links(text: str) -> None:
    assert web_address(text) is None


def test_a_data_set_whose_pixels_must_not_be_shown_has_none(hostile: Document) -> None:
    shown = [each for _, each in hostile.elements if (each.get("class") or "").startswith("photo")]
    assert shown
    assert all((each["class"] or "").split()[1].startswith("g0-") for each in shown)
    rules = [text for text in hostile.texts if "background-image:url(" in text]
    pictures = re.findall(r"[.](g\d+)-\d+[{]background-image:url[(]([^)]*)[)]", "".join(rules))
    assert {owner for owner, _ in pictures} == {"g0"}
    assert all(url.startswith("data:image/webp;base64,") for _, url in pictures)
    labels = [each.get("aria-label") or "" for _, each in hostile.elements]
    rows = [label for label in labels if label.startswith("Test image ")]
    assert all(label.split()[-1].split("/")[0] in {"carpet", "grid", "leather"} for label in rows)
    assert "No pixels of solar-cells are on this page" in hostile.text


def test_undefined_numbers_are_a_dash_with_a_reason(hostile: Document) -> None:
    cells = [cell for cell in hostile.all("td") if "num" in (cell.get("class") or "")]
    undefined = [cell for cell in cells if cell.get("title") == "no anomalous pixel"]
    assert undefined
    assert not [cell for cell in undefined if "data-v" in cell]
    assert "nan" not in {text.strip().lower() for text in hostile.texts}


def test_failures_stay_visible_with_their_reason(hostile: Document) -> None:
    states = {state for row in hostile.all("tr") for state in (row.get("class") or "").split()}
    assert {"failed", "partial"} <= states
    assert "patch scores hold 3 value(s) that are not finite <b>!</b>" in hostile.text
    assert "Of 144 cells 1 failed and 1 failed in part" in hostile.text


def test_upper_bounds_are_named_and_oracles_stand_apart(plain: Document) -> None:
    assert "upper bound: knows the class" in plain.text
    assert "Oracle (test labels)" in plain.text
    classes = [cell.get("class") or "" for cell in plain.all("td")]
    assert any("oracle" in each for each in classes)


def test_tables_have_captions_scopes_and_a_place_to_scroll(plain: Document) -> None:
    count = plain.count()
    assert count["caption"] == count["table"]
    assert all(head.get("scope") in {"col", "row", "colgroup"} for head in plain.all("th"))
    regions = [box for box in plain.all("div") if box.get("role") == "region"]
    assert len(regions) == count["table"]
    assert all(box.get("tabindex") == "0" and box.get("aria-label") for box in regions)
    assert {"main", "header", "footer", "nav"} <= set(count)
    assert len(plain.all("h1")) == 1


def test_ids_are_unique(hostile: Document) -> None:
    ids = [each["id"] for _, each in hostile.elements if "id" in each]
    assert len(ids) == len(set(ids))


def test_every_picture_has_a_text(plain: Document) -> None:
    assert all(image.get("alt") for image in plain.all("img"))


def test_lines_that_only_the_thresholder_tells_apart_are_joined(
    fake_run: Any, tmp_path: Path
) -> None:
    board = leaderboard(*read_run(fake_run(faults=False).write(tmp_path)))
    tables = {table.label: table for table in class_tables(board)}
    assert len(tables["Image AUROC"].lines) == 4 * 3 * 2
    assert len(tables["Image F1"].lines) == 4 * 3 * 2 * 3


def test_the_report_replaces_files_whole_and_leaves_nothing_behind(
    fake_run: Any, tmp_path: Path
) -> None:
    folder = fake_run(thresholders=["f1"]).write(tmp_path)
    first = write_report(folder).html.read_bytes()
    assert write_report(folder).html.read_bytes() == first
    left = {file.name for file in folder.iterdir() if file.is_file()}
    assert left == {"run.json", "leaderboard.html", "leaderboard.json", "leaderboard.csv",
                    "unification_gap.csv", "cross_class.csv"}  # fmt: skip
    assert len(first) < 6_000_000


def test_an_interrupted_run_gives_a_board_of_what_is_there(fake_run: Any, tmp_path: Path) -> None:
    folder = fake_run(thresholders=["f1"]).write(tmp_path)
    for cell in sorted((folder / "cells").iterdir())[:40]:
        shutil.rmtree(cell)
    page = Document(write_report(folder).html.read_text("utf-8"))
    assert "40 planned cells without a result" in page.text


def test_a_cell_whose_arrays_do_not_match_its_record_counts_as_missing(
    fake_run: Any, tmp_path: Path
) -> None:
    folder = fake_run(thresholders=["f1"]).write(tmp_path)
    arrays = next((folder / "cells").glob("*/scores.npz"))
    arrays.write_bytes(arrays.read_bytes()[:-7])
    page = Document(write_report(folder).html.read_text("utf-8"))
    assert "1 planned cell without a result" in page.text
    assert "their arrays do not match their records" in page.text


def test_a_cost_column_has_one_number_of_decimals() -> None:
    assert aligned([0.552, 1.9, None, 0.0004]) == ["0.55", "1.90", DASH, "<0.01"]
    assert aligned([13.2, 0.0839, 0.01]) == ["13.2", "0.1", "<0.1"]


def test_a_metric_of_another_version_is_shown_by_its_id() -> None:
    name = metric_name("image_novelty_oracle")
    assert (name.full, name.direction, name.oracle) == ("image_novelty_oracle", "higher", True)
    assert metric_name("image_fpr").direction == "lower"


def test_a_run_without_any_cell_still_gives_a_page(fake_run: Any, tmp_path: Path) -> None:
    folder = fake_run(thresholders=["f1"]).write(tmp_path)
    shutil.rmtree(folder / "cells")
    assert "48 planned cells" in Document(write_report(folder).html.read_text("utf-8")).text


def test_a_folder_that_is_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"has no run\.json"):
        write_report(tmp_path)


def test_a_record_with_an_unknown_key_is_refused(fake_run: Any, tmp_path: Path) -> None:
    folder = fake_run(thresholders=["f1"]).write(tmp_path)
    file = folder / "run.json"
    file.write_text(file.read_text().replace('"suite":', '"sweet":', 1))
    with pytest.raises(StoreError, match="is not a RunRecord"):
        write_report(folder)


@pytest.mark.parametrize(
    ("value", "text"), [(0.263, "+26.3"), (-0.05, "\N{MINUS SIGN}5.0"), (-0.0001, "0.0")]
)
def test_differences_are_signed_points(value: float, text: str) -> None:
    assert points(value) == text


def test_a_thresholder_that_failed_alone_keeps_the_lines_apart(run_folder: Path) -> None:
    table = class_tables(leaderboard(*read_run(run_folder)))[0]
    apart = [
        line.settings[-1]
        for line in table.lines
        if (line.method, line.settings[:2]) == ("padim", ("Model-unified", "raw"))
    ]
    assert sorted(apart) == ["f1", "quantile", "youden"]


def test_the_collector_of_garbage_works_again_after_a_report_and_after_a_failed_one(
    tmp_path: Path,
) -> None:
    with pytest.raises(StoreError):
        write_report(tmp_path)
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
