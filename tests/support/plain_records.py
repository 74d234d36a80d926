"""Records of a made-up run, with a plain value for all that a test does not speak of."""

from __future__ import annotations

from typing import Any

from adharness.store.run_record import DatasetRecord, RunRecord


def plain_run(suite: str, **told: Any) -> RunRecord:
    """Give the record of an unfinished run of this suite."""
    plain: dict[str, Any] = {
        "suite_text": f"name: {suite}",
        "suite_file": f"{suite}.yaml",
        "command": f"adharness run {suite}.yaml",
        "started": "2026-11-22T03:52:39+00:00",
        "finished": None,
        "seconds": 1.0,
        "stages_s": {},
        "maps": {},
        "split": {},
        "statistics": {},
        "seeds": [0],
        "skipped": [],
        "gallery": [],
        "provenance": {},
    }
    return RunRecord(suite=suite, **(plain | told))


def plain_data(classes: list[str], **told: Any) -> DatasetRecord:
    """Give the record of a data set that may be shown: `textures`, unless told otherwise."""
    plain: dict[str, Any] = {
        "name": "textures",
        "use": "textures",
        "counts": {},
        "fingerprint": "9f",
        "licence": "CC0",
        "show_pixels": True,
        "citation": "",
        "url": "",
        "has_masks": True,
    }
    return DatasetRecord(classes=classes, **(plain | told))
