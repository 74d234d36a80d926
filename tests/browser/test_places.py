"""A link within the page leads where it says, though figures on the way are drawn on arrival."""

from __future__ import annotations

import pytest

from adharness.report import write_report
from browser import Page
from charted_run import write_charted_run

SECTIONS = ["gap", "across", "provenance"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    write_charted_run(folder)
    return write_report(folder).html.as_uri()


def off(page: Page, section: str) -> float:
    """Pixels between the place where a section stands once nothing moves and where it should."""
    return float(
        page.run(f"""new Promise((done) => setTimeout(() => {{
      const root = document.documentElement, place = document.querySelector("#{section}");
      const margin = parseFloat(getComputedStyle(root).scrollPaddingTop) || 0;
      const last = root.scrollHeight - innerHeight - scrollY;
      done(Math.max(0, Math.min(place.getBoundingClientRect().top - margin, last)));
    }}, 1800))""")
    )


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("section", SECTIONS)
def test_a_link_arrives(chromium: Page, address: str, section: str, width: int) -> None:
    chromium.open(address, width, 844)
    chromium.run(f"""document.querySelector('.contents a[href="#{section}"]').click()""")
    assert off(chromium, section) < 40


@pytest.mark.parametrize("section", SECTIONS)
def test_an_address_with_a_place_opens_there(chromium: Page, address: str, section: str) -> None:
    chromium.open(f"{address}#{section}", 1280, 844)
    assert off(chromium, section) < 40
