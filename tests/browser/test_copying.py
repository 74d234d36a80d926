"""A table taken away as Markdown, CSV or LaTeX: what is shown, in its order, escaped."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from board_runs import BoardRun
from browser import Page

METHODS = ("knn", "=1+1|x_y", "50% & #1 \\a", 'pa,"q" dim')
RUN = BoardRun(
    methods=METHODS, metrics=("image_auroc", "pixel_auroc"), protocols=("per-class",),
    normalizers=("raw",),
)  # fmt: skip
CLIPBOARD = """Object.defineProperty(navigator, "clipboard", { configurable: true,
  value: { writeText: async (text) => { REFUSE; window.copied = text; } } })"""
SETTLE = "new Promise((done) => setTimeout(done, 60))"
ABOUT = [
    "A model, a normalizer and a threshold for each class; the class is known. "
    "Numbers: mean over classes, in percent.",
    "From the run made-up, 2026-11-22, adharness 0.1.0, commit e5de3891.",
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return RUN.write(tmp_path_factory.mktemp("run")).as_uri()


@pytest.fixture
def page(chromium: Page, address: str) -> Page:
    chromium.open(address)
    chromium.run(CLIPBOARD.replace("REFUSE", ""))
    return chromium


def copied(page: Page, format_: str, *, intervals: bool = False, table: str = "board-1") -> str:
    press(page, format_, intervals=intervals, table=table)
    return str(page.run("window.copied"))


def press(page: Page, label: str, *, intervals: bool = False, table: str = "board-1") -> None:
    page.run(f"document.querySelector('#{table} .tools .menu').open = true")
    page.run(SETTLE)
    box = f"document.querySelector('#{table} .tools input')"
    page.run(f"{box}.checked = {json.dumps(intervals)}")
    page.run(f"""[...document.querySelectorAll("#{table} .sheet button")]
      .find((button) => button.textContent === "{label}").click()""")
    page.run(SETTLE)


def ranked() -> list[str]:
    return sorted(METHODS, key=lambda method: -number(method, "image_auroc"))


def number(method: str, metric: str) -> float:
    return RUN.value("per-class", method, "macro", metric)


def test_csv_is_the_table_with_its_origin_before_it(page: Page) -> None:
    text = copied(page, "CSV")
    lines = text.splitlines()
    assert lines[:2] == [f"# {line}" for line in ABOUT]
    head, *rows = csv.reader(line for line in lines if not line.startswith("# "))
    assert head[:4] == ["Rank", "Method", "Image AUROC (%↑)", "Pixel AUROC (%↑)"]
    names = [f"'{name}" if name.startswith("=") else name for name in ranked()]
    assert [row[:2] for row in rows] == [[str(at), n] for at, n in enumerate(names, 1)]
    assert [row[2] for row in rows] == [f"{100 * number(m, 'image_auroc'):.1f}" for m in ranked()]


def test_intervals_are_columns_of_their_own_in_csv(page: Page) -> None:
    head, first, *_ = csv.reader(
        line for line in copied(page, "CSV", intervals=True).splitlines() if line[0] != "#"
    )
    value = number(ranked()[0], "image_auroc")
    assert head[2:4] == ["Image AUROC (%↑)", "Image AUROC (%↑), interval"]
    assert first[3] == f"{100 * (value - 0.04):.1f}\N{EN DASH}{min(100, 100 * (value + 0.03)):.1f}"


def test_markdown_is_one_table_whose_cells_hold(page: Page) -> None:
    comment, table = copied(page, "Markdown").split("-->\n\n")
    assert all(line in comment for line in ABOUT)
    lines = table.strip().splitlines()
    assert len(lines) == 2 + len(METHODS)
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    assert {len(row) for row in cells} == {len(cells[0])}
    assert any(row[1].strip() == r"=1+1\|x\_y" for row in cells)
    assert any(row[1].strip() == r"50% & \#1 \\a" for row in cells)
    assert cells[2][2].strip() == f"**{100 * number(ranked()[0], 'image_auroc'):.1f}**"


def test_latex_has_rules_groups_and_no_bare_sign(page: Page) -> None:
    text = copied(page, "LaTeX", intervals=True)
    body = text[text.index("\\begin") :]
    assert text.startswith(f"% {ABOUT[0]}\n% {ABOUT[1]}\n")
    assert body.startswith("\\begin{tabular}{rlrrrrrr}\n\\toprule\n& & \\multicolumn{1}{c}{Image}")
    assert "\\cmidrule(lr){3-3}\\cmidrule(lr){4-4}\\cmidrule(lr){5-8}" in body
    assert r"50\% \& \#1 \textbackslash{}a" in body
    assert r"=1+1$|$x\_y" in body
    assert body.count("\\\\\n") == 2 + len(METHODS)
    assert re.search(r"\\textbf\{\d+\.\d\} \{\\scriptsize \d+\.\d--\d+\.\d\}", body)
    assert body.endswith("\\bottomrule\n\\end{tabular}\n")


def test_what_is_filtered_out_or_sorted_is_copied_so(page: Page) -> None:
    page.run("""(() => { const field = document.querySelector("[name=method]"); field.value = "a";
      field.dispatchEvent(new Event("input", { bubbles: true })); })()""")
    page.run("document.querySelector('input[value=pixel_auroc]').click()")
    head = "document.querySelector('#board-1 th[data-column=image_auroc] button')"
    page.run(f"{head}.click(); {head}.click()")
    text = copied(page, "CSV")
    assert "# Shown: methods with a, some columns only." in text
    assert "# Sorted by AUROC, ascending." in text
    head_row, *rows = csv.reader(line for line in text.splitlines() if not line.startswith("# "))
    assert "Pixel AUROC (%↑)" not in head_row
    left = [name for name in ranked()[::-1] if "a" in name]
    assert [row[1] for row in rows] == left


def test_a_class_table_is_copied_too(page: Page) -> None:
    head = next(
        csv.reader(
            line for line in copied(page, "CSV", table="class-1-1").splitlines() if line[0] != "#"
        )
    )
    assert {"brick (%↑)", "macro (%↑)"} < set(head)


def test_copied_is_said(page: Page) -> None:
    copied(page, "LaTeX")
    assert page.run("document.querySelector('[role=status]').textContent") == "Copied as LaTeX."


def test_a_closed_clipboard_gives_the_text_selected_in_a_box(page: Page) -> None:
    page.run(CLIPBOARD.replace("REFUSE", "throw new Error('no permission')"))
    press(page, "CSV")
    area = page.run("""(() => { const area = document.activeElement;
      return [area.tagName, area.value, area.selectionEnd - area.selectionStart] })()""")
    assert area[0] == "TEXTAREA"
    assert area[1].startswith("# A model")
    assert area[2] == len(area[1])
    page.press("Escape")
    assert page.run("document.querySelector('dialog')") is None


def test_the_download_is_not_stopped_by_the_policy(page: Page) -> None:
    page.run("""HTMLAnchorElement.prototype.click = function () { window.saved = fetchless(this); };
      function fetchless(link) { return [link.download, link.href.split(":")[0]]; }""")
    press(page, "Download CSV")
    assert page.run("window.saved") == ["board-1.csv", "blob"]
    assert page.faults() == []


def written(page: Page, format_: str, names: list[str]) -> str:
    table = {
        "about": ["a -- b --> c"],
        "heads": [{"group": "", "text": "Method", "number": False}],
        "rows": [[{"text": name}] for name in names],
    }
    return str(page.run(f"copyFormats.{format_}({json.dumps(table)}, false)"))


TEXTS = st.lists(
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=12)
    | st.text(st.sampled_from("\\{}$&#_%^~|<>=+-@\"', a"), min_size=1, max_size=12),
    min_size=1, max_size=8,
)  # fmt: skip
LAW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@LAW
@given(names=TEXTS)
def test_any_name_survives_csv_and_none_is_a_formula(page: Page, names: list[str]) -> None:
    _, _, *rows = csv.reader(io.StringIO(written(page, "csv", names)))
    for name, (cell,) in zip(names, rows, strict=True):
        assert cell in {name, f"'{name}"}
        assert cell[0] not in "=+-@" or re.fullmatch(r"[+-]?[\d.]+", cell)


@LAW
@given(names=TEXTS)
def test_any_name_is_one_cell_of_latex_and_of_markdown(page: Page, names: list[str]) -> None:
    latex = written(page, "latex", names).split("\\midrule\n")[1].split("\\bottomrule")[0]
    for line in latex.split(" \\\\\n")[:-1]:
        assert not re.search(r"(?<!\\)[&%#_]", line)
        assert re.sub(r"\\.", "", line).count("$") % 2 == 0
    markdown: list[Any] = written(page, "markdown", names).split("-->\n\n")[1].split("\n")[2:-1]
    assert len(markdown) == len(names)
    for line in markdown:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 2
