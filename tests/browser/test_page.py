"""The page in a real browser: `chromium --headless --dump-dom` after a probe has clicked through.

The probe is a second inline script whose hash is added to the page's policy; all else is the page
as it was written, with its policy in force.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from adharness.report import write_report
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Row, Value
from plain_records import plain_data, plain_run

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")

SCORES = {"knn": 0.91, "padim": 0.84, "patchcore": 0.95}
PROTOCOLS = ["per-class", "absolute-unified"]
LISTEN = """
  const faults = [];
  addEventListener("error", (event) => faults.push(String(event.message)));
  addEventListener("securitypolicyviolation", (event) => faults.push(event.violatedDirective));
  console.error = (...words) => faults.push(words.join(" "));
"""
CLICK = """
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const shown = (part) => part.getClientRects().length > 0;
  const methods = () => all("#boards tbody tr").filter(shown)
    .map((row) => row.querySelector(".method").textContent);
  const seen = { begin: methods() };
  const head = (label) => all("#boards th button").filter(shown)
    .find((button) => button.textContent.includes(label));
  head("AUROC").click(); seen.best_first = methods();
  head("AUROC").click(); seen.worst_first = methods();
  const choose = (name, value) => {
    const select = document.querySelector(`select[name="${name}"]`);
    select.value = value; select.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const normalizers = () => all("#boards thead [data-of=normalizer]").filter(shown).length > 0;
  seen.column_while_filtered = normalizers();
  choose("normalizer", ""); seen.all = methods(); seen.column_while_all = normalizers();
  choose("normalizer", "zscore"); seen.filtered = methods();
  const captions = () => all("#boards caption").filter(shown).map((each) => each.textContent);
  seen.first_tab = captions();
  all("#boards [role=tab]")[1].click(); seen.second_tab = captions();
  seen.wide = document.documentElement.scrollWidth > innerWidth;
  setTimeout(() => {  // what the policy stops is told a little later
  seen.requests = performance.getEntriesByType("resource").map((each) => each.name)
    .filter((name) => !name.startsWith("data:"));
  seen.faults = faults;
  document.documentElement.dataset.seen = JSON.stringify(seen);
  }, 300);
"""


def _cell(protocol: str, method: str, normalizer: str) -> CellRecord:
    value = Value(value=SCORES[method], low=SCORES[method] - 0.1, high=SCORES[method] + 0.04)
    rows = [
        Row(class_name=name, status="ok", metrics={"image_auroc": value})
        for name in ("brick", "macro", "pooled")
    ]
    return CellRecord(
        id=f"{protocol}-{method}-{normalizer}",
        dataset="textures",
        protocol=protocol,
        method=method,
        extractor="lite0",
        bank="random",
        scorer=method,
        normalizer=normalizer,
        thresholder="f1",
        seed=0,
        image_score="max",
        class_oracle=False,
        status="ok",
        rows=rows,
        thresholds=[],
        costs=None,
        scorings=[],
        versions={},
        identity={},
        judged={},
    )


def _write_run(folder: Path) -> Path:
    cells = [_cell(p, m, n) for p in PROTOCOLS for m in SCORES for n in ("raw", "zscore")]
    for cell in cells:
        RunFolder(folder).put_cell(cell, {})
    data = plain_data(
        ["brick"],
    )
    run = plain_run(
        "quickstart",
        protocols=PROTOCOLS,
        metrics=["image_auroc"],
        methods={name: {} for name in SCORES},
        datasets=[data],
        cells=[cell.id for cell in cells],
    )
    RunFolder(folder).put_run(run)
    return write_report(folder).html


def _probed(page: str) -> str:
    """Put the listener before the page's own script, the clicks after it, both allowed by hash."""
    hashes = "".join(
        f" 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (LISTEN, CLICK)
    )
    page = page.replace("script-src", "script-src" + hashes, 1)
    page = page.replace("<style>", f"<script>{LISTEN}</script><style>", 1)
    return page.replace("</body>", f"<script>{CLICK}</script></body>", 1)


def _dump(folder: Path, page: str, *options: str) -> str:
    file = folder / "probed.html"
    file.write_text(page, encoding="utf-8")
    command = [
        *(CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
        *("--virtual-time-budget=2000", f"--user-data-dir={folder / 'profile'}", *options),
        file.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, check=True, timeout=25)
    return done.stdout.decode()


def _seen(dom: str) -> Any:
    found = re.search(r'data-seen="([^"]*)"', dom)
    assert found, "the probe did not come to its end"
    return json.loads(html.unescape(found[1]))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _write_run(tmp_path_factory.mktemp("run")).read_text("utf-8")


@pytest.fixture(scope="module")
def seen(page: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("browser")
    return _seen(_dump(folder, _probed(page), "--window-size=1280,900"))


def test_the_page_begins_with_one_line_a_method(seen: Any) -> None:
    assert sorted(seen["begin"]) == sorted(SCORES)
    assert not seen["column_while_filtered"]


def test_a_click_on_a_head_sorts_and_another_one_turns_the_order(seen: Any) -> None:
    best_first = sorted(SCORES, key=lambda name: -SCORES[name])
    assert seen["best_first"] == best_first
    assert seen["worst_first"] == best_first[::-1]


def test_a_filter_hides_the_other_lines(seen: Any) -> None:
    assert len(seen["all"]) == 2 * len(SCORES)
    assert seen["column_while_all"]
    assert sorted(seen["filtered"]) == sorted(SCORES)


def test_a_tab_shows_one_protocol_at_a_time(seen: Any) -> None:
    assert len(seen["first_tab"]) == len(seen["second_tab"]) == 1
    assert seen["first_tab"] != seen["second_tab"]


def test_nothing_is_requested_and_nothing_goes_wrong(seen: Any) -> None:
    assert seen["requests"] == []
    assert seen["faults"] == []
    assert not seen["wide"]


def test_the_policy_stops_what_it_does_not_know(page: str, tmp_path: Path) -> None:
    stranger = '<img src="https://example.org/x.png"><script>document.title = "broken"</script>'
    broken = _probed(page).replace("<main>", f"<main>{stranger}", 1)
    dom = _dump(tmp_path, broken)
    assert set(_seen(dom)["faults"]) == {"img-src", "script-src-elem"}
    assert "<title>broken" not in dom


def test_the_page_does_not_grow_wider_than_a_phone(page: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(_probed(page), encoding="utf-8")
    frame = (
        '<iframe src="page.html" width="390" height="800"></iframe>'
        "<script>onload = () => setTimeout(() => {"
        "const inner = document.querySelector('iframe').contentDocument.documentElement;"
        "document.documentElement.dataset.seen = JSON.stringify("
        "{ wide: inner.scrollWidth, probe: inner.dataset.seen !== undefined }); }, 600);</script>"
    )
    dom = _dump(tmp_path, frame, "--allow-file-access-from-files")
    assert _seen(dom)["probe"]
    assert _seen(dom)["wide"] <= 390
