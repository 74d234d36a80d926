"""What both sides of the whole-cell comparison read: one class of images, and random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from adharness.contracts import Sample
from adharness.data.textures import TexturesDataset, TexturesParams

CLASS = "brick"
VALIDATION = 15  # images that only ours reads: its threshold may not see the test images


def save_images(root: Path, images: int = 60) -> None:
    """Write a class in the MVTec layout: `images` to train on, `images` to test, about half bad."""
    params = TexturesParams(
        classes=(CLASS,), train=images + VALIDATION, per_defect=images // 15, good=images
    )
    dataset = TexturesDataset(params)
    for sample, path in _placed(dataset.samples(), images):
        _save(root / CLASS / path, dataset.image(sample))
        mask = dataset.mask(sample)
        if mask is not None:
            name = path.parent / f"{path.stem}_mask.png"
            _save(root / CLASS / "ground_truth" / name.relative_to("test"), mask)


def save_weights(path: Path, model: str = "resnet18", seed: int = 0) -> None:
    """Write random weights of a timm network as safetensors."""
    import timm
    import torch
    from safetensors.torch import save_file

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        save_file(timm.create_model(model).state_dict(), path)


def _placed(samples: tuple[Sample, ...], images: int) -> Iterator[tuple[Sample, Path]]:
    """Each image used, and where it goes; of the good test images those that fill up the test."""
    good = images - sum(sample.label for sample in samples)
    for sample in samples:
        path = Path(sample.path).relative_to(CLASS)
        number = int(path.name)
        if sample.portion == "train" and number >= images:
            path = Path("validation", "good", path.name)
        if sample.portion == "train" or sample.label or number < good:
            yield sample, path.with_suffix(".png")


def _save(path: Path, pixels: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
