"""What fewer bits and other libraries save and change: a suite run each way, beside float32 torch.

    python benchmarks/bench_precision.py --ways float16           # suites/quickstart.yaml
    python benchmarks/bench_precision.py --suite suites/solar_cells.yaml --repeats 1

Per class, raw scores, without intervals and pictures. Each way has a cache and a folder of its own;
runs take turns, and times are medians over the repeats, of which all but the first find their
features in the cache: extraction is timed once each. Prints markdown.

`float16` keeps features in it; `bfloat16` lets the network multiply in it, in torch or in OpenVINO;
`onnxruntime` and `openvino` compute in float32.
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
PLAIN = "float32"
EXTRACTED: dict[str, dict[str, str]] = {
    "bfloat16": {"precision": "bfloat16"},
    "onnxruntime": {"backend": "onnxruntime"},
    "openvino": {"backend": "openvino"},
    "openvino-bfloat16": {"backend": "openvino", "precision": "bfloat16"},
}
PIXEL = ("pixel_auroc", "region_aupro_30")


def main() -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=Path, default=Path("suites/quickstart.yaml"))
    ways = ["float16", *EXTRACTED]
    parser.add_argument("--ways", nargs="+", choices=ways, default=ways)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--without", action="append", default=[], metavar="METHOD")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        stages: dict[str, list[dict[str, float]]] = {way: [] for way in (PLAIN, *asked.ways)}
        for _ in range(asked.repeats):
            for way, seconds in stages.items():
                seconds.append(run(asked, way, home))
        report_costs(home, stages)
        report_numbers({way: table_of(home / way) for way in stages})


def run(asked: argparse.Namespace, way: str, home: Path) -> dict[str, float]:
    """Run the suite this way, and give the seconds of its stages."""
    told = yaml.safe_load(asked.suite.read_text())
    has_masks = any(name in told["metrics"] for name in PIXEL)
    told |= {
        "features": {"dtype": "float16" if way == "float16" else "float32"},
        "extractors": {
            name: one | EXTRACTED.get(way, {}) for name, one in told["extractors"].items()
        },
        "methods": [one for one in told["methods"] if one["name"] not in asked.without],
        "protocols": ["per-class"],
        "normalizers": [{"use": "raw"}],
        "thresholders": [{"use": "quantile", "q": 0.95}],
        "metrics": ["image_auroc", *(PIXEL if has_masks else ())],
        "statistics": {"bootstrap": 0},
        "views": [],
    }
    told.pop("deployment", None)
    file, out = home / f"{way}.yaml", home / way
    file.write_text(yaml.safe_dump(told))
    where = ["--out", str(out), "--cache-dir", str(home / f"{way}-cache")]
    few = [] if asked.limit is None else ["--limit", str(asked.limit)]
    command = [str(PROGRAM), "run", str(file), "--fresh", "-q", *where, *few]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own program
    seconds: dict[str, float] = json.loads((out / "run.json").read_text())["stages_s"]
    return seconds


def report_costs(home: Path, stages: dict[str, list[dict[str, float]]]) -> None:
    """Print size and time of each way."""
    print("| way | features, MB | extraction, s | fit and score, s |\n|---|---|---|---|")
    for way, seconds in stages.items():
        score = statistics.median(one["fit and score"] for one in seconds)
        size = size_of(home / f"{way}-cache") / 1e6
        print(f"| {way} | {size:.0f} | {seconds[0]['extract']:.1f} | {score:.1f} |")


def report_numbers(tables: dict[str, Rows]) -> None:
    """Print the largest difference of each way from float32 torch, by method and metric."""
    plain = tables.pop(PLAIN)
    metrics = sorted({name for row in plain.values() for name in row})
    print(f"\n| largest difference | method | {' | '.join(metrics)} |")
    print(f"|---|---|{'---|' * len(metrics)}")
    for way, other in tables.items():
        for method in dict.fromkeys(method for method, _ in plain):
            cells = [largest(plain, other, method, metric) for metric in metrics]
            print(f"| {way} | {method} | {' | '.join(cells)} |")


def largest(plain: Rows, other: Rows, method: str, metric: str) -> str:
    """Largest difference over the classes, with the class."""
    found = {
        name: abs(row[metric] - other[of, name][metric])
        for (of, name), row in plain.items()
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
