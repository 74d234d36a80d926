"""The roles. A contestant needs no base class: it has these methods, and that is all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from adharness.arrays import AnyArray, Bool, Float32, Float64, UInt8
from adharness.contracts.memories import Memory
from adharness.contracts.preprocess import Preprocess
from adharness.contracts.records import (
    Calibration,
    ContentHash,
    FeatureGrid,
    FeatureSet,
    ImageContext,
    Licence,
    Sample,
    Scores,
    Threshold,
)
from adharness.declared import DeclaredRegions

if TYPE_CHECKING:
    from adharness.contracts.specs import Params  # it imports the roles


@runtime_checkable
class Dataset(Protocol):
    """Images with labels, and masks where there are any."""

    @property
    def licence(self) -> Licence:
        """What may be done with the pictures."""

    def samples(self) -> Sequence[Sample]:
        """All images, in a fixed order. Raises DataError where the set is missing or broken."""

    def fingerprint(self, sample: Sample) -> ContentHash:
        """Hash what the sample holds; two equal hashes mean equal pixels."""

    def image(self, sample: Sample) -> UInt8:
        """(H, W, 3) uint8 RGB at native size; grey images are repeated. Raises DataError."""

    def mask(self, sample: Sample) -> Bool | DeclaredRegions | None:
        """(H, W) bool at native size, True where defective; None without one. Raises DataError.

        Where the set declares its regions one by one, such as a file each with a saturation, give
        them as `DeclaredRegions`: they may overlap, and the mask is their union.
        """


@runtime_checkable
class Headed(Protocol):
    """A data set that can tell an image's size from the file's header, without decoding it."""

    def image_size(self, sample: Sample) -> tuple[int, int]:
        """(height, width) in pixels, as `image` would give it. Raises DataError."""


@runtime_checkable
class Extractor(Protocol):
    """Images to features. An image alone or in a batch gives the same features."""

    @property
    def preprocess(self) -> Preprocess:
        """The resize, and the crop if any, that the engine does before `extract`."""

    def fingerprint(self) -> str:
        """Hash of the weights and of whatever else, besides the params, can change a feature."""

    def extract(self, images: UInt8) -> FeatureGrid:
        """Features of a batch (N, H, W, 3) uint8 RGB, of the input size in `preprocess`."""


@runtime_checkable
class Choosing(Protocol):
    """An extractor that makes some of its choices itself, such as which library runs it here."""

    @property
    def chosen(self) -> Params:
        """Its parameters, every choice made: they name its features, and make it again."""

    @property
    def made_with(self) -> tuple[str, ...]:
        """Distributions, besides its own and what that requires, that took part in its features."""


@runtime_checkable
class Batched(Protocol):
    """An extractor that says how many images it works on; any other is given 16 at a time."""

    @property
    def together(self) -> int:
        """Images computed together: a feature may depend on how many by rounding, on no more."""

    @property
    def at_once(self) -> int:
        """Images that a call should give it: a multiple of `together`."""


@runtime_checkable
class Bank(Protocol):
    """What is remembered of the training images."""

    def reduce(self, features: FeatureSet, rng: np.random.Generator) -> Memory:
        """Read the features lazily and keep what the scorer needs."""


@runtime_checkable
class FittedScorer(Protocol):
    """A scorer that has learnt what is normal."""

    def score(self, features: FeatureGrid) -> Scores:
        """Score each image on its own: finite, higher = more anomalous.

        Raises ContractError where D differs from the memory's, or a feature is not finite.
        """


@runtime_checkable
class Informative(Protocol):
    """A fitted scorer with something to say of its fit."""

    def facts(self) -> Mapping[str, float]:
        """Give finite numbers by name, such as `recall` of an approximate search, for the board."""


@runtime_checkable
class Storable(Protocol):
    """A fitted scorer that can be written to disk; its scorer is `Restoring`.

    One that fits on a bag or on image embeddings needs none of this: its memory is stored, and it
    is fitted again with the same seed. One that fits on a grid or on pixels cannot be saved
    without.
    """

    def state(self) -> Mapping[str, AnyArray]:
        """Give all that it learnt, as arrays by name."""


@runtime_checkable
class Restoring(Protocol):
    """A scorer that can be given what a fitted one wrote."""

    def restore(self, state: Mapping[str, AnyArray]) -> FittedScorer:
        """Make a fitted scorer that scores as the stored one did, to the last bit.

        Raises ContractError where an array is missing, or its shape or type is wrong.
        """


@runtime_checkable
class Scorer(Protocol):
    """Fitting returns a new object, so that `not fitted` cannot be expressed."""

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedScorer:
        """Learn from a memory, which is left unchanged."""


@runtime_checkable
class FittedNormalizer(Protocol):
    """A transform, strictly increasing within what it takes to be one class."""

    def apply(self, values: Float64, context: ImageContext) -> Float64:
        """Rescale `values` (n, ...) of n images, each image on its own; the shape is kept."""


@runtime_checkable
class Normalizer(Protocol):
    """Brings the scores of different classes to one scale."""

    def fit(self, calibration: Calibration) -> FittedNormalizer:
        """Learn from held-out scores of normal images."""


@runtime_checkable
class Thresholder(Protocol):
    """Chooses the deployed threshold."""

    def threshold(self, calibration: Calibration) -> Threshold:
        """Choose from held-out calibration scores. Raises DataError where they cannot decide."""


@runtime_checkable
class PixelThresholder(Protocol):
    """Chooses the deployed threshold of pixels; its spec has `pixel` among its levels."""

    def pixel_threshold(self, maps: Sequence[Float32]) -> Threshold:
        """Choose from the maps (H, W) of held-out normal images; sizes may differ.

        Maps are drawn when they are read, and may be read more than once. `normals` of the answer
        counts images. Raises DataError where they cannot decide.
        """


@runtime_checkable
class BatchRule(Protocol):
    """A decision rule that was fitted on calibration and decides over a batch as a whole."""

    def decide(self, scores: Float64) -> Threshold:
        """Give the threshold of a batch of m images (m,), whose labels it is never shown.

        `batch` of the answer is m. The order of the scores must not matter.
        """


@runtime_checkable
class BatchThresholder(Protocol):
    """Fits a rule whose decisions depend on which images are decided together.

    Its spec says `batch`, and so does the board.
    """

    def rule(self, calibration: Calibration) -> BatchRule:
        """Fit on held-out calibration scores. Raises DataError where they cannot decide."""
