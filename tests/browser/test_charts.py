"""The figures of the page in a real browser: drawn, named, legible, without fault or request."""

from __future__ import annotations

from typing import Any

import pytest

from adharness.report import write_report
from chart_probe import CHROMIUM, DARK, probe
from charted_run import CLASSES, METHODS, write_charted_run

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")

WALK = """
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const shown = (part) => part.getClientRects().length > 0;
  const luminance = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const settle = async () => {
    for (const figure of all("figure[data-chart]").filter(shown)) {
      figure.scrollIntoView({ behavior: "instant" });
      dispatchEvent(new Event("scroll"));  // no frame is made here, and so no such event
      await wait(60);
    }
  };
  const choose = async (select, value) => {
    select.value = value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await wait(60);
  };
  const walk = async () => {
    await settle();
    const first = all("figure .drawn svg").length;
    const drawn = (tab) => tab.closest("section").querySelector("figure[data-chart]");
    const tabs = all("[role=tab]").filter(drawn);
    for (const tab of tabs) { tab.click(); await settle(); }
    for (const select of all(".filters select")) await choose(select, "");
    for (const tab of tabs) { tab.click(); await settle(); }
    const curves = all('figure[data-chart="curves"]').filter(shown)[0];
    const words = () => all("desc", curves).map((each) => each.textContent);
    const before = words();
    await choose(curves.querySelector("select[name=class]"), "grass");
    const paper = getComputedStyle(document.body).backgroundColor;
    const texts = all("figure .drawn svg text").filter((each) => shown(each) && each.textContent);
    const figures = all("figure[data-chart]");
    tell({
      first, before, after: words(), kinds: figures.map((each) => each.dataset.chart),
      undrawn: figures.filter((each) => !all(".drawn svg", each).length)
        .map((each) => each.textContent),
      unnamed: all("figure .drawn svg").filter((each) => each.getAttribute("role") !== "img"
        || !each.getAttribute("aria-label") || !each.querySelector("desc").textContent).length,
      faint: texts.map((each) => [each.textContent, contrast(getComputedStyle(each).fill, paper)])
        .filter(([, ratio]) => ratio < 4.5),
      texts: texts.length, paper,
      wide: document.documentElement.scrollWidth - innerWidth,
    });
  };
  walk();
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    write_charted_run(folder)
    return write_report(folder).html.read_text("utf-8")


@pytest.fixture(scope="module", params=["light", "dark"])
def seen(page: str, tmp_path_factory: pytest.TempPathFactory, request: Any) -> Any:
    dark = [DARK] if request.param == "dark" else []
    found = probe(page, WALK, tmp_path_factory.mktemp("b"), "--window-size=1280,900", *dark)
    assert (found["paper"] == "rgb(255, 255, 255)") == (request.param == "light")
    return found


def test_every_figure_is_drawn_once_its_tab_is_shown(seen: Any) -> None:
    assert seen["first"] > 0
    assert set(seen["kinds"]) == {"curves", "histograms", "pareto", "gaps", "scatter"}
    assert seen["undrawn"] == []


def test_drawing_makes_no_fault_and_no_request(seen: Any) -> None:
    assert seen["faults"] == []
    assert seen["requests"] == []
    assert seen["wide"] <= 0


def test_every_drawing_has_a_name_and_says_in_words_what_it_shows(seen: Any) -> None:
    assert seen["unnamed"] == 0
    assert all(name in seen["before"][0] for name in METHODS)


def test_the_class_that_is_chosen_is_drawn(seen: Any) -> None:
    assert seen["before"] != seen["after"]
    assert all(CLASSES[1] in words for words in seen["after"])


def test_text_in_figures_stands_out_in_either_theme(seen: Any) -> None:
    assert seen["texts"] > 20
    assert seen["faint"] == []
