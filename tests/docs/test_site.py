"""The site: built without a warning, read without a network, and on a phone."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import docs_api
from browser import CHROMIUM, browser
from docs_links import ROOT, resolve
from docs_site import contents

DOCS = ROOT / "docs"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def build(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build as for publishing: a warning is an error. The pages may be others."""
    options = ["-W", "--keep-going", "-n", "-q", "-b", "html", "-d", str(site / ".tree")]
    command = [sys.executable, "-m", "sphinx", *options, "-c", str(DOCS), str(source), str(site)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(DOCS, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Two pages that are built without a warning."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "index.md").write_text("# First\n\n## Begin\n\n- [More](more.md)\n")
    (folder / "more.md").write_text("# More\n\n## Some detail\n\n[up](index.md#begin)\n")
    return folder


def test_every_page_and_every_decision_is_in_the_site(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS)).with_suffix(".html").exists()


def test_every_public_name_is_in_the_built_reference(site: Path) -> None:
    page = (site / "api.html").read_text(encoding="utf-8")
    anchors = set(re.findall(r'id="(adharness[\w.]*)"', page))
    names = [public for module in docs_api.MODULES for public in docs_api.public_names(module)]
    assert [public.path for public in names if public.path not in anchors] == []


class Loaded(HTMLParser):
    """What a page loads by itself: scripts, styles, pictures, frames."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        loads = tag in {"script", "img", "iframe", "source", "video", "audio", "embed", "link"}
        self.addresses += [given.get(n) or "" for n in ("src", "href") if loads and n in given]


def test_no_page_loads_anything_from_a_network(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.addresses
        assert [a for a in loaded.addresses if re.match(r"(https?:)?//", a)] == [], page.name
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", style.read_text("utf-8"))


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")
def test_pages_fit_a_phone_make_no_request_and_raise_no_error(site: Path, tmp_path: Path) -> None:
    with browser(tmp_path) as page:
        for name in ("index", "tutorial", "suite", "api", "components", "commands", "metrics"):
            page.open((site / f"{name}.html").as_uri(), width=375, height=800)
            assert page.run("document.documentElement.scrollWidth") <= 375, name
            assert [r for r in page.requests() if not r.startswith("file:")] == [], name
            assert page.faults() == [], name


def test_two_pages_that_are_right_are_built(pages: Path, tmp_path: Path) -> None:
    done = build(pages, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "more.html" in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("[up](index.md#begun)", "begun"),
        ("[up](nowhere.md)", "nowhere.md"),
        ("```{eval-rst}\n.. autoclass:: adharness.Nowhere\n```", "Nowhere"),
        ("```{eval-rst}\n:py:class:`adharness.Nowhere`\n```", "Nowhere"),
    ],
)
def test_a_dead_link_anchor_or_name_fails_the_build(
    pages: Path, tmp_path: Path, page: str, told: str
) -> None:
    (pages / "more.md").write_text(f"# More\n\n{page}\n")
    done = build(pages, tmp_path / "out")
    assert done.returncode != 0
    assert told in done.stderr


def test_links_out_of_the_docs_lead_to_a_mirror_or_name_the_file() -> None:
    page = DOCS / "data.md"
    mirrored = resolve("[sets](../plugins/adharness-datasets/README.md#sets)", page)
    assert mirrored == "[sets](plugins/adharness-datasets.md#sets)"
    assert resolve("[the program](../adharness/cli)", page) == "the program (`adharness/cli`)"
    assert resolve("[adharness/cli](../adharness/cli)", page) == "`adharness/cli`"
    for same in ("[a](metrics.md#b)", "[a](#b)", "[a](https://example.org)", "[a](../nowhere)",
                 "```\n[a](../adharness)\n```"):  # fmt: skip
        assert resolve(same, page) == same


def test_a_readme_of_a_plugin_links_to_pages_of_the_site() -> None:
    readme = ROOT / "plugins" / "adharness-timm" / "README.md"
    page = DOCS / "plugins" / "adharness-timm.md"
    assert resolve("[a](../../docs/data.md) [b](../../README.md)", readme, page) == (
        "[a](../data.md) [b](../index.md)"
    )


def test_the_table_of_contents_is_made_of_the_lists_of_the_first_page() -> None:
    made = contents("# A\n\n## One\n\n- [b](b.md): more\n\n## Two\n\n- [c](d/c.md)\n")
    assert re.findall(r":caption: (\w+)\n\n(\S+)\n", made) == [("One", "b"), ("Two", "d/c")]
