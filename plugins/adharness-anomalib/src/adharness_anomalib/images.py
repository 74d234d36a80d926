"""Training images as anomalib reads them: normal, without a mask, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from anomalib.data import ImageBatch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from adharness import FeatureSet
from adharness.arrays import Float32


def as_images(pixels: Float32) -> Tensor:
    """Turn pixels (N, H, W, 3), 0 to 255, into images (N, 3, H, W) from 0 to 1, copied."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))) / 255.0


@dataclass(frozen=True)
class TrainingImages(Dataset[Float32]):
    """Images of a memory, read when a batch asks for them."""

    features: FeatureSet

    def __len__(self) -> int:
        return self.features.count

    def __getitems__(self, positions: Sequence[int]) -> Float32:
        """Read the images at these positions at once; torch's loader asks for whole batches."""
        return self.features.read(np.asarray(positions, dtype=np.int64)).patches


class TrainingData(LightningDataModule):  # type: ignore[misc]
    """What anomalib's models ask of their trainer: training images, shuffled by a seed of its own.

    No validation image is there, normal or not: thresholds and the scale of scores are the
    harness's affair.
    """

    def __init__(self, features: FeatureSet, batch: int, seed: int) -> None:
        super().__init__()
        self.train_batch_size = batch
        self._images = TrainingImages(features)
        self._order = torch.Generator().manual_seed(seed)

    def train_dataloader(self) -> DataLoader[Float32]:
        """Give all images once, in an order drawn anew each time."""
        return DataLoader(
            self._images,
            batch_size=self.train_batch_size,
            shuffle=True,
            generator=self._order,
            collate_fn=_batch,
        )


def _batch(pixels: Any) -> Any:
    count, height, width, _ = pixels.shape
    return ImageBatch(
        image=as_images(pixels),
        gt_label=torch.zeros(count, dtype=torch.bool),
        gt_mask=torch.zeros(count, height, width, dtype=torch.bool),
    )
