"""A published site in a real browser, from the disk: no request, no page wider than a phone."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from adharness.cli import main
from adharness.store.folder import RunFolder

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH"),
    pytest.mark.slow,
]
SUITE: dict[str, Any] = {
    "name": "tiny",
    "data": [{"use": "textures", "size": 64, "train": 10, "good": 5, "per_defect": 1}],
    "protocols": ["per-class", "absolute-unified"],
    "extractors": {"px": {"use": "pixel-patches", "resize": 64, "patch_px": 8}},
    "methods": [
        {"name": name, "extractor": "px", "bank": {"use": "random", "ratio": 0.5},
         "scorer": {"use": "random-scores"}}
        for name in ("dice", "a-method-whose-name-is-so-long-that-no-phone-can-show-it-in-one-line")
    ],
    "metrics": ["image_auroc", "image_f1"],
    "statistics": {"bootstrap": 10},
}  # fmt: skip
LOOK = """
<script>onload = () => setTimeout(() => {
  const found = [...document.querySelectorAll("iframe")].map((frame) => {
    const inner = frame.contentDocument, root = inner.documentElement;
    return { wide: root.scrollWidth, tall: root.scrollHeight, title: inner.title,
             requests: frame.contentWindow.performance.getEntriesByType("resource").length,
             drawn: inner.querySelectorAll("svg circle").length };
  });
  document.documentElement.dataset.seen = JSON.stringify(found);
}, 600);</script>
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    suite, run = folder / "tiny.yaml", folder / "run"
    suite.write_text(yaml.safe_dump(SUITE))
    where = ["--out", str(run), "--cache-dir", str(folder / "cache"), "--quiet"]
    assert main.run(["run", str(suite), *where]) == 0
    assert main.run(["publish", str(run), "--out", str(folder / "boards")]) == 0
    store = RunFolder(run)
    store.put_run(store.run().model_copy(update={"started": "2026-01-01T00:00:00+00:00"}))
    assert main.run(["publish", str(run), "--out", str(folder / "boards")]) == 0
    return folder / "boards"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_open_from_the_disk_and_fit_a_phone(site: Path, tmp_path: Path, scheme: str) -> None:
    pages = [site / "index.html", *sorted((site / "methods").iterdir())]
    frames = "".join(f'<iframe src="{p.as_uri()}" width=390 height=800></iframe>' for p in pages)
    (tmp_path / "look.html").write_text(frames + LOOK, encoding="utf-8")
    command = [
        *(CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
        *("--virtual-time-budget=3000", f"--user-data-dir={tmp_path / 'profile'}"),
        *("--allow-file-access-from-files", (tmp_path / "look.html").as_uri()),
        *(["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []),
    ]
    done = subprocess.run(command, capture_output=True, check=True, timeout=25)
    found = re.search(r'data-seen="([^"]*)"', done.stdout.decode())
    assert found, "the probe did not come to its end"
    seen = json.loads(html.unescape(found[1]))
    assert len(seen) == len(pages) == 3
    for one in seen:
        assert one["title"]
        assert one["wide"] <= 390
        assert one["tall"] > 400
        assert one["requests"] == 0
    assert [one["drawn"] > 0 for one in seen] == [False, True, True]
