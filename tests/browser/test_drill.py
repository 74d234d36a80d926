"""Test images one by one in a real browser, by mouse and by keyboard."""

from __future__ import annotations

from typing import Any

import pytest

from browser import Page
from drilled_run import HOSTILE, NAMES, WORST_FIRST, write_drilled

KEYS = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
        "ArrowDown": 40, "Tab": 9}  # fmt: skip
DRILL = 'document.querySelectorAll(".drill")[{at}]'


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_drilled(tmp_path_factory.mktemp("run")).as_uri()


@pytest.fixture
def page(chromium: Page, address: str) -> Page:
    chromium.open(address)
    return chromium


def press(page: Page, key: str) -> None:
    press = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
    text = "\r" if key == "Enter" else ""
    page.send("Input.dispatchKeyEvent", type="keyDown", text=text, **press)
    page.send("Input.dispatchKeyEvent", type="keyUp", **press)


def click(page: Page, element: str) -> None:
    """Click on an element where it is on the screen."""
    page.run(f"{element}.scrollIntoView({{ behavior: 'instant', block: 'center' }})")
    box = page.run(f"{element}.getBoundingClientRect().toJSON()")
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("mousePressed", "mouseReleased"):
        page.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **where)


def listed(page: Page, at: int = 0) -> Any:
    drill = DRILL.format(at=at)
    return page.run(f"[...{drill}.querySelectorAll('tbody th')].map((head) => head.textContent)")


def choose(page: Page, name: str, value: str, at: int = 0) -> None:
    page.run(f"""(() => {{ const select = {DRILL.format(at=at)}.querySelector('[name={name}]');
      select.value = "{value}"; select.dispatchEvent(new Event("change")); }})()""")


def row(number: int, at: int = 0) -> str:
    return f"{DRILL.format(at=at)}.querySelectorAll('tbody button')[{number}]"


def is_open(page: Page) -> Any:
    return page.run('document.querySelector("dialog.drill-one").open')


def title(page: Page) -> Any:
    return page.run('document.querySelector("#drill-title").textContent')


def visible(path: str) -> str:
    """Turn a path into what the page shows of it: no hidden mark, the middle of long ones cut."""
    if path != HOSTILE:
        return path
    return "\N{REPLACEMENT CHARACTER}" + path[1:78] + "[...]" + path[-77:]


def test_the_errors_of_a_method_are_listed_worst_first(page: Page) -> None:
    assert [name.strip() for name in listed(page)] == [visible(path) for path in WORST_FIRST]
    choose(page, "kind", "m")
    assert listed(page)[1:] == [NAMES[5]]
    choose(page, "kind", "c")
    assert len(listed(page)) == 4
    choose(page, "method", "whole")
    assert len(listed(page)) == 7
    choose(page, "kind", "f")
    assert listed(page) == []
    assert page.run("document.querySelector('.drill [role=status]').textContent").startswith("No ")
    assert page.faults() == []


def test_a_click_opens_an_image_and_a_click_beside_it_closes_it(page: Page) -> None:
    click(page, row(1))
    assert is_open(page)
    assert title(page) == NAMES[1]
    facts = page.run("document.querySelector('.drill-head p').textContent")
    assert "normal" in facts
    assert "2 of 4" in facts
    page.send(
        "Input.dispatchMouseEvent", type="mousePressed", button="left", clickCount=1, x=3, y=3
    )
    page.send(
        "Input.dispatchMouseEvent", type="mouseReleased", button="left", clickCount=1, x=3, y=3
    )
    assert not is_open(page)
    assert page.faults() == []
    assert page.requests() == []


def test_the_keyboard_alone_opens_walks_and_closes(page: Page) -> None:
    page.run(f"{row(0)}.focus()")
    press(page, "ArrowDown")
    press(page, "Enter")
    assert is_open(page)
    assert title(page) == WORST_FIRST[1]
    press(page, "ArrowRight")
    assert title(page) == WORST_FIRST[2]
    press(page, "ArrowRight")
    press(page, "ArrowRight")  # there is none after the last
    assert title(page) == WORST_FIRST[3]
    press(page, "ArrowLeft")
    press(page, "Escape")
    assert not is_open(page)
    page.run(
        "new Promise((done) => setTimeout(done, 200))"
    )  # that it closed is told a little later
    assert page.run("document.activeElement.textContent") == WORST_FIRST[2]  # back where one was
    press(page, "ArrowUp")
    assert page.run("document.activeElement.textContent") == WORST_FIRST[1]
    stops = f"[...{DRILL.format(at=0)}.querySelectorAll('tbody button')].map((b) => b.tabIndex)"
    assert sorted(page.run(stops)) == [-1, -1, -1, 0]
    assert page.faults() == []


def test_the_focus_stays_in_the_dialog(page: Page) -> None:
    click(page, row(0))
    for _ in range(12):
        press(page, "Tab")
        inside = (
            "document.activeElement.closest('dialog') || document.activeElement === document.body"
        )
        assert page.run(f"Boolean({inside})")


def test_every_method_is_beside_the_picture_and_can_be_laid_over_it(page: Page) -> None:
    click(page, row(2))  # a missed hole
    said = page.run("""[...document.querySelectorAll('.drill-methods tbody tr')].map((line) =>
      [...line.cells].map((cell) => cell.innerText.trim()))""")
    assert [[each[0].split()[-1], each[-1]] for each in said] == [
        ["knn", "missed"], ["whole", "correct"], ["silent", "no result: see Left out"],
    ]  # fmt: skip
    stage = "document.querySelector('.drill-stage').querySelectorAll('{}').length"
    assert page.run(stage.format(".map")) == 1
    assert page.run(stage.format("path.edge")) == 1
    page.run("document.querySelectorAll('.drill-methods button')[0].focus()")
    press(page, "ArrowDown")
    assert page.run(stage.format(".map")) == 0
    assert "gives no map" in page.run("document.querySelector('.drill-body').textContent")
    picture = "getComputedStyle(document.querySelector('.drill-stage .photo')).backgroundImage"
    assert page.run(picture).startswith('url("data:image/webp;base64,')


def test_the_map_the_mask_and_the_contour_can_be_switched_off(page: Page) -> None:
    click(page, row(1))  # a false alarm: above the pixel threshold
    contour = "document.querySelectorAll('.drill-stage path.contour').length"
    assert page.run(contour) == 1
    page.run("document.querySelectorAll('.drill-layers input[type=checkbox]')[1].click()")
    assert page.run(contour) == 0
    page.run("""(() => { const slider = document.querySelector('.drill-layers input[type=range]');
      slider.value = 0; slider.dispatchEvent(new Event('input')); })()""")
    assert page.run("getComputedStyle(document.querySelector('.drill-stage .map')).opacity") == "0"


def test_an_image_without_a_picture_says_why(page: Page) -> None:
    click(page, row(3))
    assert "keeps typical ones" in page.run("document.querySelector('.drill-stage').textContent")


def test_a_data_set_without_pixels_has_the_same_list_and_no_picture(page: Page) -> None:
    assert listed(page, 1) == listed(page, 0)
    assert page.run(f"{DRILL.format(at=1)}.querySelectorAll('.photo').length") == 0
    click(page, row(0, 1))
    told = page.run("document.querySelector('.drill-stage').textContent")
    assert "does not clearly allow passing them on" in told
    assert page.run("document.querySelectorAll('dialog .photo').length") == 0
    assert "hole" in page.run("document.querySelector('.drill-head p').textContent")


def test_a_hostile_name_is_text(page: Page) -> None:
    click(page, row(0))
    assert title(page) == visible(HOSTILE)
    assert page.run("document.querySelectorAll('.drill img, dialog img').length") == 0
    assert page.run("document.title") != "1"
    assert page.faults() == []
    assert page.requests() == []


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_neither_list_nor_dialog_grows_wider_than_the_screen(
    chromium: Page, address: str, width: int
) -> None:
    chromium.open(address, width, 800)
    assert chromium.run("document.documentElement.scrollWidth") <= width
    click(chromium, row(1))
    body = "document.querySelector('.drill-body')"
    assert chromium.run(f"{body}.scrollWidth - {body}.clientWidth") <= 0
    box = chromium.run(
        "document.querySelector('dialog.drill-one').getBoundingClientRect().toJSON()"
    )
    assert box["left"] >= 0
    assert box["right"] <= width


def test_without_the_script_the_worst_errors_are_a_plain_table(
    chromium: Page, address: str
) -> None:
    chromium.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        chromium.open(address)
        assert not chromium.run("document.documentElement.classList.contains('js')")
        assert chromium.run("document.querySelectorAll('.drill-list, dialog').length") == 0
        chromium.run(
            "document.querySelectorAll('.mistakes').forEach((each) => { each.open = true; })"
        )
        said = chromium.run("""[...document.querySelectorAll('.mistakes')].map((list) =>
          [...list.querySelectorAll('tbody tr')].map((line) => line.innerText))""")
    finally:
        chromium.send("Emulation.setScriptExecutionDisabled", value=False)
    assert [len(lines) for lines in said] == [4 + 1, 4 + 1]
    text = "\n".join(said[0])
    assert all(visible(path) in text for path in WORST_FIRST)
    assert "missed" in said[1][0]
