"""Filters, columns and sorting in a real browser; what was chosen is in the address."""

from __future__ import annotations

from typing import Any

import pytest

from board_runs import BoardRun
from browser import Page

METHODS = ("knn", "padim", "patchcore", "mahalanobis")
RUN = BoardRun(methods=METHODS)
LINES = """[...document.querySelectorAll("#boards tbody tr")].filter((row) =>
  row.getClientRects().length).map((row) => row.querySelector(".method").textContent)"""
HEADS = """[...document.querySelectorAll("SECTION thead tr:last-child th[data-column]")]
  .filter((head) => head.getClientRects().length).map((head) => head.dataset.column)"""
SETTLE = "new Promise((done) => setTimeout(done, 200))"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return RUN.write(tmp_path_factory.mktemp("run")).as_uri()


@pytest.fixture
def page(chromium: Page, address: str) -> Page:
    chromium.open(address)
    return chromium


def heads(page: Page, section: str) -> Any:
    return page.run(HEADS.replace("SECTION", section))


def choose(page: Page, name: str, value: str) -> None:
    event = "input" if name == "method" else "change"
    page.run(f"""(() => {{ const field = document.querySelector('.filters [name="{name}"]');
      field.value = "{value}";
      field.dispatchEvent(new Event("{event}", {{ bubbles: true }}));
    }})()""")


def check(page: Page, menu: str, value: str) -> None:
    page.run(f"""[...document.querySelectorAll(".menu")].find((menu) =>
      menu.textContent.startsWith("{menu}")).querySelector('input[value="{value}"]').click()""")


def best_first(metric: str, protocol: str = "per-class") -> list[str]:
    return sorted(METHODS, key=lambda method: -RUN.value(protocol, method, "macro", metric))


def click(page: Page, column: str) -> None:
    page.run(f"""document.querySelector('#board-1 th[data-column="{column}"] button').click()""")


def test_methods_are_found_by_parts_of_their_names(page: Page) -> None:
    choose(page, "method", "PA, nn")
    assert sorted(page.run(LINES)) == ["knn", "padim", "patchcore"]
    assert page.run("document.querySelector('.count').textContent").startswith("6 of 16")


def test_a_protocol_leaves_its_tab_and_its_lines(page: Page) -> None:
    choose(page, "protocol", "Absolute-unified")
    tabs = "[...document.querySelectorAll('#boards [role=tab]')].filter((tab) => !tab.hidden)"
    assert page.run(f"{tabs}.map((tab) => tab.textContent)") == ["Absolute-unified"]
    assert sorted(page.run(LINES)) == sorted(METHODS)
    lines = "[...document.querySelectorAll('#class-1-1 tbody tr:not([data-off])')].length"
    assert page.run(lines) == len(METHODS)


def test_columns_and_classes_are_chosen_in_menus(page: Page) -> None:
    assert heads(page, "#classes") == ["brick", "grass", "macro", "pooled"]
    check(page, "Columns", "image_f1")
    check(page, "Classes", "brick")
    assert "image_f1" not in heads(page, "#boards")
    assert heads(page, "#classes") == ["grass", "macro", "pooled"]
    overs = "[...document.querySelectorAll('#board-1 .over th:not([data-off])')]"
    assert sum(page.run(f"{overs}.map((th) => th.colSpan)")) == len(heads(page, "#boards"))


def test_no_match_is_said(page: Page) -> None:
    choose(page, "method", "nobody")
    assert page.run("document.querySelector('#board-1 table').classList.contains('nothing')")


def test_equal_numbers_stay_sorted_by_name_and_the_third_click_ranks(page: Page) -> None:
    ranked = page.run(LINES)
    click(page, "fit")  # the same for all
    assert page.run(LINES) == sorted(METHODS)
    click(page, "fit")
    assert page.run(LINES) == sorted(METHODS)
    click(page, "fit")
    assert page.run(LINES) == ranked
    assert page.run("document.querySelectorAll('[aria-sort]').length") == 0


def test_a_link_brings_the_view_back(page: Page, address: str) -> None:
    choose(page, "method", "knn padim")
    choose(page, "normalizer", "")
    check(page, "Columns", "image_f1")
    check(page, "Classes", "grass")
    click(page, "pixel_auroc")
    page.run("document.querySelectorAll('#classes [role=tab]')[1].click()")
    page.run(SETTLE)
    view = page.run("location.hash")
    before = (page.run(LINES), heads(page, "#boards"), heads(page, "#classes"))
    assert len(before[0]) == 4
    page.open(address + view)
    assert (page.run(LINES), heads(page, "#boards"), heads(page, "#classes")) == before
    assert page.run("document.querySelector('[aria-sort]').dataset.column") == "pixel_auroc"
    assert page.run("location.hash") == view


def test_a_link_within_the_page_keeps_what_was_chosen(page: Page) -> None:
    choose(page, "method", "knn")
    page.run("document.querySelector('.contents a[href=\"#classes\"]').click()")
    page.run(SETTLE)
    assert page.run("location.hash") == "#classes?method=knn"
    assert page.run(LINES) == ["knn"]


def test_reset_begins_anew(page: Page) -> None:
    begun = page.run(LINES)
    choose(page, "method", "knn")
    check(page, "Columns", "image_f1")
    click(page, "pixel_auroc")
    page.run("document.querySelector('[type=reset]').click()")
    page.run(SETTLE)
    assert page.run(LINES) == begun
    assert "image_f1" in heads(page, "#boards")
    assert page.run("location.hash") == ""


def test_a_strange_address_does_no_harm(page: Page, address: str) -> None:
    strange = (
        "#boards?columns=x&sort.board-1=%3Cb%3E&normalizer=nobody&boards.1=no&method=%27%22%5B"
    )
    page.open(address + strange)
    assert "image_auroc" in heads(page, "#boards")
    assert page.faults() == []


def test_tab_reaches_each_control_and_enter_sorts(page: Page) -> None:
    seen = []
    page.run("document.querySelector('.contents a').focus()")
    for _ in range(60):
        page.press("Tab")
        seen.append(
            page.run("""(() => { const at = document.activeElement;
          return at.name || at.type + " " + (at.closest("th") || at).textContent.trim(); })()""")
        )
        if seen[-1].startswith("button AUROC"):
            break
    assert {"protocol", "normalizer", "method", "reset Reset"} <= set(seen)
    assert any("Columns" in each for each in seen)
    page.press("Enter")
    assert (
        page.run("document.activeElement.closest('th').getAttribute('aria-sort')") == "descending"
    )
    assert page.run(LINES) == best_first("image_auroc")


def test_a_menu_opens_by_key_and_escape_closes_it(page: Page) -> None:
    page.run("document.querySelector('.menu summary').focus()")
    page.press("Enter")
    assert page.run("document.querySelector('.menu').open")
    page.press("Tab")
    page.press("Escape")
    assert not page.run("document.querySelector('.menu').open")
    assert page.run("document.activeElement.tagName") == "SUMMARY"


def test_nothing_below_the_bar_jumps_when_lines_above_it_vanish(page: Page) -> None:
    page.run("document.querySelector('#provenance').scrollIntoView({ behavior: 'instant' })")
    page.run("scrollBy({ top: 30, behavior: 'instant' })")
    top = "document.querySelector('#provenance').getBoundingClientRect().top"
    before = page.run(top)
    choose(page, "method", "knn")
    assert page.run(top) == pytest.approx(before, abs=1.5)


def test_nothing_goes_wrong_and_nothing_is_asked_for(page: Page) -> None:
    choose(page, "normalizer", "zscore")
    click(page, "image_auroc")
    assert page.faults() == []
    assert page.requests() == []
