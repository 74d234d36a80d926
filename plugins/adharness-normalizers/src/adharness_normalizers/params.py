"""Parameters of the normalizers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from adharness import Params


class RawParams(Params):
    """`raw` has no parameters."""


class ZscoreParams(Params):
    """`zscore` has no parameters."""


class ClusterParams(Params):
    """How k-means groups the embeddings of calibration normals."""

    clusters: int | Literal["auto"] = Field(
        "auto",
        description="how many k-means looks for; auto: 1 to 20, by the silhouette (Rousseeuw 1987)",
    )
    smallest: int = Field(
        10,
        ge=2,
        description="calibration images a cluster must have, else it is given up: of 10 scores the "
        "deviation has a standard error of 24 %",
    )

    @field_validator("clusters")
    @classmethod
    def _some(cls, clusters: int | str) -> int | str:
        if isinstance(clusters, int) and clusters < 1:
            raise ValueError(f"{clusters} clusters hold no image")
        return clusters

    seed: int = Field(0, ge=0, description="draws the first centroids of k-means")


class ZscoreRoutedParams(ClusterParams):
    """Parameters of `zscore-routed`; those of clusters or of routes are read where they apply."""

    by: Literal["cluster", "class"] = Field(
        "cluster",
        description="cluster: no label is used; class: calibration images are told theirs",
    )
    route: Literal["centroid", "neighbours"] = Field(
        "centroid",
        description="by class, whom an image goes with: the nearest class mean, or most neighbours",
    )
    neighbours: int = Field(5, gt=0, description="calibration images that vote, by class")


class ClusterQuantileParams(ClusterParams):
    """Parameters of `cluster-quantile`."""


class ConformalParams(ClusterParams):
    """Parameters of `conformal`; those of clusters are read per cluster alone."""

    per: Literal["pooled", "cluster", "class"] = Field(
        "cluster", description="images whose p-value is relative to each other; class must be told"
    )
    tail: Literal["bounded", "exponential"] = Field(
        "bounded",
        description="above all calibration scores: bounded keeps p-values, exponential goes on",
    )


class LocalDensityParams(Params):
    """Parameters of `local-density`."""

    neighbours: int = Field(
        10,
        gt=0,
        description="calibration images whose neighbourhoods count, and neighbours in each",
    )
    of: Literal["scores", "distances"] = Field(
        "scores", description="what is usual there: normal scores, or distances of embeddings"
    )


class RegressedParams(Params):
    """`regressed` has no parameters."""
