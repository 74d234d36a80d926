"""Chromium, driven over its own debugging pipe: no driver, no network, real keys.

Messages are JSON, each ended by a NUL: what goes in on file descriptor 3, what comes out on 4.
"""

from __future__ import annotations

import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
    "--remote-debugging-pipe",
)
KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, ""), "End": (35, ""),
        "ArrowRight": (39, ""), " ": (32, " ")}  # fmt: skip


class Page:
    """One page; what it says on the console and what it asks the network for is kept."""

    def __init__(self, inward: int, outward: int) -> None:
        self._in, self._out = inward, outward
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    def attach(self) -> Self:
        """Take the first page of the browser."""
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in targets if each["type"] == "page")
        told = self.send("Target.attachToTarget", targetId=page, flatten=True)
        self._session = told["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        return self

    def send(self, method: str, **params: Any) -> Any:
        """Ask the browser something and wait for its answer."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._in, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def open(self, address: str, width: int = 1280, height: int = 900) -> None:
        """Load an address anew, also one that differs in its fragment alone."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip
        self.send("Page.navigate", url="about:blank")
        self._loaded("about:blank")
        self.events.clear()
        self.send("Page.navigate", url=address)
        self._loaded(address)

    def run(self, script: str) -> Any:
        """Value of an expression in the page; a promise is waited for."""
        told = self.send("Runtime.evaluate", expression=script, awaitPromise=True,
                         returnByValue=True, userGesture=True)  # fmt: skip
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key where the focus is."""
        code, text = KEYS[key]
        press = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **press)
        self.send("Input.dispatchKeyEvent", type="keyUp", **press)

    def media(self, **features: str) -> None:
        """Set media features: `prefers_color_scheme="dark"`."""
        told = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.send("Emulation.setEmulatedMedia", features=told)

    def faults(self) -> list[str]:
        """Errors, exceptions and breaches of the policy since the page was opened."""
        self.run("new Promise((done) => setTimeout(done, 50))")
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(e["params"]) for e in self.events if e["method"] in kinds
                or (e["method"] == "Runtime.consoleAPICalled" and e["params"]["type"] == "error")
                ]  # fmt: skip

    def requests(self) -> list[str]:
        """Addresses that the page asked for, but for its own and for data."""
        asked = [e["params"]["request"]["url"] for e in self.events
                 if e["method"] == "Network.requestWillBeSent"
                 and e["params"]["type"] != "Document"]  # fmt: skip
        return [url for url in asked if not url.startswith("data:")]

    def _loaded(self, address: str) -> None:
        ready = f"location.href === {json.dumps(address)} && document.readyState === 'complete'"
        if address.startswith("file:"):
            ready = "location.protocol === 'file:' && document.readyState === 'complete'"
        until = time.monotonic() + 20
        while not self.run(ready):
            assert time.monotonic() < until, f"{address} does not load"
            time.sleep(0.02)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._out], [], [], 25)
            assert ready, "the browser does not answer"
            self._rest += os.read(self._out, 1 << 20)
        message, self._rest = self._rest.split(b"\0", 1)
        told: dict[str, Any] = json.loads(message)
        return told


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Start chromium with a profile in this folder, and end it."""
    (their_in, our_in), (our_out, their_out) = os.pipe(), os.pipe()
    command = [CHROMIUM or "", *_OPTIONS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    shell = ["bash", "-c", f'exec "$@" 3<&{their_in} 4>&{their_out} 2>/dev/null', "-", *command]
    process = subprocess.Popen(shell, pass_fds=(their_in, their_out), stdout=subprocess.DEVNULL)
    try:
        os.close(their_in)
        os.close(their_out)
        yield Page(our_in, our_out).attach()
    finally:
        process.terminate()
        process.wait(10)
        os.close(our_in)
        os.close(our_out)
