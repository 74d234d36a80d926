"""What `features: {dtype: float16}` saves and what it changes: a suite run both ways.

    python benchmarks/bench_float16.py                        # suites/quickstart.yaml
    python benchmarks/bench_float16.py --suite suites/solar_cells.yaml --repeats 1

Per class, raw scores, without intervals and pictures. Each dtype has a cache and a folder of its
own; runs take turns, and times are medians over the repeats, of which all but the first find their
features in the cache: extraction is timed once each. Prints markdown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Rows: TypeAlias = dict[tuple[str, str], dict[str, float]]
"""(method, class) -> metric -> value."""
PROGRAM = Path(sys.executable).with_name("adharness")
DTYPES = ("float32", "float16")
PIXEL = ("pixel_auroc", "region_aupro_30")


def main() -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=Path, default=Path("suites/quickstart.yaml"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--without", action="append", default=[], metavar="METHOD")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        stages: dict[str, list[dict[str, float]]] = {dtype: [] for dtype in DTYPES}
        for _ in range(asked.repeats):
            for dtype in DTYPES:
                stages[dtype].append(run(asked, dtype, home))
        report(home, stages)


def run(asked: argparse.Namespace, dtype: str, home: Path) -> dict[str, float]:
    """Run the suite with features of this type, and give the seconds of its stages."""
    told = yaml.safe_load(asked.suite.read_text())
    has_masks = any(name in told["metrics"] for name in PIXEL)
    told |= {
        "features": {"dtype": dtype},
        "methods": [one for one in told["methods"] if one["name"] not in asked.without],
        "protocols": ["per-class"],
        "normalizers": [{"use": "raw"}],
        "thresholders": [{"use": "quantile", "q": 0.95}],
        "metrics": ["image_auroc", *(PIXEL if has_masks else ())],
        "statistics": {"bootstrap": 0},
        "views": [],
    }
    told.pop("deployment", None)
    file, out = home / f"{dtype}.yaml", home / dtype
    file.write_text(yaml.safe_dump(told))
    where = ["--out", str(out), "--cache-dir", str(home / f"{dtype}-cache")]
    few = [] if asked.limit is None else ["--limit", str(asked.limit)]
    command = [str(PROGRAM), "run", str(file), "--fresh", "-q", *where, *few]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own program
    seconds: dict[str, float] = json.loads((out / "run.json").read_text())["stages_s"]
    return seconds


def report(home: Path, stages: dict[str, list[dict[str, float]]]) -> None:
    """Print what was found."""
    wide, half = (table_of(home / dtype) for dtype in DTYPES)
    print("| float16 | against float32 |\n|---|---|")
    sizes = [size_of(home / f"{dtype}-cache") for dtype in DTYPES]
    print(f"| size on disk | {sizes[1] / sizes[0]:.2f} of {sizes[0] / 1e6:.0f} MB |")
    extract = [stages[dtype][0]["extract"] for dtype in DTYPES]
    print(f"| extraction | {extract[1] / extract[0]:.2f} of {extract[0]:.1f} s |")
    score = [statistics.median(s["fit and score"] for s in stages[dtype]) for dtype in DTYPES]
    print(f"| fit and score | {score[1] / score[0]:.2f} of {score[0]:.1f} s |")
    metrics = sorted({name for row in wide.values() for name in row})
    print(f"\n| largest difference | {' | '.join(metrics)} |")
    print(f"|---|{'---|' * len(metrics)}")
    for method in dict.fromkeys(method for method, _ in wide):
        cells = [largest(wide, half, method, metric) for metric in metrics]
        print(f"| {method} | {' | '.join(cells)} |")


def largest(wide: Rows, half: Rows, method: str, metric: str) -> str:
    """Largest difference over the classes, with the class."""
    found = {
        name: abs(row[metric] - half[of, name][metric])
        for (of, name), row in wide.items()
        if of == method and metric in row
    }
    if not found:
        return "-"
    name = max(found, key=lambda one: found[one])
    return f"{found[name]:.5f}" + (f" ({name})" if found[name] else "")


def table_of(out: Path) -> Rows:
    """Read the classes' numbers of a board."""
    rows: list[dict[str, Any]] = json.loads((out / "leaderboard.json").read_text())["rows"]
    return {
        (row["method"], row["class"]): {
            name: one["value"] for name, one in row["metrics"].items() if one["value"] is not None
        }
        for row in rows
        if row["class"] not in ("macro", "pooled")
    }


def size_of(cache: Path) -> int:
    """Bytes of all arrays of features."""
    return sum(file.stat().st_size for file in (cache / "features").glob("*/*.npy"))


if __name__ == "__main__":
    main()
