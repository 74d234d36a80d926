"""The same numbers by scikit-learn and anomalib, in their own environment; a line of JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from anomalib.metrics.aupro import _AUPRO
from sklearn.metrics import average_precision_score, roc_auc_score


def aupro(masks: np.ndarray, maps: np.ndarray) -> float:
    metric = _AUPRO(fpr_limit=0.3)
    metric.update(torch.from_numpy(maps), torch.from_numpy(masks))
    return float(metric.compute())


def main(folder: Path) -> None:
    masks, maps = np.load(folder / "masks.npy"), np.load(folder / "maps.npy")
    work = {
        "pixel_auroc": lambda: float(roc_auc_score(masks.ravel(), maps.ravel())),
        "pixel_ap": lambda: float(average_precision_score(masks.ravel(), maps.ravel())),
        "region_aupro_30": lambda: aupro(masks, maps),
    }
    seconds, values = {}, {}
    aupro(masks[:1], maps[:1])
    for name, measure in work.items():
        start = time.perf_counter()
        values[name] = measure()
        seconds[name] = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "values": values}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
