"""What is to be extracted: images, and what turns them into features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from adharness.arrays import Int64
from adharness.contracts import ContentHash, Dataset, Extractor, Headed, LookupExtractor, Sample
from adharness.store.identity import digest
from adharness.suite.feature_settings import StoredType


@dataclass(frozen=True)
class ExtractionJob:
    """Images, such as those of one class, and what turns them into features."""

    dataset: Dataset
    samples: Sequence[Sample]
    hashes: Sequence[ContentHash]
    extractor: Extractor | LookupExtractor
    identity: dict[str, Any]
    """The extractor as declared, its fingerprint and its versions."""
    on_error: Literal["fail", "skip"]
    degrees: float = 0.0
    """How far each image is turned first, counter-clockwise."""

    def narrowed(self, images: Int64) -> ExtractionJob:
        """Keep the images at these positions, in this order."""
        return replace(
            self,
            samples=[self.samples[i] for i in images],
            hashes=[self.hashes[i] for i in images],
        )

    @property
    def stored_as(self) -> StoredType:
        """What features are kept as: a part of the identity, and float32 where it says none."""
        known: StoredType = self.identity.get("stored_as", "float32")
        return known

    def key(self) -> str:
        """Name of the shard: a digest of all that can change a feature."""
        return shard_key(self.identity, [h.image for h in self.hashes], self.degrees)


def shard_key(identity: dict[str, Any], images: Sequence[str], degrees: float = 0.0) -> str:
    """Name the shard of images, by their hashes, under an extractor of this identity."""
    turned = {"degrees": degrees} if degrees else {}
    return digest({"extractor": identity, "images": list(images)} | turned, length=32)


def native_size(dataset: Dataset, sample: Sample) -> tuple[int, int]:
    """(height, width) from the header where the data set can tell it."""
    if isinstance(dataset, Headed):
        return dataset.image_size(sample)
    shape = dataset.image(sample).shape
    return shape[0], shape[1]
