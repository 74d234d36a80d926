"""The values that pass between the referee and the contestants. All are frozen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from adharness.arrays import Float32, Float64, Int64

Portion: TypeAlias = Literal["train", "validation", "test"]
"""Where the owners of a data set put an image."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a data set, as its reader found it.

    Parameters
    ----------
    path
        Its name, unique in the set: a path with forward slashes, relative to the set's root.
    class_name
        The object or texture shown, such as `hazelnut`.
    portion
        Where the set's owners put it. `train` and `validation` hold normal images only.
    label
        0 normal, 1 anomalous.
    defect
        The kind of defect; `good` for normal images.
    has_mask
        Whether the set gives a pixel mask for this image. Normal images need none.
    group
        What several images share that show one object; None where each stands alone.
    """

    path: str
    class_name: str
    portion: Portion
    label: Literal[0, 1]
    defect: str = "good"
    has_mask: bool = False
    group: str | None = None


class ContentHash(NamedTuple):
    """SHA-256 of what a sample holds: its pixels, and its mask where it has one."""

    image: str
    mask: str | None


@dataclass(frozen=True, slots=True)
class Licence:
    """What may be done with a data set's pictures.

    Parameters
    ----------
    name
        As its owners write it, such as `CC BY-NC-SA 4.0`.
    show_pixels
        Whether a published page may show its images. False unless the licence clearly allows it.
    """

    name: str
    show_pixels: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FeatureGrid:
    """Features of N images.

    Parameters
    ----------
    patches : (N, h, w, D) float32
        One vector a patch, on a regular grid over the extractor's input. Of an extractor that gives
        pixels: the input itself, (N, H, W, 3), whole numbers from 0 to 255.
    embeddings : (N, E) float32, optional
        One vector an image, where the extractor has one.
    """

    patches: Float32
    embeddings: Float32 | None = None


@runtime_checkable
class FeatureSet(Protocol):
    """The features of many images, read from disk when asked for, never all at once."""

    @property
    def count(self) -> int:
        """Number of images."""

    @property
    def grid(self) -> tuple[int, int]:
        """Patches a column and a row, (h, w)."""

    @property
    def dim(self) -> int:
        """Length D of a patch vector."""

    @property
    def embedding_dim(self) -> int | None:
        """Length E of an image embedding; None where there is none."""

    @property
    def classes(self) -> Int64 | None:
        """Number of each image's class, (N,); None unless the bank's spec says it needs it."""

    def subset(self, images: Int64) -> FeatureSet:
        """Features of the images at these positions, in this order; nothing is read or copied."""

    def rotated(self, degrees: float) -> FeatureSet:
        """Features of the same images, turned about their centre before they are extracted.

        Counter-clockwise; what turns in from outside the picture is black. The first reading may
        extract them, which takes as long as it takes.
        """

    def read(self, images: Int64) -> FeatureGrid:
        """Features of the images at these positions, in this order; repeats are allowed."""

    def batches(self, size: int = 32) -> Iterator[FeatureGrid]:
        """All images in order, at most `size` at a time."""

    def rows(self, patches: Int64) -> Float32:
        """Patch vectors (M, D) by flat position `image * h * w + row * w + column`, any order."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Anomaly scores of N images; higher = more anomalous; at least one of the two is given.

    Parameters
    ----------
    patches : (N, h, w) float32, optional
        One score a patch. Where it is missing, no map can be drawn. A scorer that was fitted on
        pixels chooses its own grid over the input, the same for every image.
    images : (N,) float32 or float64, optional
        One score an image: the scorer's own aggregation, where its method has one. A suite's
        `image_score` may ask for another, taken from the patches.
    nearest : (N, h, w) int64, optional
        The row of the bag that each patch was compared with, for scorers that look for one.
    """

    patches: Float32 | None = None
    images: Float32 | Float64 | None = None
    nearest: Int64 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ImageContext:
    """What a normalizer may know of N images besides their scores.

    `classes` is None unless the protocol reveals the class or the normalizer declares
    `needs_class`, which marks its rows as an upper bound; at `fit` it is there as well where it
    declares that it needs the class then and never later.

    `embeddings` (N, E) is None unless the normalizer declares `needs_embedding`. It is what the
    extractor gives, or the mean of the image's patches where it gives none; still None beside
    scores that were made elsewhere, which have no features.
    """

    classes: Sequence[str] | None = None
    embeddings: Float32 | None = None

    def single(self, i: int) -> ImageContext:
        """Give the context of image i alone."""
        return ImageContext(
            None if self.classes is None else self.classes[i : i + 1],
            None if self.embeddings is None else self.embeddings[i : i + 1],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Held-out scores that fit normalizers and thresholds. Never a test image.

    Parameters
    ----------
    scores : (n,) float64
        Image scores.
    labels : (n,) int64, optional
        0 normal, 1 anomalous; None where the component did not declare `needs_labels`, and then
        every score is of a normal image.
    context
        Classes and embeddings of the same n images.
    """

    scores: Float64
    labels: Int64 | None = None
    context: ImageContext = ImageContext()


@dataclass(frozen=True, slots=True)
class Threshold:
    """A decision rule: an image is anomalous where its score is strictly greater than `value`.

    Parameters
    ----------
    value
        On the scale of the scores that fitted it.
    normals, anomalies
        How many calibration images of each kind fitted it.
    note
        What a reader should know, such as a calibration set too small for the level asked for.
    batch
        How many test images a batch rule decided over, by their scores alone; 0 for all others,
        whose value no test image can change.
    promised_fpr
        The share of new normal images that is flagged at most, on average, if they are exchangeable
        with those that fitted it; the board says where they are not. None: nothing is promised.
    """

    value: float
    normals: int
    anomalies: int
    note: str | None = None
    batch: int = 0
    promised_fpr: float | None = None
