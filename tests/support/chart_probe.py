"""A page in headless Chromium: a probe is added to it, its policy stays in force."""

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

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
DARK = "--blink-settings=preferredColorScheme=0"
_LISTEN = """
  const faults = [];
  addEventListener("error", (event) => faults.push(String(event.message)));
  addEventListener("unhandledrejection", (event) => {
    faults.push(String(event.reason));
    document.documentElement.dataset.seen = JSON.stringify({ faults });
  });
  addEventListener("securitypolicyviolation", (event) => faults.push(event.violatedDirective));
  console.error = (...words) => faults.push(words.join(" "));
  console.warn = (...words) => faults.push(words.join(" "));
"""
_TELL = """
  const tell = (seen) => {
    seen.faults = faults;
    seen.requests = performance.getEntriesByType("resource").map((each) => each.name)
      .filter((name) => !name.startsWith("data:"));
    document.documentElement.dataset.seen = JSON.stringify(seen);
  };
"""


def probe(page: str, script: str, folder: Path, *options: str) -> Any:
    """Run a script at the end of a page; what it gives to `tell` comes back.

    With `faults`, what went wrong or was warned of, and `requests`, what was asked of a network.
    """
    script = _TELL + script
    hashes = "".join(
        f" 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (_LISTEN, script)
    )
    page = page.replace("script-src", "script-src" + hashes, 1)
    page = page.replace("<style>", f"<script>{_LISTEN}</script><style>", 1)
    page = page.replace("</body>", f"<script>{script}</script></body>", 1)
    file = folder / "probed.html"
    file.write_text(page, encoding="utf-8")
    command = [
        *(CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
        *("--virtual-time-budget=90000", f"--user-data-dir={folder / 'profile'}", *options),
        file.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, check=True, timeout=25)
    found = re.search(r'data-seen="([^"]*)"', done.stdout.decode())
    assert found, "the probe did not come to its end"
    return json.loads(html.unescape(found[1]))
