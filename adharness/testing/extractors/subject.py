"""An extractor under trial: given small batches of made-up images of its input size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adharness.arrays import AnyArray, UInt8
from adharness.contracts import Extractor, ExtractorSpec, FeatureGrid
from adharness.testing.subject import Arrange, ComponentSubject, present

NOISY = 3
"""Images of noise in a batch, besides a black, a white and a striped one."""


def pictures(size: tuple[int, int], seed: int = 0) -> UInt8:
    """Draw a batch (6, H, W, 3) uint8: noise around a colour, black, white, and stripes."""
    rng, (height, width) = np.random.default_rng(seed), size
    colours = rng.integers(60, 190, size=(NOISY, 1, 1, 3))
    noisy = colours + rng.integers(-60, 60, size=(NOISY, height, width, 3))
    plain = np.zeros((3, height, width, 3), dtype=np.int64)
    plain[1] = 255
    plain[2, :, ::2] = 200
    return np.concatenate([noisy, plain]).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class ExtractorSubject(ComponentSubject[ExtractorSpec, Extractor]):
    """An extractor with its parameters."""

    @cached_property
    def extractor(self) -> Extractor:
        """Made once, for checks of what it gives."""
        return self.make()

    @cached_property
    def images(self) -> UInt8:
        """A batch of the size that it asks for."""
        return pictures(self.extractor.preprocess.input_size)

    def use(self, arrange: Arrange) -> Mapping[str, AnyArray]:
        """Make it, and extract the features of a batch."""
        return arrays_of(self.make().extract(arrange(self.images)))

    def again(self) -> tuple[Callable[[], object], int]:
        """Give the extraction of two images by one extractor."""
        extractor, images = self.make(), self.images[:2]
        return lambda: extractor.extract(images.copy()), images.nbytes

    def features(self, images: UInt8 | None = None) -> FeatureGrid:
        """Extract features of some images, or of the batch."""
        return self.extractor.extract(self.images if images is None else images)


def arrays_of(features: FeatureGrid) -> dict[str, AnyArray]:
    """Name the arrays that an extractor gave."""
    return present({"patch features": features.patches, "embeddings": features.embeddings})
