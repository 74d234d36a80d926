"""A whole cell of PatchCore and of PaDiM against anomalib's fit and test: one run, side by side.

    python -m venv peers && peers/bin/pip install -r benchmarks/peers/requirements.txt
    python benchmarks/bench_cell.py --peers peers/bin/python
    python benchmarks/bench_cell.py --only padim             # ours alone

60 images to train on and 60 to test, 256 px, masks, the same random resnet18, the layers and
parameters of anomalib's defaults (PatchCore: coreset 10 %, its own random projection). Each
measurement is a fresh process; ours and theirs take turns. A small cell of each goes first and is
not counted: it leaves compiled modules (in a folder of the benchmark's own) and read files behind.

Ours is `adharness run` from reading the suite to the written page, with an empty feature cache and
with the bootstrap intervals and metrics below; 15 more images give its threshold, which may not see
the test. Theirs is `Engine.fit` and `Engine.test` alone with anomalib's four metrics, once without
and once with the pictures it draws by default; its threshold is fitted on the test images. Both
sides import what they need before their clocks start; the last ratio is of whole processes. Ours
runs a second time with the network's products in bfloat16, which anomalib does not do by itself on
a processor. Random weights say little of an image, so the AUROCs are there to compare, not to
admire.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, TypeAlias

from cell_inputs import CLASS, save_images, save_weights
from processes import measured

Run: TypeAlias = dict[str, Any]
HERE = Path(__file__).parent
METRICS = ("image_auroc", "image_f1_oracle", "pixel_auroc", "pixel_f1_oracle", "region_aupro_30")
NAMES = {"image_auroc": "image_AUROC", "pixel_auroc": "pixel_AUROC"}  # ours: theirs
PRECISIONS = ("float32", "bfloat16")
DRAWING = ("plain", "pictures")
SMALL = 15  # images of the cell that is not counted
METHODS: dict[str, dict[str, Any]] = {
    "padim": {
        "extractor": {"layers": [1, 2, 3], "neighbourhood": 1, "upsampling": "nearest"},
        "bank": {"use": "grid"},
        "scorer": {"use": "padim", "dims": 100},
        "maps": {"image_score": {"use": "max", "of": "pixels"}},
    },
    "patchcore": {
        "extractor": {"layers": [2, 3], "neighbourhood": 3},
        "bank": {"use": "coreset", "recipe": "anomalib"},
        "scorer": {"use": "patchcore", "recipe": "anomalib"},
        "maps": {},
    },
}


def suite_of(name: str, weights: Path, precision: str) -> dict[str, Any]:
    """Write a suite as data; JSON is YAML."""
    method = METHODS[name]
    network = {"use": "timm", "model": "resnet18", "weights": str(weights), "resize": 256}
    network["precision"] = precision
    return {
        "schema": 1,
        "name": name,
        "data": [{"use": "folder"}],
        "split": {"policy": "official"},
        "extractors": {"resnet18": {**network, **method["extractor"], "embedding": False}},
        "methods": [
            {
                "name": name,
                "extractor": "resnet18",
                "bank": method["bank"],
                "scorer": method["scorer"],
                "maps": method["maps"],
            }
        ],
        "thresholders": [{"use": "quantile", "q": 0.95}],
        "metrics": list(METRICS),
    }


def compare(name: str, folder: Path, options: argparse.Namespace) -> None:
    for precision in PRECISIONS:
        written = json.dumps(suite_of(name, folder / "weights.safetensors", precision))
        (folder / f"{precision}.yaml").write_text(written, "utf-8")
    taking_turns(name, folder, "small", options.peers)
    rounds = [taking_turns(name, folder, "images", options.peers) for _ in range(options.rounds)]
    print(f"\n{name}, {options.rounds} round(s), medians; load {os.getloadavg()[0]:.1f}")
    theirs = {each: [run[each] for run in rounds] for each in DRAWING if options.peers}
    for drawing, runs in theirs.items():
        report_theirs(drawing, runs)
    for precision in PRECISIONS:
        report_ours(precision, [run[precision] for run in rounds], theirs)


def taking_turns(name: str, folder: Path, images: str, peers: str | None) -> dict[str, Run]:
    """Run the cell by ours in each precision, and by theirs where it is installed."""
    weights, data = folder / "weights.safetensors", folder / images
    script = HERE / "cell_ours.py"
    runs = {
        precision: measured(
            sys.executable, script, folder / f"{precision}.yaml", data, folder / "o"
        )
        for precision in PRECISIONS
    }
    if peers:
        script = HERE / "peers" / "cell.py"
        given = (name, data, CLASS, weights, folder / "peer")
        runs |= {drawing: measured(peers, script, *given, drawing) for drawing in DRAWING}
    return runs


def report_theirs(drawing: str, runs: list[Run]) -> None:
    wall, cpu, size = summary(runs)
    print(f"  theirs, {drawing:<15} {wall:8.1f} s {cpu:8.1f} s cpu {size:6.0f} MiB")
    for part in runs[0]["seconds"]:
        print(f"    of which {part:<12} {median(run['seconds'][part] for run in runs):8.1f} s")
    print(f"    with its start        {median(run['process_s'] for run in runs):8.1f} s")


def report_ours(precision: str, runs: list[Run], theirs: dict[str, list[Run]]) -> None:
    wall, cpu, size = summary(runs)
    print(f"  ours, {precision:<17} {wall:8.1f} s {cpu:8.1f} s cpu {size:6.0f} MiB")
    for part in runs[0]["parts"]:
        print(f"    of which {part:<12} {median(run['parts'][part] for run in runs):8.1f} s")
    for drawing, others in theirs.items():
        other = summary(others)
        starts = [median(run["process_s"] for run in each) for each in (others, runs)]
        print(f"    ratio to {drawing:<12} {other[0] / wall:8.1f} x {other[1] / cpu:8.1f} x cpu")
        print(f"    the same with starts  {starts[0] / starts[1]:8.1f} x")
    for metric, name in NAMES.items():
        line = f"    {metric:<21} {runs[0]['values'][metric]:8.4f}"
        found = [f"{others[0]['values'][name]:.4f} theirs" for others in theirs.values()][:1]
        print(", ".join([line, *found]), flush=True)


def summary(runs: list[Run]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and MiB."""
    wall = median(sum(run["seconds"].values()) for run in runs)
    return wall, median(run["cpu_s"] for run in runs), median(run["peak_mb"] for run in runs)


def median(values: Any) -> float:
    return float(statistics.median(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="python of the environment with anomalib")
    parser.add_argument("--only", choices=METHODS, help="one of the two")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--images", type=int, default=60, help="to train on, and to test")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # Without it a process may compile all of torch anew, which is no part of the work.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder, "bytecode"))
        save_images(Path(folder, "images"), options.images)
        save_images(Path(folder, "small"), SMALL)
        save_weights(Path(folder, "weights.safetensors"))
        for name in [options.only] if options.only else METHODS:
            compare(name, Path(folder), options)


if __name__ == "__main__":
    main()
