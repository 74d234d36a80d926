"""A page of 200 methods and 30 classes: its size, and what opening, sorting and filtering it takes.

    PYTHONPATH=tests/support python benchmarks/bench_page.py
    PYTHONPATH=tests/support python benchmarks/bench_page.py --methods 50 --classes 15

Times are of the page's own thread, least of five: layout and painting are in them, the waiting for
other work on the machine is not.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from board_runs import BoardRun
from browser import Page, browser

FIELD = "document.querySelector('[name=method]')"
HEAD = "document.querySelector('#{}-1 th[data-column=\"{}\"] button').click()"
BOX = "document.querySelector('.menu input[value=\"{}\"]').click()"
TABS = "document.querySelectorAll('#classes [role=tab]')"
ACTS = {
    "sort the board": HEAD.format("board", "image_auroc"),
    "sort the classes": HEAD.format("class-1", "class 3"),
    "filter by method": f"{FIELD}.value = {FIELD}.value ? '' : '1';"
    f"{FIELD}.dispatchEvent(new Event('input', {{ bubbles: true }}))",
    "hide a column": BOX.format("image_ap"),
    "hide a class": BOX.format("class 3"),
    "another metric": f"{TABS}[window.odd = 1 - (window.odd || 0)].click()",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", type=int, default=200)
    parser.add_argument("--classes", type=int, default=30)
    options = parser.parse_args()
    run = BoardRun(
        methods=tuple(f"method {number}" for number in range(options.methods)),
        classes=tuple(f"class {number}" for number in range(options.classes)),
        metrics=("image_auroc", "image_ap", "image_f1", "pixel_auroc", "region_aupro_30"),
        normalizers=("raw",),
    )
    with tempfile.TemporaryDirectory() as home, browser(Path(home)) as page:
        started = time.perf_counter()
        file = run.write(Path(home))
        print(f"{'written in':20} {time.perf_counter() - started:8.1f} s")
        print(f"{'size':20} {file.stat().st_size / 1e6:8.1f} MB")
        page.send("Performance.enable", timeDomain="threadTicks")
        page.open(file.as_uri(), 1440, 900)
        print(f"{'opened in':20} {busy_ms(page):8.0f} ms")
        for name, act in ACTS.items():
            print(f"{name:20} {min(took_ms(page, act) for _ in range(5)):8.0f} ms")


def took_ms(page: Page, act: str) -> float:
    """Milliseconds that the page is busy with an act, until it is painted."""
    before = busy_ms(page)
    frame = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
    page.run(f"(async () => {{ {act}; {frame}; }})()")
    return busy_ms(page) - before


def busy_ms(page: Page) -> float:
    """Milliseconds that the page's thread has worked since it began."""
    told = page.send("Performance.getMetrics")["metrics"]
    return 1000 * float(next(each["value"] for each in told if each["name"] == "TaskDuration"))


if __name__ == "__main__":
    main()
