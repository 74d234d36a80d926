"""What a reader meets beside the tables: contents, folds, citations, a phone, paper."""

from __future__ import annotations

from typing import Any

import pytest

from board_runs import BoardRun
from browser import Page

RUN = BoardRun(methods=tuple(f"method-{number:02d}" for number in range(14)), failure=True)
SETTLE = "new Promise((done) => setTimeout(done, 250))"
CURRENT = """[...document.querySelectorAll('.contents [aria-current]')]
  .map((link) => link.getAttribute("href"))"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return RUN.write(tmp_path_factory.mktemp("run")).as_uri()


@pytest.fixture
def page(chromium: Page, address: str) -> Page:
    chromium.media(prefers_reduced_motion="reduce")
    chromium.open(address)
    return chromium


def shown(page: Page, selector: str) -> Any:
    return page.run(f"""[...document.querySelectorAll({selector!r})]
      .filter((part) => part.getClientRects().length).length""")


def test_the_contents_mark_what_is_read(page: Page) -> None:
    for section in ("classes", "provenance", "boards"):
        page.run(f"document.querySelector('.contents a[href=\"#{section}\"]').click()")
        page.run(SETTLE)
        assert page.run(CURRENT) == [f"#{section}"]


def test_a_link_to_a_folded_section_opens_it(page: Page, address: str) -> None:
    assert not page.run("document.querySelector('#provenance > details').open")
    page.open(f"{address}#provenance")
    assert page.run("document.querySelector('#provenance > details').open")


def test_the_rule_for_means_stands_beside_the_boards_where_something_failed(page: Page) -> None:
    assert "A mean is of all its classes or it is not ranked" in page.run(
        "document.querySelector('#boards').textContent"
    )
    why = "[...document.querySelectorAll('#board-1 tr.failed td.why')][0].textContent"
    assert "no memory left" in page.run(why)


def test_bibtex_is_copied(page: Page) -> None:
    page.run("""Object.defineProperty(navigator, "clipboard", { configurable: true,
      value: { writeText: async (text) => { window.copied = text; } } })""")
    page.run("document.querySelector('[data-copy=bibtex]').click()")
    page.run(SETTLE)
    text = page.run("window.copied")
    assert text.startswith("@misc{made-up,")
    assert "Somebody \\& Other" in text


@pytest.mark.parametrize("width", [360, 390, 768, 1440])
def test_the_page_itself_never_scrolls_sideways(chromium: Page, address: str, width: int) -> None:
    chromium.open(address, width, 800)
    chromium.run(
        "document.querySelectorAll('main details').forEach((each) => { each.open = true })"
    )
    assert chromium.run("document.documentElement.scrollWidth") <= width


def test_a_phone_keeps_the_menus_within_its_width(chromium: Page, address: str) -> None:
    chromium.open(address, 390, 800)
    for number in range(2):
        box = f"document.querySelectorAll('.filters .menu')[{number}]"
        chromium.run(f"{box}.open = true")
        left, right = chromium.run(f"""(() => {{
          const box = {box}.querySelector(".sheet").getBoundingClientRect();
          return [box.left, box.right]; }})()""")
        assert left >= 0
        assert right <= 390
        chromium.run(f"{box}.open = false")


def test_paper_shows_every_tab_and_no_control(page: Page) -> None:
    page.send("Emulation.setEmulatedMedia", media="print")
    try:
        assert shown(page, "#boards table") == 2
        assert shown(page, ".tools, .tabs, .menu, [type=reset], .more") == 0
    finally:
        page.send("Emulation.setEmulatedMedia", media="")


def test_without_scripts_everything_is_shown(chromium: Page, address: str) -> None:
    chromium.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        chromium.open(address)
        chromium.send("Emulation.setScriptExecutionDisabled", value=False)
        assert shown(chromium, "#boards table") == 2
        assert shown(chromium, "#boards tbody tr") == 2 * 2 * len(RUN.methods)
    finally:
        chromium.send("Emulation.setScriptExecutionDisabled", value=False)
