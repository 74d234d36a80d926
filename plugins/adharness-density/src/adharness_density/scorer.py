"""The scorer: sample, reduce, fit a mixture, score by the negative log-likelihood."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from adharness import (
    ContractError,
    FeatureGrid,
    FeatureSet,
    Grid,
    Memory,
    Scores,
    check_query,
    check_rows,
)
from adharness.arrays import AnyArray, Float32, Float64, Int64, require_finite
from adharness_density import GmmParams
from adharness_density.states import arrays_of, restored
from adharness_density.subspace import Subspace, fit_subspace

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class GmmScorer:
    """How unlikely a patch is among normal patches.

    References
    ----------
    Moghaddam and Pentland, Probabilistic Visual Learning for Object Representation, PAMI 1997,
    section 3: the density in the principal subspace and the isotropic one outside it.
    """

    params: GmmParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedGmm:
        """Draw the sample and the start of EM from `rng`, and fit in float64.

        Raises
        ------
        ContractError
            Where the memory holds image embeddings, is empty or not finite, `dims` is larger than
            D, or there are fewer rows than `dims` or `components`.
        """
        rows = _sample(memory, self.params.sample_rows, rng).astype(np.float64)
        dims = _checked_dims(self.params, *rows.shape)
        subspace = fit_subspace(rows, dims, self.params.epsilon)
        mixture = _fit_mixture(subspace.coordinates(rows), self.params, rng)
        return FittedGmm(subspace, mixture, self.params.residual)

    def restore(self, state: Mapping[str, AnyArray]) -> FittedGmm:
        """Take up a stored mixture and its subspace, as they are.

        Raises
        ------
        ContractError
            Where an array is missing, not known, of another type or shape or not finite, is no
            mixture, or has other dims or components than the params say.
        """
        return FittedGmm(*restored(state, self.params), self.params.residual)


@dataclass(frozen=True, eq=False)
class FittedGmm:
    """A mixture in a subspace of D features."""

    subspace: Subspace
    mixture: GaussianMixture
    residual: bool

    def state(self) -> Mapping[str, AnyArray]:
        """Give the subspace and the mixture."""
        return arrays_of(self.subspace, self.mixture)

    @property
    def converged(self) -> bool:
        """Whether EM settled within `max_iter` steps."""
        return bool(self.mixture.converged_)

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w) by their negative log-likelihood, in nats; it may be negative.

        Notes
        -----
        Each image is multiplied on its own, so a score does not depend on the batch. Scores beyond
        float32 are cut at its largest value.

        Raises
        ------
        ContractError
            Where D differs from the memory's, or a feature or a score is not finite.
        """
        values = check_query(features, len(self.subspace.mean))
        scores = np.empty(values.shape[:3], dtype=np.float32)  # (N, h, w)
        for image, patches in enumerate(values):
            rows = patches.reshape(-1, values.shape[-1]).astype(np.float64)
            scores[image] = self.negative_log_likelihood(rows).reshape(values.shape[1:3])
        require_finite(scores, name="gmm scores")  # a state out of all bounds may give NaN
        return Scores(patches=scores)

    def negative_log_likelihood(self, rows: Float64) -> Float64:
        """Give -log p (n,) of vectors (n, D): of all D features, or of the projection alone."""
        coordinates = self.subspace.coordinates(rows)
        require_finite(coordinates, name="gmm coordinates")  # before scikit-learn's own error
        inside = self.mixture.score_samples(coordinates)
        density: Float64 = inside - self.subspace.log_volume()
        if self.residual:
            density += self.subspace.residual_log_density(rows)
        return np.minimum(-density, LARGEST)


def _sample(memory: Memory, wanted: int, rng: np.random.Generator) -> Float32:
    """Draw rows (n, D) of a memory; of a grid, only those are read."""
    if isinstance(memory, Grid):
        return _sample_grid(memory.features, wanted, rng)
    rows = check_rows(memory, scorer="gmm", kinds=("bag", "grid"))
    return rows[_drawn(len(rows), wanted, rng)]


def _sample_grid(features: FeatureSet, wanted: int, rng: np.random.Generator) -> Float32:
    height, width = features.grid
    rows = features.rows(_drawn(features.count * height * width, wanted, rng))
    require_finite(rows, name="sampled patch features")
    return rows


def _drawn(count: int, wanted: int, rng: np.random.Generator) -> Int64:
    """Positions drawn without replacement, ascending: the disk is read forwards."""
    if wanted >= count:
        return np.arange(count, dtype=np.int64)
    return np.sort(rng.choice(count, size=wanted, replace=False, shuffle=False)).astype(np.int64)


def _checked_dims(params: GmmParams, count: int, dim: int) -> int:
    """Components to keep of a sample (count, dim)."""
    dims = min(dim, count) if params.dims is None else params.dims
    if dims > dim:
        raise ContractError(
            f"dims = {dims} components asked of patch vectors with D = {dim}",
            hint=f"set dims to at most {dim}, or to null for all",
        )
    needed = max(dims, params.components, 2)
    if needed > count:
        raise ContractError(
            f"dims = {dims} and components = {params.components} need {needed} rows, "
            f"there are {count}",
            hint="lower them, raise sample_rows, or keep more rows in the bank",
        )
    return dims


def _fit_mixture(
    coordinates: Float64, params: GmmParams, rng: np.random.Generator
) -> GaussianMixture:
    """Fit by EM; whether it settled is told by the fitted scorer, not by a warning."""
    mixture = GaussianMixture(
        n_components=params.components,
        covariance_type=params.covariance,
        reg_covar=params.epsilon,
        max_iter=params.max_iter,
        init_params="k-means++",
        random_state=int(rng.integers(2**31)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(coordinates)
    # As they come back from disk: a product of another layout rounds differently.
    mixture.precisions_cholesky_ = np.ascontiguousarray(mixture.precisions_cholesky_)
    return mixture
