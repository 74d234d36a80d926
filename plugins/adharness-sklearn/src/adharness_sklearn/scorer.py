"""The scorer: draw the sample, prepare it, fit the detector, score image by image."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from adharness import ContractError, FeatureGrid, Memory, Scores, check_query, check_rows
from adharness.arrays import AnyArray, Float32, Float64
from adharness_sklearn import DetectorParams
from adharness_sklearn.detectors import Detector, Measure
from adharness_sklearn.preparation import Preparation, prepared
from adharness_sklearn.randomness import contained

LARGEST = float(np.finfo(np.float32).max)
_REFUSALS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RuntimeError)


@dataclass(frozen=True)
class DetectorScorer:
    """Any detector of a library as a scorer of patches, or of images where the bank emits those."""

    params: DetectorParams
    detector: Detector

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedDetector:
        """Draw the sample and the detector's seed from `rng`, and fit in float64.

        Raises
        ------
        ContractError
            Where the memory is a grid, is empty or not finite, has fewer vectors or features than
            `dims` or `nystroem` ask for, or where the detector refuses them or one of its options.

        Notes
        -----
        One OpenMP thread: the sums of k-means, with which mixtures and CBLOF begin, depend on how
        many there are, and on which comes first.
        """
        given = check_rows(memory, scorer=self.detector.name)
        rows = _sample(given, self.params.sample_rows, rng).astype(np.float64)
        seed = int(rng.integers(2**31))
        preparation, ready = prepared(rows, self.params, seed)
        size = f"{len(ready)} vector(s) with D = {ready.shape[1]}"
        with (
            _heard(f"{self.detector.name} does not fit {size}") as told,
            contained(seed),
            threadpool_limits(limits=1, user_api="openmp"),
        ):
            fitted = self.detector.fitted(ready, seed)
        counts = {"rows_given": len(given), "rows_learnt": len(rows)}
        return FittedDetector(
            name=self.detector.name,
            preparation=preparation,
            measure=self.detector.measure(fitted),
            dim=given.shape[1],
            of_images=memory.kind == "images",
            seed=seed,
            counts=counts,
            warned=tuple(dict.fromkeys(told)),
        )


@dataclass(frozen=True, eq=False)
class FittedDetector:
    """A fitted detector of D features.

    Parameters
    ----------
    of_images
        It scores image embeddings, not patches.
    seed
        Of what a detector draws when it scores: the same for every image.
    counts
        Vectors that the memory holds, and that were learnt from.
    warned
        What the library warned of while it was fitted, each once.
    """

    name: str
    preparation: Preparation
    measure: Measure
    dim: int
    of_images: bool
    seed: int
    counts: Mapping[str, int]
    warned: tuple[str, ...]

    def facts(self) -> Mapping[str, float]:
        """Give the numbers of vectors, and of the library's warnings."""
        return {**self.counts, "library_warnings": len(self.warned)}

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w), or images (N,), each image on its own.

        Notes
        -----
        Scores beyond float32, such as the infinite ones of a density of 0, are cut at its largest.

        Raises
        ------
        ContractError
            Where D differs from the memory's, a feature is not finite, the detector refuses the
            vectors, or a score is not a number.
        """
        if self.of_images:
            embeddings = check_query(features, self.dim, level="images")
            scores = [self._scores(row[np.newaxis], image) for image, row in enumerate(embeddings)]
            return Scores(images=np.array(scores, dtype=np.float32).reshape(len(embeddings)))
        patches = check_query(features, self.dim)
        shape = patches.shape[:3]
        scores = [self._scores(rows.reshape(-1, self.dim), i) for i, rows in enumerate(patches)]
        return Scores(patches=np.array(scores, dtype=np.float32).reshape(shape))

    def _scores(self, rows: Float32, image: int) -> Float64:
        """Scores (n,) of the vectors (n, D) of one image."""
        with _heard(f"{self.name} does not score image {image}"), contained(self.seed):
            found: AnyArray = self.measure(self.preparation(rows.astype(np.float64)))
        if np.shape(found) != (len(rows),) or np.isnan(found).any():
            raise ContractError(
                f"{self.name} gives image {image} {int(np.isnan(found).sum())} score(s) that are "
                f"not a number, of {np.size(found)} for {len(rows)} vector(s)",
                hint="standardize, fewer dims or another detector may help",
            )
        return np.clip(found.astype(np.float64), -LARGEST, LARGEST)


def _sample(rows: Float32, wanted: int | None, rng: np.random.Generator) -> Float32:
    """Draw vectors without replacement, in their order; all of them where there are no more."""
    if wanted is None or wanted >= len(rows):
        return rows
    return rows[np.sort(rng.choice(len(rows), size=wanted, replace=False, shuffle=False))]


@contextmanager
def _heard(fact: str) -> Iterator[list[str]]:
    """Collect what a library warns of, and turn what it raises into an error of ours."""
    told: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield told
        except _REFUSALS as error:
            raise ContractError(
                f"{fact}: {error}",
                hint="look at the options, at sample_rows and dims, and at the library's own page "
                "of this detector",
            ) from error
    told.extend(str(one.message) for one in caught)
