"""The scorer: Gaussians in the axes of their components, distances by one matrix product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from adharness import ContractError, FeatureGrid, Memory, Scores
from adharness.arrays import AnyArray, Float64
from adharness_mahalanobis import MahalanobisParams
from adharness_mahalanobis.moments import covariances_of, fourths_of, mean_of
from adharness_mahalanobis.spectrum import Spectrum
from adharness_mahalanobis.states import arrays_of, restored
from adharness_mahalanobis.vectors import Subject, Vectors, queries, vectors_of


@dataclass(frozen=True)
class MahalanobisScorer:
    """Distance to the mean of all vectors of a memory, measured in their own standard deviations.

    One Gaussian of all patches, or of all images; with `layers` one a layer, and the sum of their
    distances. A constant feature is harmless with shrinkage or a ridge and an error without.

    References
    ----------
    Rippel, Mertens and Merhof, Modeling the Distribution of Normal Data in Pre-Trained Deep
    Features for Anomaly Detection, ICPR 2021, section III.
    """

    params: MahalanobisParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedMahalanobis:  # noqa: ARG002
        """Estimate mean and covariance in float64, streamed; nothing is drawn from `rng`.

        Raises
        ------
        ContractError
            Where the memory cannot give the level, is empty or not finite, the layers do not add up
            to D, or a covariance is singular.
        """
        vectors = vectors_of(memory, self.params.level)
        layers = _slices(self.params.layers, vectors.dim)
        mean = mean_of(vectors.blocks(), vectors.count)
        covariances = covariances_of(vectors.blocks(), mean, layers, vectors.count)
        spectra = [self._kept(Spectrum.of(c, vectors.count)) for c in covariances]
        shares = self._shares(spectra, vectors, mean, layers)
        whiteners = [self._whitener(*pair) for pair in zip(spectra, shares, strict=True)]
        return FittedMahalanobis(vectors.subject, mean, tuple(whiteners))

    def restore(self, state: Mapping[str, AnyArray]) -> FittedMahalanobis:
        """Take up a stored Gaussian a layer, as it is.

        Raises
        ------
        ContractError
            Where an array is missing, not known, of another type or shape or not finite, or the
            level, the layers or the components kept are others than the params say.
        """
        return FittedMahalanobis(*restored(state, self.params))

    def _kept(self, spectrum: Spectrum) -> Spectrum:
        if spectrum.variances[0] > 0 and self.params.pca is not None:
            return spectrum.leading(self.params.pca)
        if spectrum.variances[0] > 0 and self.params.npca is not None:
            return spectrum.trailing(self.params.npca)
        return spectrum

    def _shares(
        self, spectra: list[Spectrum], vectors: Vectors, mean: Float64, layers: list[slice]
    ) -> list[float]:
        """Share of the scaled identity in each layer; Ledoit and Wolf's needs one more pass."""
        rule = self.params.shrinkage
        if rule == "oas":
            return [spectrum.oas() for spectrum in spectra]
        if rule != "ledoit-wolf":
            return [0.0 if rule == "none" else rule] * len(spectra)
        fourths = fourths_of(vectors.blocks(), mean, layers, [s.axes for s in spectra])
        return [s.ledoit_wolf(fourth) for s, fourth in zip(spectra, fourths, strict=True)]

    def _whitener(self, spectrum: Spectrum, share: float) -> Float64:
        variances = spectrum.shrunk(share, self.params.ridge)
        if variances.min() <= spectrum.noise:
            raise ContractError(
                f"the covariance of {spectrum.count} vector(s) with D = {len(spectrum.axes)} is "
                f"singular (shrinkage {share:g}, ridge {self.params.ridge:g})",
                hint="set shrinkage: ledoit-wolf or oas, or a ridge above 0; vectors that are all "
                "equal have no covariance but the ridge, and ledoit-wolf needs three vectors",
            )
        return spectrum.axes / np.sqrt(variances)


@dataclass(frozen=True, eq=False)
class FittedMahalanobis:
    """A Gaussian a layer.

    Parameters
    ----------
    subject
        What is scored: `patches`, `embeddings`, or the `means` of an image's patches.
    mean : (D,) float64
    whiteners : of each layer (d, k) float64
        Lengths after them are distances; the layers' widths add up to D.
    """

    subject: Subject
    mean: Float64
    whiteners: tuple[Float64, ...]

    def state(self) -> Mapping[str, AnyArray]:
        """Give the mean, the whitener of each layer, and what is scored."""
        return arrays_of(self.subject, self.mean, self.whiteners)

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w), or images (N,); over several layers the sum of the distances.

        Notes
        -----
        Each image is multiplied on its own, so a score does not depend on the batch.

        Raises
        ------
        ContractError
            Where D differs from the memory's, a feature is not finite, or a distance is too long
            for float32.
        """
        vectors = queries(features, self.subject, len(self.mean))
        scores = [self._distances(image, rows) for image, rows in enumerate(vectors)]
        shape = features.patches.shape[:3] if self.subject == "patches" else (len(scores),)
        values = np.array(scores, dtype=np.float32).reshape(shape)
        return Scores(patches=values) if self.subject == "patches" else Scores(images=values)

    def _distances(self, image: int, rows: Float64) -> Float64:
        """Distances (M,) of the vectors (M, D) of one image."""
        distances = np.zeros(len(rows))
        layers = _slices([len(w) for w in self.whiteners], len(self.mean))
        for layer, whitener in zip(layers, self.whiteners, strict=True):
            distances += np.linalg.norm((rows - self.mean)[:, layer] @ whitener, axis=1)
        # NaN, which a state out of all bounds may give, is refused too.
        if not distances.max() <= np.finfo(np.float32).max:
            raise ContractError(
                f"a distance of image {image} is {distances.max():.3g}, too long for float32",
                hint="look at that image and at what the extractor makes of it",
            )
        return distances


def _slices(widths: list[int] | tuple[int, ...] | None, dim: int) -> list[slice]:
    """Columns of each layer."""
    ends = [0, *accumulate(widths or (dim,))]
    if ends[-1] != dim:
        raise ContractError(
            f"layers {list(widths or ())} add up to {ends[-1]}, the memory has D = {dim}",
            hint="give the width of each layer of the extractor, shallow to deep",
        )
    return [slice(start, stop) for start, stop in pairwise(ends)]
