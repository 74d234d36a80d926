"""Which plugin of this repository has which component: what a hint says before it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FIRST_PARTY: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "adharness-timm": {"extractor": ("timm",)},
        "adharness-knn-faiss": {"scorer": ("knn-faiss",)},
        "adharness-anomalib": {"scorer": ("anomalib",)},
        "adharness-anomalydino": {"scorer": ("anomalydino",)},
        "adharness-density": {"scorer": ("gmm",)},
        "adharness-sklearn": {"scorer": ("sklearn", "pyod")},
        "adharness-spade": {"scorer": ("spade",)},
        "adharness-mahalanobis": {"scorer": ("mahalanobis",)},
        "adharness-padim": {"scorer": ("padim",)},
        "adharness-patchcore": {"bank": ("coreset",), "scorer": ("patchcore",)},
        "adharness-datasets": {
            "dataset": (
                "elpv",
                "mvtec-ad",
                "mvtec-ad-2",
                "mvtec-loco",
                "mvtec-3d-ad",
                "visa",
                "btad",
                "mpdd",
                "real-iad",
                "kolektor-sdd",
                "kolektor-sdd2",
                "dagm",
                "autovi",
            )
        },
        "adharness-thresholds": {
            "thresholder": (
                *("f1", "youden", "quantile", "max-normal", "mean-std", "median-mad", "pot"),
                *("region-area", "conformal-bh", "fixed"),
            )
        },
        "adharness-normalizers": {
            "normalizer": (
                "raw",
                "zscore",
                "zscore-routed",
                "cluster-quantile",
                "local-density",
                "conformal",
                "regressed",
            )
        },
    }
)
"""Distribution -> kind -> component names. The folder is `plugins/<distribution>`."""


NEEDED: Mapping[str, str] = MappingProxyType(
    {
        "adharness-anomalydino": "adharness-knn-faiss",
        "adharness-patchcore": "adharness-knn-faiss",
        "adharness-spade": "adharness-knn-faiss",
        "adharness-anomalib": "adharness-timm",
    }
)
"""The plugin of this repository that another depends on: no index has it, so it is named too."""


def first_party_names(kind: str) -> tuple[str, ...]:
    """Names of all components of a kind that this repository's plugins have."""
    return tuple(name for kinds in FIRST_PARTY.values() for name in kinds.get(kind, ()))


def first_party_home(kind: str, name: str) -> str | None:
    """Return the distribution of this repository that has the component; None where none has."""
    homes = (dist for dist, kinds in FIRST_PARTY.items() if name in kinds.get(kind, ()))
    return next(homes, None)


def install_line(distribution: str) -> str:
    """Say where a first-party plugin is, and what to type to install it."""
    needed = [NEEDED[distribution]] if distribution in NEEDED else []
    folders = " ".join(f"-e ./plugins/{name}" for name in [*needed, distribution])
    return f"It is in plugins/{distribution}:  pip install {folders}"
