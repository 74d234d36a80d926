#!/usr/bin/env python3
"""Clean a raw list of published numbers into the file that the board reads.

    python scripts/published_rows.py RAW.csv [--out adharness/report/published/rows.csv]

RAW has the columns protocol, method, variant, dataset, class, metric, value (percent), source, tier
and note. The result is the same for the same RAW: sorted, metrics under our ids, shares for
percent, the dialect where the source's code is known. What is left out is counted, with the reason.
Columns and tiers are explained in adharness/report/published/README.md.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

Line = dict[str, str]
COLUMNS = ("dataset", "protocol", "method", "variant", "class", "metric", "dialect", "printed",
           "value", "tier", "contested", "source", "note")  # fmt: skip
OUT = Path(__file__).resolve().parents[1] / "adharness" / "report" / "published" / "rows.csv"
APART = Decimal("0.02")
"""Two sources that differ by more than this on one number contest it."""

PROTOCOLS = {"per_class": "per-class", "model_unified": "model-unified",
             "absolute_unified": "absolute-unified"}  # fmt: skip
OTHER_PROTOCOLS = {
    "speed": "a cost of other hardware",
    "zero_shot": "zero-shot",
    "batched_zero_shot": "zero-shot",
    "per_class_seed_repo": "a split of its own",
    "model_unified_seed_repo": "a split of its own",
}
DATASETS = {
    "mvtec_ad": "mvtec-ad", "mvtec_loco": "mvtec-loco", "mvtec_3d": "mvtec-3d-ad", "visa": "visa",
    "btad": "btad", "mpdd": "mpdd", "real-iad": "real-iad", "real_iad": "real-iad",
    "mad_real": "mad-real", "mad_sim": "mad-sim", "uni-medical": "uni-medical",
    "coco-ad": "coco-ad", "mvtec_ad2_TESTpriv": "mvtec-ad-2-private",
    "mvtec_ad2_TESTpriv_mix": "mvtec-ad-2-private-mixed",
}  # fmt: skip
METRICS = {
    "image_auroc": "image_auroc", "image_auroc_pooled": "image_auroc", "image_ap": "image_ap",
    "image_f1max": "image_f1_oracle", "image_f1_adaptive": "image_f1_oracle",
    "pixel_auroc": "pixel_auroc", "pixel_auroc_anomalous_imgs_only": "pixel_auroc_anomalous",
    "pixel_ap": "pixel_ap", "pixel_f1max": "pixel_f1_oracle", "iou_max": "pixel_iou_oracle",
    "aupro_0.30": "region_aupro_30", "pro_full_col": "region_aupro_30", "seg_f1": "pixel_seg_f1",
}  # fmt: skip
CLASSES = {"Can": "can", "Fabric": "fabric", "FruitJelly": "fruit_jelly", "Rice": "rice",
           "SheetMetal": "sheet_metal", "Vial": "vial", "Wallplugs": "wallplugs",
           "Walnuts": "walnuts"}  # fmt: skip
SOURCES = {
    "Defard 2021 Table III (IvanNece repo papers/Padim.pdf)": "Defard et al. 2021, table III",
    "Defard 2021 Table V": "Defard et al. 2021, table V",
}
TIERS = ("primary", "primary-text", "transcription", "secondary")
ANY_CODE = ("image_auroc", "pixel_auroc", "pixel_auroc_anomalous")
"""Every code that sorts by score gives the same number: there is no dialect of them."""
ADER = {
    "region_aupro_30": "ader or binned_50", "pixel_ap": "exact or binned_50",
    "pixel_f1_oracle": "ader", "pixel_iou_oracle": "ader", "image_ap": "exact",
}  # fmt: skip
"""Which of its two arithmetics made a table is unknown; docs/metrics.md has the evidence."""
UNKNOWN = "not stated"


def why_left_out(raw: Line) -> str | None:
    """Say why a raw line has no place in the file; None where it has."""
    if raw["protocol"] not in PROTOCOLS:
        shots = "few-shot" if raw["protocol"].endswith("_shot") else "unknown protocol"
        return OTHER_PROTOCOLS.get(raw["protocol"], shots)
    if raw["class"].startswith("avg_"):
        return "a mean over a part of the classes"
    if raw["metric"] == "mAD":
        return "mAD, a mean of seven metrics"
    known = {"metric": METRICS, "dataset": DATASETS}
    return next(
        (f"unknown {k} {raw[k]}" for k, names in known.items() if raw[k] not in names), None
    )


def cleaned(raw: Line) -> Line:
    """Give a raw line in our words."""
    metric = METRICS[raw["metric"]]
    mean = "pooled" if raw["metric"] == "image_auroc_pooled" else "macro"
    return {
        "dataset": DATASETS[raw["dataset"]],
        "protocol": PROTOCOLS[raw["protocol"]],
        "method": raw["method"],
        "variant": raw["variant"],
        "class": mean if raw["class"] == "avg" else CLASSES.get(raw["class"], raw["class"]),
        "metric": metric,
        "dialect": dialect_of(raw, metric),
        "printed": raw["metric"],
        "value": share(raw),
        "tier": raw["tier"],
        "contested": "",
        "source": SOURCES.get(raw["source"], raw["source"]),
        "note": note_of(raw, metric),
    }


def share(raw: Line) -> str:
    """Turn percent into a share, with the digits that were printed."""
    try:
        value = Decimal(raw["value"]) / 100
    except InvalidOperation:
        raise SystemExit(f"{raw}: the value is no number") from None
    if not 0 <= value <= 1:
        raise SystemExit(f"{raw}: the value is no percentage")
    return f"{value.normalize():f}"


def dialect_of(raw: Line, metric: str) -> str:
    """Whose reading of the metric a source printed; `not stated` where nobody says."""
    source = raw["source"]
    if source.startswith("zhangzjn/"):
        return ADER.get(metric, "exact" if metric in ANY_CODE else UNKNOWN)
    if "Dinomaly" in source and raw["method"] != "Dinomaly":
        return UNKNOWN  # copied from other tables
    if metric in ANY_CODE:
        return "exact"
    if "Dinomaly" in source and metric == "region_aupro_30":
        return "rd4ad"
    if source.startswith("amazon-science/"):
        return "full_pro" if raw["metric"] == "pro_full_col" else "anomaly_pro"
    return "exact" if raw["metric"] in {"image_f1_adaptive", "seg_f1"} else UNKNOWN


def note_of(raw: Line, metric: str) -> str:
    """Keep the raw note and add what is known against a number."""
    source, dataset = raw["source"], DATASETS[raw["dataset"]]
    pixels = not metric.startswith("image_")
    notes = {
        "read from the first mask of an image only": source.startswith("zhangzjn/ADer")
        and dataset == "mvtec-loco"
        and pixels,
        "columns of this table were mixed up once (ADer issue 48)": source.startswith("zhangzjn/")
        and dataset == "real-iad",
        "copied by the source from other papers": "Dinomaly" in source
        and raw["method"] != "Dinomaly",
        "threshold chosen on the test set": raw["metric"] == "image_f1_adaptive",
        "checkpoint chosen on the test set (EfficientAD, table 2)": raw["method"] == "FastFlow"
        and "abstract" in source,
        "pixels of anomalous images only": raw["metric"] == "aupro_0.30"
        and source.startswith("amazon-science/"),
        "private test images, judged by the server": "private" in dataset,
    }
    kept = [raw["note"].strip()] if raw["note"].strip() else []
    return "; ".join([*kept, *(note for note, holds in notes.items() if holds)])


def contested(lines: Sequence[Line]) -> list[Line]:
    """Mark numbers for which another source has another one, both kept."""
    claims: dict[tuple[str, ...], dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        claims[_claim(line)][line["source"]].append(Decimal(line["value"]))
    return [{**line, "contested": "yes" if _is_contested(line, claims) else ""} for line in lines]


def _claim(line: Line) -> tuple[str, ...]:
    keys = ("dataset", "protocol", "class", "metric")
    return (*(line[key] for key in keys), line["method"].casefold())


def _is_contested(
    line: Line, claims: Mapping[tuple[str, ...], Mapping[str, Sequence[Decimal]]]
) -> bool:
    others = [v for s, v in claims[_claim(line)].items() if s != line["source"]]
    value = Decimal(line["value"])
    return any(min(abs(value - one) for one in values) > APART for values in others)


def clean(raws: Iterable[Line]) -> tuple[list[Line], Counter[str]]:
    """Clean all lines; give them sorted, and how many were left out for which reason."""
    left: Counter[str] = Counter()
    kept: dict[tuple[str, ...], Line] = {}
    for raw in raws:
        if reason := why_left_out(raw):
            left[reason] += 1
            continue
        line = cleaned(raw)
        key = tuple(line[column] for column in COLUMNS)
        left["an exact duplicate"] += key in kept
        kept[key] = line
    if strange := {line["tier"] for line in kept.values()} - {*TIERS}:
        raise SystemExit(f"unknown tiers: {sorted(strange)}")
    return contested([kept[key] for key in sorted(kept)]), left


def main(arguments: Sequence[str]) -> int:
    """Read RAW, write the clean file, say what was left out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("raw", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    told = parser.parse_args(arguments)
    with told.raw.open(encoding="utf-8", newline="") as file:
        lines, left = clean(csv.DictReader(file))
    with told.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    print(f"{len(lines)} rows: {told.out}")
    print(f"{sum(line['contested'] == 'yes' for line in lines)} of them contested")
    for reason, count in sorted(left.items()):
        if count:
            print(f"left out: {count:5} {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
