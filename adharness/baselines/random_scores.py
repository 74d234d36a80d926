"""The floor: scores that know nothing, and yet do not change when a batch is cut differently."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from adharness.arrays import AnyArray, Float32, require_finite, require_shape
from adharness.contracts import (
    Bag,
    FeatureGrid,
    Grid,
    Images,
    Layout,
    Memory,
    Nothing,
    Params,
    Pixels,
    Scores,
    check_rows,
    check_state,
    require_state,
)
from adharness.errors import ContractError

LAYOUT: Layout = {"key": ("uint8", (16,)), "dim": ("int64", (1,)), "patches": ("bool", (1,))}


class RandomScoresParams(Params):
    """Parameters of `random-scores`: none."""


class RandomScorer:
    """Scores uniform in [0, 1), drawn for each image from a seed of its own.

    Notes
    -----
    Drawn from one stream, an image's score would depend on its neighbours in the batch, and a
    resumed run would differ. So the features' bytes and a key from the run's rng make the seed:
    equal images of one run score equal, and each seed of a suite gives new scores.
    """

    def __init__(self, params: RandomScoresParams) -> None:
        self.params = params

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedRandomScorer:
        """Draw the run's key; of the memory only the length of its vectors is kept."""
        if isinstance(memory, Nothing):
            raise ContractError("random-scores was given no memory, and draws for its vectors")
        dim = _checked(memory).shape[1] if isinstance(memory, Bag | Images) else memory.features.dim
        patches = isinstance(memory, Bag | Grid | Pixels)
        return FittedRandomScorer(key=rng.bytes(16), dim=dim, patches=patches)

    def restore(self, state: Mapping[str, AnyArray]) -> FittedRandomScorer:
        """Take up a key.

        Raises
        ------
        ContractError
            Where an array is missing, not known, of another type or shape, or the length is not
            positive.
        """
        found = check_state(state, LAYOUT, scorer="random-scores")
        dim = int(found["dim"][0])
        require_state(dim > 0, f"random-scores's array 'dim' is {dim}, expected a positive length")
        patches = bool(found["patches"][0])
        return FittedRandomScorer(key=found["key"].tobytes(), dim=dim, patches=patches)


def _checked(memory: Memory) -> Float32:
    return check_rows(memory, scorer="random-scores")


class FittedRandomScorer:
    """Holds the key that makes one fit differ from another."""

    def __init__(self, *, key: bytes, dim: int, patches: bool) -> None:
        self._key = key
        self._scores_patches = patches
        self._dim = dim

    def state(self) -> Mapping[str, AnyArray]:
        """Give the key, the length of the memory's vectors, and whether they are of patches."""
        return {
            "key": np.frombuffer(self._key, dtype=np.uint8),
            "dim": np.array([self._dim]),
            "patches": np.array([self._scores_patches]),
        }

    def score(self, features: FeatureGrid) -> Scores:
        """Random scores of N images.

        Returns
        -------
        Scores
            `images` (N,), and `patches` (N, h, w), both float32 in [0, 1); empty for N = 0.

        Raises
        ------
        ContractError
            If the vectors are not as long as the memory's, or hold a NaN or an infinity.
        """
        self._check(features)
        count, height, width, _ = features.patches.shape
        drawn = np.empty((count, height * width + 1), dtype=np.float32)
        for row, patches in zip(drawn, features.patches, strict=True):
            row[:] = self._generator(patches).random(len(row), dtype=np.float32)
        return Scores(patches=drawn[:, 1:].reshape(count, height, width), images=drawn[:, 0])

    def _generator(self, patches: Float32) -> np.random.Generator:
        data = np.ascontiguousarray(patches).tobytes()
        digest = hashlib.blake2b(data, digest_size=16, key=self._key).digest()
        return np.random.default_rng(int.from_bytes(digest, "little"))

    def _check(self, features: FeatureGrid) -> None:
        patch_dim = self._dim if self._scores_patches else None
        require_shape(features.patches, (None, None, None, patch_dim), name="patches")
        require_finite(features.patches, name="patches")
        if not self._scores_patches:
            self._check_embeddings(features.embeddings)

    def _check_embeddings(self, embeddings: Float32 | None) -> None:
        if embeddings is None:
            raise ContractError("fitted on image embeddings, scored without any")
        require_shape(embeddings, (None, self._dim), name="embeddings")
        require_finite(embeddings, name="embeddings")
