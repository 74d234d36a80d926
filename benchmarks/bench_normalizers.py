"""How much of the class z-score's gain normalizers get that are told no class: a markdown table.

    python benchmarks/bench_normalizers.py                         # textures and ELPV, defaults
    python benchmarks/bench_normalizers.py --data elpv --settings  # other parameters beside them

Pooled image AUROC under absolute-unified: one merged model, all test images ranked together. The
gap is from `raw` to `zscore`, which is told every class; a share of it is (normalizer - raw) / gap,
and is printed where the gap is at least 0.002. The last line of a table is the best of the
normalizers that no label reaches: chosen on test labels, so it says what is possible and not what
to expect. Without --settings every normalizer has its default parameters.

ELPV has two classes of solar cells. Textures come twice: with the 8 held-out normals a class of
suites/quickstart.yaml, and with 30 from a larger set.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, TypeAlias

Table: TypeAlias = dict[str, dict[str, float | str]]  # normalizer -> method -> AUROC, or why not
Reference: TypeAlias = dict[str, Any]

SMALLEST_GAP = 0.002  # a share of less is a share of noise

SETS: dict[str, dict[str, Any]] = {
    "textures": {"data": {"use": "textures"}, "resize": 256},
    "textures-more": {"data": {"use": "textures", "train": 100, "good": 40}, "normal": 0.3},
    "elpv": {"data": {"use": "elpv"}},
}
METHODS = [
    {"name": "knn", "bank": {"use": "random", "ratio": 0.02},
     "scorer": {"use": "knn-faiss", "k": 3}},
    {"name": "mahalanobis", "bank": {"use": "images"}, "scorer": {"use": "mahalanobis"}},
    {"name": "padim", "bank": {"use": "grid"}, "scorer": {"use": "padim", "dims": 100}},
    {"name": "patchcore", "bank": {"use": "coreset", "ratio": 0.02},
     "scorer": {"use": "patchcore", "neighbours": 9}},
]  # fmt: skip
TOLD: list[Reference] = [
    {"use": "zscore"},
    {"use": "conformal", "per": "class"},
    {"use": "zscore-routed", "by": "class"},
    {"use": "zscore-routed", "by": "class", "route": "neighbours"},
]
UNTOLD: list[Reference] = [
    {"use": "zscore-routed"},
    {"use": "cluster-quantile"},
    {"use": "conformal"},
    {"use": "conformal", "tail": "exponential"},
    {"use": "conformal", "per": "pooled"},
    {"use": "local-density"},
    {"use": "local-density", "of": "distances"},
    {"use": "regressed"},
]
SETTINGS: list[Reference] = [
    *({"use": "zscore-routed", "clusters": k} for k in (2, 3, 4, 8, 16)),
    *({"use": "zscore-routed", "clusters": k, "smallest": 5} for k in (3, 4)),
    *({"use": "cluster-quantile", "clusters": k} for k in (2, 4, 8)),
    *({"use": "local-density", "neighbours": k} for k in (5, 20)),
]


def suite_of(name: str, normalizers: list[Reference]) -> dict[str, Any]:
    """Write a suite as data; JSON is YAML."""
    chosen = SETS[name]
    network = {"use": "timm", "weights": "bundled", "layers": [2, 3]}
    return {
        "schema": 1,
        "name": name,
        "data": [chosen["data"]],
        "protocols": ["absolute-unified"],
        "split": {"calibration": {"normal": chosen.get("normal", 0.2), "anomalous": 0.3}},
        "extractors": {"lite0": {**network, "resize": chosen.get("resize", 128)}},
        "methods": [{**method, "extractor": "lite0"} for method in METHODS],
        "normalizers": normalizers,
        "thresholders": [{"use": "quantile", "q": 0.95}],
        "metrics": ["image_auroc"],
        "statistics": {"bootstrap": 0},
    }


def measure(
    name: str, normalizers: list[Reference], out: Path, cache: Path
) -> tuple[Table, set[str]]:
    """Run the suite and read from its board the pooled AUROCs, and which rows were told classes."""
    suite = out / f"{name}.yaml"
    suite.write_text(json.dumps(suite_of(name, normalizers)))
    script = Path(sys.executable).with_name("adharness")
    where = ["--out", str(out / name), "--cache-dir", str(cache)]
    command = [script, "run", suite, *where]
    subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603  its cells may fail
    board = json.loads((out / name / "leaderboard.json").read_text())
    table: Table = {}
    told: set[str] = set()
    for row in board["rows"]:
        if row["class"] == "pooled" and row["protocol"] == "absolute-unified":
            value = row["metrics"].get("image_auroc", {}).get("value")
            shown = "failed" if value is None else value
            table.setdefault(row["normalizer"], {})[row["method"]] = shown
            told |= {row["normalizer"]} if row["class_oracle"] else set()
    return table, told


def show(name: str, table: Table, told: set[str]) -> None:
    """Print a set's table."""
    methods = [str(method["name"]) for method in METHODS]
    print(f"\n**{name}**\n\n| normalizer | classes told | {' | '.join(methods)} |")
    print("|---|---|" + "---:|" * len(methods))
    for normalizer, found in table.items():
        knows = "yes" if normalizer in told else "no"
        cells = [_cell(found[m], table["raw"][m], table["zscore"][m]) for m in methods]
        print(f"| {normalizer} | {knows} | {' | '.join(cells)} |")
    best = [_best(table, method, told) for method in methods]
    print(f"| *best without a label* | no | {' | '.join(best)} |")


def _cell(value: float | str, raw: float | str, bound: float | str) -> str:
    share = _share(value, raw, bound)
    shown = value if isinstance(value, str) else f"{value:.4f}"
    return shown if share is None else f"{shown} ({share:.0%})"


def _share(value: float | str, raw: float | str, bound: float | str) -> float | None:
    if isinstance(value, str) or isinstance(raw, str) or isinstance(bound, str):
        return None
    if bound - raw < SMALLEST_GAP:
        return None
    return (value - raw) / (bound - raw)


def _best(table: Table, method: str, told: set[str]) -> str:
    """Name the best of those that no label reaches; raw is none of them."""
    values = {n: found[method] for n, found in table.items() if n not in {"raw", *told}}
    numbers = {n: v for n, v in values.items() if not isinstance(v, str)}
    if not numbers:
        return "failed"
    best = max(numbers, key=lambda n: numbers[n])
    return f"{best}: {_cell(numbers[best], table['raw'][method], table['zscore'][method])}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--settings", action="store_true", help="other parameters too")
    parser.add_argument("--out", type=Path, help="keep the runs and the features here")
    options = parser.parse_args()
    normalizers = [{"use": "raw"}, *TOLD, *UNTOLD, *(SETTINGS if options.settings else [])]
    with tempfile.TemporaryDirectory() as temporary:
        out = options.out or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        for name in options.data:
            show(name, *measure(name, normalizers, out, out / "cache"))


if __name__ == "__main__":
    main()
