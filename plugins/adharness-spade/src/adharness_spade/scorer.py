"""The scorer: the nearest normal images, and the nearest of their patches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from adharness import ContractError, FeatureGrid, Memory, Scores, check_grid, check_query
from adharness.arrays import AnyArray, Float64
from adharness_spade import SpadeParams
from adharness_spade.gallery import Gallery, NormalPatches, gallery_of
from adharness_spade.stored import arrays_of, restored

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class SpadeScorer:
    """Distance of an image to its nearest normal images, of a patch to the patches of those.

    References
    ----------
    Cohen and Hoshen, Sub-Image Anomaly Detection with Deep Pyramid Correspondences, 2020,
    sections 3.2 and 3.3.
    """

    params: SpadeParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedSpade:  # noqa: ARG002  nothing is drawn
        """Read the training features once; patches stay where they are.

        Raises
        ------
        ContractError
            Where the memory is not a grid, has no embeddings, has fewer than k images or than
            kappa patches in k images, or a feature is not finite.
        """
        features = check_grid(memory, scorer="spade").features
        self._check_counts(features)
        return FittedSpade(self.params, gallery_of(features))

    def restore(self, state: Mapping[str, AnyArray]) -> FittedSpade:
        """Take up a stored gallery, as it is and uncopied; its patches need not be in memory.

        Raises
        ------
        ContractError
            Where an array is missing, not known, of another type or shape or not finite, or there
            are fewer than k images or than kappa patches in k images.
        """
        gallery = restored(state)
        self._check_counts(gallery.features)
        return FittedSpade(self.params, gallery)

    def _check_counts(self, features: NormalPatches) -> None:
        height, width = features.grid
        self._check("k", self.params.k, features.count, "image(s) in the memory")
        patches = self.params.k * height * width
        self._check("kappa", self.params.kappa, patches, f"patch(es) in {self.params.k} image(s)")

    @staticmethod
    def _check(name: str, wanted: int, available: int, what: str) -> None:
        if wanted > available:
            raise ContractError(
                f"{name} = {wanted} neighbours asked of {available} {what}",
                hint=f"set {name} to at most {available}, or train on more images",
            )


@dataclass(frozen=True, eq=False)
class FittedSpade:
    """The normal images to search."""

    params: SpadeParams
    gallery: Gallery

    def state(self) -> Mapping[str, AnyArray]:
        """Give the normal images: all their patches are read into memory."""
        return arrays_of(self.gallery)

    def score(self, features: FeatureGrid) -> Scores:
        """Score images (N,) and patches (N, h, w).

        Notes
        -----
        Each image is searched on its own, so a score does not depend on the batch. Distances beyond
        float32 score its largest value.

        Raises
        ------
        ContractError
            Where D or E differs from the memory's, embeddings are missing, or a feature is not
            finite.
        """
        patches = check_query(features, self.gallery.features.dim)
        embeddings = check_query(features, self.gallery.embeddings.shape[1], level="images")
        image_scores = np.empty(len(patches), dtype=np.float32)
        patch_scores = np.empty(patches.shape[:3], dtype=np.float32)  # (N, h, w)
        for i, embedding in enumerate(embeddings):
            distances, images = self.gallery.nearest_images(embedding, self.params.k)
            rows = patches[i].reshape(-1, patches.shape[-1])
            near = self.gallery.nearest_patches(rows, images, self.params.kappa)
            image_scores[i] = self._mean(distances)
            patch_scores[i] = self._mean(near).reshape(patches.shape[1:3])
        return Scores(patches=patch_scores, images=image_scores)

    def _mean(self, distances: Float64) -> Float64:
        """Mean over the last axis, of the squares where so asked, within float32."""
        means: Float64 = np.mean(distances**2 if self.params.squared else distances, axis=-1)
        return np.minimum(means, LARGEST)
