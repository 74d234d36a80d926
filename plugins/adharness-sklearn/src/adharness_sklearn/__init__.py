"""Detectors of scikit-learn and PyOD. Neither is imported here, only when a scorer is made."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, JsonValue, field_validator

from adharness import Params, Scorer, ScorerSpec, hookimpl
from adharness_sklearn.refusals import NOT_DETECTING, decided_option


class DetectorParams(Params):
    """What the scorers of both libraries are told."""

    options: dict[str, JsonValue] = Field(
        {}, description="arguments of the detector's constructor; its own defaults where not given"
    )
    standardize: bool = Field(
        False, description="first bring each feature to mean 0 and variance 1 in the memory"
    )
    dims: int | None = Field(
        None, gt=0, description="then keep this many principal components; null for no PCA"
    )
    nystroem: int | None = Field(
        None,
        gt=0,
        description="then approximate an RBF kernel by this many landmarks, drawn at random: what "
        "makes the linear SGDOneClassSVM one of kernels; null for none",
    )
    sample_rows: int | None = Field(
        10_000, gt=0, description="vectors learnt from, drawn at random; null for all"
    )

    @field_validator("options")
    @classmethod
    def _undecided(cls, options: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for name in options:
            reason = decided_option(name)
            if reason:
                raise ValueError(f"'{name}' is not for a suite to set: {reason}")
        return options


class SklearnParams(DetectorParams):
    """Parameters of `sklearn`. A detector's own defaults are scikit-learn's."""

    detector: str = Field("IsolationForest", description="class name, as scikit-learn writes it")


class PyodParams(DetectorParams):
    """Parameters of `pyod`. A detector's own defaults are PyOD's."""

    detector: str = Field("KNN", description="class name, as PyOD writes it")

    @field_validator("detector")
    @classmethod
    def _detecting(cls, detector: str) -> str:
        reason = NOT_DETECTING.get(detector)
        if reason:
            raise ValueError(f"PyOD's {detector} cannot be a scorer: {reason}")
        return detector


def _make_sklearn(params: SklearnParams) -> Scorer:
    from adharness_sklearn.from_sklearn import find
    from adharness_sklearn.scorer import DetectorScorer

    return DetectorScorer(params, find(params.detector, params.options))


def _make_pyod(params: PyodParams) -> Scorer:
    from adharness_sklearn.from_pyod import find
    from adharness_sklearn.scorer import DetectorScorer

    return DetectorScorer(params, find(params.detector, params.options))


SKLEARN = ScorerSpec(
    name="sklearn",
    params=SklearnParams,
    make=_make_sklearn,
    needs=("bag", "images"),
    deterministic=False,
    summary="Any outlier detector or density of scikit-learn, on patches or image embeddings.",
    source="Pedregosa et al. 2011; each detector's paper is in scikit-learn's documentation",
    examples=(
        {"options": {"n_estimators": 20}},
        {"detector": "OneClassSVM"},
        {"detector": "LocalOutlierFactor", "dims": 8},
    ),
)
PYOD = ScorerSpec(
    name="pyod",
    params=PyodParams,
    make=_make_pyod,
    needs=("bag", "images"),
    deterministic=False,
    summary="Any detector of PyOD that scores new vectors, on patches or image embeddings.",
    source="Zhao, Nasrullah and Li 2019; each detector's paper is in PyOD's documentation",
)


@hookimpl
def adharness_scorers() -> Iterable[ScorerSpec]:
    """Yield `sklearn` and `pyod`; the second says what to install where PyOD is missing."""
    yield SKLEARN
    yield PYOD
