"""Components of every kind but scorers: right ones, and those that are wrong in one choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from adharness import (
    Bag,
    BankSpec,
    Calibration,
    ContentHash,
    ContractError,
    DataError,
    DatasetSpec,
    ExtractorSpec,
    FeatureGrid,
    ImageContext,
    ImageName,
    Licence,
    NormalizerSpec,
    Params,
    Preprocess,
    Sample,
    ScorerSpec,
    Scores,
    Threshold,
    ThresholderSpec,
)
from adharness.arrays import Float32, Float64, require_finite, require_shape


class NoParams(Params):
    """Nothing to set."""


def record(kind: Any, made: Callable[[], Any], **said: Any) -> Any:
    def make(params: NoParams) -> Any:
        return made()

    return kind(name="toy", params=NoParams, make=make, summary="A toy.", **said)


# --- data sets --------------------------------------------------------------------------------

FILES = {f"nut/{place}/{i}.png": 40 * i + 10 * n for n, place in enumerate(("train", "test", "bad"))
         for i in range(3)}  # fmt: skip


class Pictures:
    """Nine images of one colour each; those of `bad` have a defect in one corner."""

    licence = Licence("CC0 1.0")

    def samples(self) -> Sequence[Sample]:
        return [self._sample(path) for path in FILES]

    def _sample(self, path: str) -> Sample:
        bad = "bad" in path
        portion = "train" if "train" in path else "test"
        defect = "hole" if bad else "good"
        return Sample(path, "nut", portion, int(bad), defect, has_mask=bad)

    def fingerprint(self, sample: Sample) -> ContentHash:
        masked = self.mask(sample) is not None
        return ContentHash(f"{self._value(sample):03d}", "corner" if masked else None)

    def image(self, sample: Sample) -> Any:
        return np.full((20, 30, 3), self._value(sample), dtype=np.uint8)

    def mask(self, sample: Sample) -> Any:
        corner = np.zeros((20, 30), dtype=np.bool_)
        corner[:3, :3] = True
        return corner if "bad" in sample.path else None

    def _value(self, sample: Sample) -> int:
        if sample.path not in FILES:
            raise DataError(f"there is no image {sample.path}")
        return FILES[sample.path]


class Shuffled(Pictures):
    def samples(self) -> Sequence[Sample]:
        self.turns = getattr(self, "turns", 0) + 1
        listed = [self._sample(path) for path in FILES]
        return listed[self.turns % 9 :] + listed[: self.turns % 9]


class TrainsOnBad(Pictures):
    def _sample(self, path: str) -> Sample:
        return replace(super()._sample(path), portion="train")


class Grey(Pictures):
    def image(self, sample: Sample) -> Any:
        return super().image(sample)[..., :1]


class Transposed(Pictures):
    def mask(self, sample: Sample) -> Any:
        found = super().mask(sample)
        return None if found is None else found.T


class HashesNames(Pictures):
    """Its hash has the folder only: images of one folder differ, and share it."""

    def fingerprint(self, sample: Sample) -> ContentHash:
        return replace_image(super().fingerprint(sample), sample.path.split("/")[1])


def replace_image(found: ContentHash, image: str) -> ContentHash:
    return ContentHash(image, found.mask)


class RaisesKeyError(Pictures):
    def _value(self, sample: Sample) -> int:
        return FILES[sample.path]


class Sized(Pictures):
    def image_size(self, sample: Sample) -> tuple[int, int]:
        self._value(sample)
        return 30, 20  # width first


# --- extractors -------------------------------------------------------------------------------


class Colours:
    """Mean colour of each quarter of an image of 8 x 8 pixels."""

    preprocess = Preprocess(8, 8)

    def fingerprint(self) -> str:
        return "colours"

    def extract(self, images: Any) -> FeatureGrid:
        require_shape(images, (None, 8, 8, 3), name="images")
        if images.dtype != np.uint8:
            raise ContractError(f"images of {images.dtype}")
        return FeatureGrid(self.patches(images.astype(np.float32)))

    def patches(self, images: Float32) -> Float32:
        return images.reshape(len(images), 2, 4, 2, 4, 3).mean(axis=(2, 4))


class Whitened(Colours):
    """Centres features by the mean of the batch."""

    def patches(self, images: Float32) -> Float32:
        found = super().patches(images)
        return found - found.mean(axis=0) if len(found) else found


class Normed(Colours):
    """Divides by the length of each vector, which is 0 where the image is black."""

    def patches(self, images: Float32) -> Float32:
        found = super().patches(images)
        with np.errstate(invalid="ignore"):
            return found / np.linalg.norm(found, axis=-1, keepdims=True)


class Tolerant(Colours):
    def extract(self, images: Any) -> FeatureGrid:
        cut = np.resize(images, (len(images), 8, 8, 3)) if images.size else images
        return FeatureGrid(self.patches(cut.astype(np.float32)))


class NamedByInstance(Colours):
    def fingerprint(self) -> str:
        return f"colours {id(self)}"


class Undecided(Colours):
    """What it says it chose makes no extractor."""

    made_with = ()

    @property
    def chosen(self) -> Params:
        return Params()


class Miscounting(Colours):
    """It says that two are computed together, and the others of a call move the last digits."""

    together, at_once = 2, 4

    def patches(self, images: Float32) -> Float32:
        return super().patches(images) * np.float32(1 + 1e-6 * len(images))


class Blind(Colours):
    def patches(self, images: Float32) -> Float32:
        return 0 * super().patches(images)


class Inventing:
    """Looks features up, and makes them up where it has none."""

    preprocess = Preprocess(8, 8)

    def fingerprint(self) -> str:
        return "everything"

    def look_up(self, image: ImageName) -> FeatureGrid:
        return FeatureGrid(np.ones((1, 2, 2, 3), dtype=np.float32))


class Told(Colours, Inventing):
    """Extracts, and is told names as well."""


class Infinite:
    """Looks scores up, of one image only; the score is no number."""

    def fingerprint(self, images: Sequence[ImageName]) -> str:
        return "scores"

    def look_up(self, image: ImageName) -> Scores | None:
        return None if "nobody" in image.path else Scores(images=np.array([np.inf]))


# --- banks ------------------------------------------------------------------------------------


class Half:
    """Every second patch of every image."""

    def reduce(self, features: Any, rng: np.random.Generator) -> Any:
        if not features.count:
            raise DataError("no training image")
        rows, images, first = [], [], 0
        for batch in features.batches():
            flat = batch.patches.reshape(len(batch.patches), -1, features.dim)[:, ::2]
            rows.append(flat.reshape(-1, features.dim).copy())
            images.append(first + np.repeat(np.arange(len(flat)), flat.shape[1]))
            first += len(flat)
        return self.bag(np.concatenate(rows), np.concatenate(images).astype(np.int64), features)

    def bag(self, rows: Float32, images: Any, features: Any) -> Any:
        return Bag(rows, images)


class AllAtOnce(Half):
    def reduce(self, features: Any, rng: np.random.Generator) -> Any:
        kept = list(features.batches())  # every patch of the set, in memory
        found = super().reduce(features, rng)
        assert len(kept) or found
        return found


class OffByOne(Half):
    def bag(self, rows: Float32, images: Any, features: Any) -> Any:
        return Bag(rows, (images + 1) % features.count)


class Doubles(Half):
    def bag(self, rows: Float32, images: Any, features: Any) -> Any:
        return Bag(rows.astype(np.float64), images)  # type: ignore[arg-type]


class Growing(Half):
    """Remembers what it was given before, too."""

    def __init__(self) -> None:
        self.before: list[Bag] = []

    def bag(self, rows: Float32, images: Any, features: Any) -> Any:
        self.before = [*self.before[-1:], Bag(rows, images)]
        return Bag(
            np.concatenate([each.rows for each in self.before]),
            np.concatenate([each.images for each in self.before]),
        )


# --- normalizers ------------------------------------------------------------------------------


class Centred:
    """Scores minus the mean of all, divided by their deviation."""

    def fit(self, calibration: Calibration) -> Any:
        require_finite(calibration.scores, name="scores", error=DataError)
        if len(calibration.scores) < 2 or not np.ptp(calibration.scores):
            raise DataError("too few scores")
        return self.fitted(calibration.scores, calibration.context)

    def fitted(self, scores: Float64, context: ImageContext) -> Any:
        return Line(float(scores.mean()), float(scores.std()))


class Line:
    def __init__(self, mean: float, deviation: float) -> None:
        self.mean, self.deviation = mean, deviation

    def apply(self, values: Float64, context: ImageContext) -> Float64:
        return (values - self.mean) / self.deviation


class BatchCentred(Centred):
    def fitted(self, scores: Float64, context: ImageContext) -> Any:
        return _Own()


class _Own(Line):
    """Centres by the images that it is shown together."""

    def __init__(self) -> None:
        super().__init__(0.0, 1.0)

    def apply(self, values: Float64, context: ImageContext) -> Float64:
        return values - values.mean() if len(values) else values


class Clipped(Centred):
    """Cuts off what lies beyond the calibration scores."""

    def fitted(self, scores: Float64, context: ImageContext) -> Any:
        line, (low, high) = super().fitted(scores, context), (scores.min(), scores.max())
        return _Through(lambda values, _: line.apply(np.clip(values, low, high), _))


class _Through:
    def __init__(self, apply: Callable[[Float64, ImageContext], Float64]) -> None:
        self.apply = apply


class ByEmbedding(Centred):
    """One shift an image, by its embedding: its record says that a class keeps its order."""

    def fit(self, calibration: Calibration) -> Any:
        if calibration.context.embeddings is None:
            raise ContractError("no embedding")
        return super().fit(calibration)

    def fitted(self, scores: Float64, context: ImageContext) -> Any:
        def apply(values: Float64, told: ImageContext) -> Float64:
            if told.embeddings is None:
                raise ContractError("no embedding")
            require_shape(told.embeddings, (None, 5), name="embeddings")
            shift = told.embeddings.astype(np.float64).sum(axis=1)
            return values + shift.reshape(-1, *[1] * (values.ndim - 1))

        return _Through(apply)


class Trusting(Centred):
    def fit(self, calibration: Calibration) -> Any:
        scores = calibration.scores
        if len(scores) < 2 or not np.ptp(scores):
            raise DataError("too few scores")
        finite = scores[np.isfinite(scores)]  # as if nothing were wrong
        return Line(float(finite.mean()), float(finite.std()))


class LastFirst(Centred):
    """The scale is that of the last calibration images."""

    def fitted(self, scores: Float64, context: ImageContext) -> Any:
        return Line(float(scores[-10:].mean()), 1.0)


# --- thresholders -----------------------------------------------------------------------------


class Highest:
    """The highest score of normal images; at pixel level, the highest pixel."""

    def threshold(self, calibration: Calibration) -> Threshold:
        scores = calibration.scores
        require_finite(scores, name="scores", error=DataError)
        if not len(scores):
            raise DataError("no image")
        note = "few images" if len(scores) < 10 else None
        return self.chosen(float(self.value(scores)), len(scores), note)

    def value(self, scores: Float64) -> float:
        return float(scores.max())

    def chosen(self, value: float, count: int, note: str | None) -> Threshold:
        return Threshold(value, count, 0, note, promised_fpr=1 / (count + 1))

    def pixel_threshold(self, maps: Sequence[Float32]) -> Threshold:
        if not len(maps):
            raise DataError("no map")
        return Threshold(max(self.highest(one) for one in maps), len(maps), 0)

    def highest(self, one: Float32) -> float:
        require_finite(one, name="map", error=DataError)
        return float(one.max())


class Absolute(Highest):
    def value(self, scores: Float64) -> float:
        return float(scores.max()) + 0.5


class Lowest(Highest):
    def value(self, scores: Float64) -> float:
        return float(scores.min())

    def chosen(self, value: float, count: int, note: str | None) -> Threshold:
        return Threshold(value, count, 0, note)


class Boasting(Highest):
    def chosen(self, value: float, count: int, note: str | None) -> Threshold:
        return Threshold(value, count, 0, note, promised_fpr=1e-3)


class Quiet(Highest):
    def chosen(self, value: float, count: int, note: str | None) -> Threshold:
        return replace(super().chosen(value, count, None), note=None)


class Unlabelled(Highest):
    """Says that it needs labels, and never looks at them."""

    def threshold(self, calibration: Calibration) -> Threshold:
        labels = calibration.labels
        assert labels is not None
        if not 0 < labels.sum() < len(labels):
            raise DataError("one kind of image only")
        require_finite(calibration.scores, name="scores", error=DataError)
        middle = float(np.median(calibration.scores))
        return Threshold(middle, int((labels == 0).sum()), int(labels.sum()))


class First(Highest):
    def value(self, scores: Float64) -> float:
        return float(max(scores[: 2 * len(scores) // 3], default=scores[0]))

    def chosen(self, value: float, count: int, note: str | None) -> Threshold:
        return Threshold(value, count, 0, note)


class Learning(Highest):
    """The highest score that it ever saw."""

    seen = -np.inf

    def value(self, scores: Float64) -> float:
        self.seen = max(self.seen, float(scores.max()))
        return self.seen


class CountsPixels(Highest):
    def pixel_threshold(self, maps: Sequence[Float32]) -> Threshold:
        found = super().pixel_threshold(maps)
        return replace(found, normals=sum(one.size for one in maps))


class Stacks(Highest):
    def pixel_threshold(self, maps: Sequence[Float32]) -> Threshold:
        held = list(maps)
        return super().pixel_threshold(held)


class Uncounted(Highest):
    """A batch rule that forgets how many images it decided over."""

    def rule(self, calibration: Calibration) -> Any:
        value = self.threshold(calibration)
        return _Rule(value)


class _Rule:
    def __init__(self, chosen: Threshold) -> None:
        self.chosen = replace(chosen, promised_fpr=None)

    def decide(self, scores: Float64) -> Threshold:
        return replace(self.chosen, batch=30)


SPECS = {
    "dataset": DatasetSpec,
    "extractor": ExtractorSpec,
    "bank": BankSpec,
    "normalizer": NormalizerSpec,
    "scorer": ScorerSpec,
    "thresholder": ThresholderSpec,
}
