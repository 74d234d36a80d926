"""From the params to one of anomalib's models, built for images of one size."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anomalib.models
from anomalib import LearningType
from anomalib.pre_processing import PreProcessor
from torchvision.transforms import v2

from adharness import AdharnessError, DataError, PluginError, SuiteError
from adharness_anomalib import AnomalibParams
from adharness_anomalib.catalogue import about
from adharness_anomalib.weights import Weights, backbones
from adharness_timm.bundled import MEAN, STD

OFF = ("post_processor", "evaluator", "visualizer")
"""Thresholds, normalization of scores, metrics and pictures: all of them the harness's own."""
OURS = ("pre_processor", "pre_trained", *OFF)


def build(params: AnomalibParams, size: tuple[int, int], weights: Weights) -> Any:
    """Make a model for images of (height, width) pixels; random numbers are the caller's affair.

    Its own normalization of pixels is kept, or with bundled weights theirs is taken; what it would
    resize or crop is left as it is, so that a map lies where the image lies.

    Raises
    ------
    SuiteError
        If an option is none of the model's, anomalib refuses its value or the size, or the images
        are no whole number of a transformer's patches.
    PluginError
        If the installed anomalib lacks the model, or it is not a one-class model.
    DataError
        If weights or a folder of images cannot be had.
    """
    kind = _class(params.model)
    _require_options(kind, params)
    options = {**params.options, **_sized(params, size)}
    options |= {"pre_processor": _pixels(kind, params, size)} | dict.fromkeys(OFF, False)
    try:
        with backbones(weights):
            module = kind(**options)
    except AdharnessError:
        raise
    except Exception as error:  # each model raises its own
        raise _refused(params, size, error) from error
    if module.learning_type != LearningType.ONE_CLASS:
        raise PluginError(
            f"anomalib's {params.model} is a {module.learning_type.value} model, no one-class one",
            hint="choose a model that learns from normal images alone",
        )
    _require_whole_patches(module, params, size)
    return module


def _require_whole_patches(module: Any, params: AnomalibParams, size: tuple[int, int]) -> None:
    """Raise where a transformer would silently leave out the last rows: the map would be askew."""
    for part in module.model.modules():
        patch: Any = getattr(getattr(part, "patch_embed", None), "patch_size", 1)
        steps = (patch, patch) if isinstance(patch, int) else tuple(patch)
        if any(side % step for side, step in zip(size, steps, strict=True)):
            whole = [max(side // step, 1) * step for side, step in zip(size, steps, strict=True)]
            raise SuiteError(
                f"anomalib's {params.model} sees patches of {steps[0]} x {steps[1]} pixels, and "
                f"the images have {size[0]} x {size[1]}",
                hint=f"extractor: {{use: pixels, resize: {whole}}}",
            )


def _class(name: str) -> Any:
    kinds = {each.lower(): vars(anomalib.models)[each] for each in anomalib.models.__all__}
    letters = name.replace("_", "")
    if letters not in kinds:
        raise PluginError(
            f"the installed anomalib has no model {name!r}",
            hint=f"it has {', '.join(sorted(kinds))}",
        )
    return kinds[letters]


def _require_options(kind: Any, params: AnomalibParams) -> None:
    known = [n for n in inspect.signature(kind.__init__).parameters if n not in ("self", *OURS)]
    for option in params.options:
        if option in OURS:
            raise SuiteError(
                f"options: {option!r} of anomalib's {params.model} is not for a suite to set",
                hint="`weights` says what the backbone knows; thresholds and scores stay raw",
            )
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            did = f"did you mean {near[0]!r}? " if near else ""
            raise SuiteError(
                f"anomalib's {params.model} has no option {option!r}",
                hint=f"{did}It has {', '.join(known)}",
            )
    known_model = about(params.model)
    for option in known_model.folders if known_model else ():
        if not Path(str(params.options[option])).is_dir():
            raise DataError(f"options: {option}: no folder {str(params.options[option])!r}")


def _sized(params: AnomalibParams, size: tuple[int, int]) -> Mapping[str, Any]:
    known = about(params.model)
    wanted = known.size_option if known else {}
    if "side" in wanted.values() and size[0] != size[1]:
        raise SuiteError(
            f"anomalib's {params.model} takes square images only, got {size[0]} x {size[1]} pixels",
            hint="extractor: {use: pixels, resize: 256}",
        )
    return {name: size if shape == "pair" else size[0] for name, shape in wanted.items()}


def _pixels(kind: Any, params: AnomalibParams, size: tuple[int, int]) -> Any:
    """Give the model's own pre-processor with one resize, to the size that images have already.

    Some models ask it for the size that they are built for.
    """
    transform = kind.configure_pre_processor().transform
    steps = transform.transforms if isinstance(transform, v2.Compose) else [transform]
    norms = [step for step in steps if isinstance(step, v2.Normalize)]
    if params.weights == "bundled":
        norms = [v2.Normalize(mean=list(MEAN), std=list(STD)) for _ in norms]
    return PreProcessor(transform=v2.Compose([v2.Resize(size, antialias=True), *norms]))


def _refused(
    params: AnomalibParams, size: tuple[int, int], error: Exception
) -> SuiteError | DataError:
    told = f"anomalib could not make {params.model} for {size[0]} x {size[1]} pixels: {error}"
    if params.weights == "pretrained":
        return DataError(
            told, hint="without a network set weights: bundled or none; else look at `options`"
        )
    return SuiteError(told, hint="look at `options`, and at the size of the extractor's images")
