"""Detectors of scikit-learn: all its outlier detectors, and its densities."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pydantic import JsonValue
from sklearn.base import OutlierMixin
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.neighbors import KernelDensity

from adharness.arrays import AnyArray, Float64
from adharness_sklearn.detectors import Detector, Measure, chosen, require_options

LIBRARY = "scikit-learn"
_HOMES = ("covariance", "ensemble", "linear_model", "neighbors", "svm")
_DENSITIES: tuple[type[Any], ...] = (BayesianGaussianMixture, GaussianMixture, KernelDensity)


def detectors() -> dict[str, type[Any]]:
    """Give the classes by name: what calls itself an outlier detector, and what is a density."""
    public = (vars(import_module(f"sklearn.{home}")).values() for home in _HOMES)
    found = [one for values in public for one in values if inspect.isclass(one)]
    outlying = [one for one in found if issubclass(one, OutlierMixin) and one is not OutlierMixin]
    return {one.__name__: one for one in (*outlying, *_DENSITIES)}


def find(name: str, options: Mapping[str, JsonValue]) -> Detector:
    """Give the detector of that name.

    Raises
    ------
    SuiteError
        Where scikit-learn has no such detector, or the detector no such option.
    """
    known = detectors()
    made = known[chosen(LIBRARY, name, known)]
    require_options(LIBRARY, made, options)
    return Detector(LIBRARY, made, options, _measure)


def _measure(fitted: Any) -> Measure:
    """Turn the scores round: scikit-learn's are higher for what is normal."""

    def measured(rows: Float64) -> AnyArray:
        scores: AnyArray = -fitted.score_samples(rows)
        return scores

    return measured
