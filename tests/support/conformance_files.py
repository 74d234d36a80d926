"""What some installed components need to be tried: small files, and the parameters that name them.

All paths are relative to the folder that `write_all` fills: tests go there first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adharness import ImageName
from adharness.registry import Component
from adharness.testing import checks_of, extractor_checks, scorer_checks
from adharness.testing.trials import Trial
from miniatures import MINIATURES, Miniature, write

Examples = list[Mapping[str, Any]]
NAMES = [ImageName(f"grid/test/{kind}/000.png", "grid") for kind in ("good", "crack")]
"""Images that the files of `imported` and `precomputed` hold something of."""
PATTERNS = {
    "normal": "{class}/train/good/*.png",
    "normal_test": "{class}/test/good/*.png",
    "anomalous": "{class}/test/crack/*.png",
    "mask": "{class}/ground_truth/crack/{stem}_mask.png",
}
LIST = """path,class,split,label,mask
grid/train/good/000.png,grid,train,0,
grid/test/good/000.png,grid,test,0,
grid/test/crack/000.png,grid,test,1,grid/ground_truth/crack/000_mask.png
"""
OWN = "own-images"
"""One class in the MVTec layout, with a list of its images."""


def _own() -> dict[str, bytes]:
    (mini,) = (m for m in MINIATURES if m.use == "mvtec-ad")
    files = {name: content for name, content in mini.files().items() if name.startswith("grid/")}
    return files | {"manifest.csv": LIST.encode()}


def _folder(mini: Miniature) -> str:
    return f"{mini.use}-{MINIATURES.index(mini)}"


def write_all(root: Path) -> None:
    """Write every file that the examples name."""
    rng = np.random.default_rng(0)
    write(root / OWN, _own())
    for mini in MINIATURES:
        write(root / _folder(mini), mini.files())
    for image in NAMES:
        file = (root / "maps" / image.path).with_suffix(".npy")
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, rng.random((6, 8), dtype=np.float32))
    scores = [f"{image.path},{i + 0.5}" for i, image in enumerate(NAMES)]
    (root / "scores.csv").write_text("\n".join(["path,score", *scores]) + "\n")
    (root / "features").mkdir()
    (root / "features" / "grid_meta.csv").write_text(
        "\n".join(["path", *(image.path for image in NAMES)]) + "\n"
    )
    np.savez(
        root / "features" / "grid_toy.npz",
        patches=rng.random((2, 6, 5), dtype=np.float32),
        cls=rng.random((2, 5), dtype=np.float32),
        patch_hw=np.array([2, 3]),
    )


def _of_files() -> dict[tuple[str, str], Examples]:
    found: dict[tuple[str, str], Examples] = {
        ("dataset", "folder"): [{"root": OWN}],
        ("dataset", "globs"): [{"root": OWN, **PATTERNS}],
        ("dataset", "manifest"): [{"root": OWN}],
        ("dataset", "textures"): [{"size": 64, "train": 3, "good": 2, "per_defect": 1}],
        ("extractor", "precomputed"): [
            {"root": "features", "features": "{cat}_toy.npz", "patch_px": 8}
        ],
        ("scorer", "imported"): [{"root": "maps", "scores": "scores.csv"}],
    }
    for mini in MINIATURES:
        found.setdefault(("dataset", mini.use), []).append({"root": _folder(mini)})
    return found


def trials_of_installed(component: Component) -> Sequence[Trial]:
    """Lay out every check of a component, with files where it needs some."""
    spec: Any = component.spec
    examples = _of_files().get((component.kind, component.name))
    if getattr(spec, "imported", False):
        checks = extractor_checks if component.kind == "extractor" else scorer_checks
        return checks(spec, examples, images=() if examples is None else NAMES)
    return checks_of(spec, examples)
