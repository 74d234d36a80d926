"""The least of a suite that is a run: one class, one model, no interval."""

from __future__ import annotations

from typing import Any

SMALL: dict[str, Any] = {
    "data": [
        {
            "use": "textures",
            "size": 64,
            "train": 6,
            "good": 5,
            "per_defect": 1,
            "classes": ["brick"],
        }
    ],
    "protocols": ["model-unified"],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "f1"}],
    "metrics": ["image_auroc"],
    "statistics": {"bootstrap": 0},
}
"""What it has in place of the bench's own keys; its methods are those of the bench."""
