"""From image embeddings to points in a plane: PCA, t-SNE and, where it is installed, UMAP."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adharness.arrays import Float32, Float64
from adharness.errors import DataError

FEWEST = 5
"""Images without which a picture of neighbourhoods means nothing."""
_PRINCIPAL = 50


@dataclass(frozen=True, eq=False)
class Plane:
    """Points (n, 2) float64, what decided them, and of PCA the shares of the variance."""

    points: Float64
    settings: Mapping[str, Any] = field(default_factory=dict)
    explained: tuple[float, float] | None = None


def project(projection: str, embeddings: Float32, seed: int) -> Plane:
    """Lay embeddings (n, E) out in a plane by `pca`, `tsne` or `umap`.

    Raises
    ------
    DataError
        There are fewer than five images, or `umap-learn` is not installed.
    """
    if len(embeddings) < FEWEST:
        raise DataError(f"{len(embeddings)} images are too few for a picture")
    values = np.asarray(embeddings, dtype=np.float64)
    if projection == "pca":
        return _pca(values)
    return _tsne(values, seed) if projection == "tsne" else _umap(values, seed)


def _principal(values: Float64, count: int) -> tuple[Float64, Float64]:
    """Scores on the first principal axes (n, count), and every axis's share of the variance.

    The sign of an axis is chosen so that its largest loading is positive: SVD leaves it open.
    """
    left, sizes, axes = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    total = np.square(sizes).sum()
    shares = np.square(sizes) / total if total > 0 else np.zeros_like(sizes)
    return (left * sizes * signs)[:, :count], shares


def _pca(values: Float64) -> Plane:
    scores, shares = _principal(values, 2)
    points, explained = np.zeros((len(values), 2)), np.zeros(2)
    points[:, : scores.shape[1]], explained[: len(shares[:2])] = scores, shares[:2]
    return Plane(points, explained=(float(explained[0]), float(explained[1])))


def _tsne(values: Float64, seed: int) -> Plane:
    """Run t-SNE after PCA to 50 axes (van der Maaten and Hinton, JMLR 2008, section 4.2, uses 30).

    Perplexity 30, or a third of the images where they are few.
    """
    from sklearn.manifold import TSNE

    perplexity = float(min(30.0, (len(values) - 1) / 3))
    reduced, _ = _principal(values, _PRINCIPAL)
    start = reduced[:, :2] if reduced.shape[1] > 1 else np.column_stack([reduced, 0 * reduced])
    size = float(start[:, 0].std())
    made = TSNE(
        perplexity=perplexity,
        init=np.asarray(start * (1e-4 / size if size > 0 else 1.0), dtype=np.float32),
        learning_rate="auto",
        random_state=seed,
    )
    points = np.asarray(made.fit_transform(reduced), dtype=np.float64)
    return Plane(points, {"perplexity": round(perplexity, 3), "principal": reduced.shape[1]})


def _umap(values: Float64, seed: int) -> Plane:
    """Run UMAP (McInnes et al., arXiv 1802.03426) with its defaults: 15 neighbours, distance 0.1.

    One thread: with several the seed would not decide the picture.
    """
    if importlib.util.find_spec("umap") is None:
        raise DataError("umap-learn is not installed", hint="pip install umap-learn")
    neighbours = min(15, len(values) - 1)
    made = importlib.import_module("umap").UMAP(
        n_neighbors=neighbours, min_dist=0.1, random_state=seed, n_jobs=1
    )
    return Plane(np.asarray(made.fit_transform(values), np.float64), {"neighbours": neighbours})
