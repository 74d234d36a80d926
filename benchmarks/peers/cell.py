"""The same cell by anomalib, in its own environment: fit and test; a line of JSON.

python benchmarks/peers/cell.py METHOD IMAGES CLASS WEIGHTS FOLDER (plain|pictures)

All is anomalib's default but this: images are read in the process itself, and where it is told
`plain` no picture is drawn of a test image.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
from anomalib.data import MVTecAD
from anomalib.engine import Engine
from anomalib.models import Padim, Patchcore
from safetensors.torch import load_file


def made(method: str, weights: Path, *, pictures: bool) -> Any:
    kind = Padim if method == "padim" else Patchcore
    model = kind(backbone="resnet18", pre_trained=False, visualizer=pictures)
    network = model.model.feature_extractor.feature_extractor
    lost = network.load_state_dict(load_file(weights), strict=False).missing_keys
    assert not lost, lost
    return model


def main(method: str, images: Path, name: str, weights: Path, folder: Path, drawing: str) -> None:
    torch.manual_seed(0)
    model = made(method, weights, pictures=drawing == "pictures")
    data = MVTecAD(root=images, category=name, num_workers=0)
    engine = Engine(
        accelerator="cpu", devices=1, default_root_dir=folder, logger=False, barebones=False
    )
    begun, worked = time.perf_counter(), time.process_time()
    engine.fit(model, datamodule=data)
    fitted = time.perf_counter()
    (values,) = engine.test(model, datamodule=data, verbose=False)
    tested = time.perf_counter()
    print(
        json.dumps(
            {
                "seconds": {"fit": fitted - begun, "test": tested - fitted},
                "cpu_s": time.process_time() - worked,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "values": {key: float(value) for key, value in values.items()},
                "images": [len(data.train_data), len(data.test_data)],
            }
        )
    )


if __name__ == "__main__":
    method, images, name, weights, folder, drawing = sys.argv[1:7]
    main(method, Path(images), name, Path(weights), Path(folder), drawing)
