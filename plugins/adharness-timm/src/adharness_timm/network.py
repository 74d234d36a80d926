"""A timm model as a function from normalised images to the chosen layers."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from adharness import DataError, SuiteError
from adharness_timm import TimmParams, bundled
from adharness_timm.fitting import fitted
from adharness_timm.layers import Reading, is_plain_transformer, prefix_tokens, read, reading
from adharness_timm.weights import digest, load_into, read_state_dict


@dataclass(frozen=True, eq=False)
class Network:
    """A model ready to run.

    Parameters
    ----------
    module
        In evaluation mode, without a classifier.
    reading
        Which layers are read, and how.
    mean, std
        Of the pixels it was trained with, in [0, 1], one value a channel.
    sha256
        Of its weights.
    """

    module: nn.Module
    reading: Reading
    mean: tuple[float, ...]
    std: tuple[float, ...]
    sha256: str

    @property
    def recipe(self) -> int:
        """Raised where the way from image to feature changed since features were first kept.

        Transformers without class or register tokens were read without their final norm.
        """
        normed = self.reading.final_norm and is_plain_transformer(self.module)
        return 2 if normed and not prefix_tokens(self.module) else 1

    def __call__(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """Chosen layers (N, C, h, w), shallow first, and the image embedding (N, E)."""
        return read(self.module, self.reading, images)


def build(params: TimmParams) -> Network:
    """Make the model on the CPU, load its weights, fit it to the input size, and fold it.

    Raises
    ------
    SuiteError
        If the model, a layer or the input size does not exist for it.
    PluginError
        If timm's model cannot give its layers, or a package is missing.
    DataError
        If the weights cannot be had or do not fit.
    """
    _require_known(params.model)
    module = _create(params).eval()
    how = reading(module, params)
    if params.weights == "bundled":
        load_into(module, bundled.bundled_state(params.model), where="bundled weights")
    elif params.weights not in ("timm", "random"):
        load_into(module, read_state_dict(Path(params.weights)), where=params.weights)
    sha256 = digest(module.state_dict())  # before the size changes position embeddings
    mean, std = _pixel_statistics(module, params)
    module = fitted(module, params, how).to(memory_format=torch.channels_last)
    return Network(module, how, mean, std, sha256)


def _require_known(model: str) -> None:
    # A colon would fetch a model from a hub.
    if ":" in model or not timm.is_model(model):
        near = difflib.get_close_matches(model, timm.list_models(), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "timm.list_models() names them all"
        raise SuiteError(f"timm has no model {model!r}", hint=hint)
    name, _, tag = model.partition(".")
    tagged = timm.list_models(f"{name}.*", pretrained=True)
    if tag and model not in tagged:
        raise SuiteError(
            f"timm has no weights {tag!r} for {name!r}",
            hint=f"it has {', '.join(tagged)}" if tagged else f"model: {name}",
        )


def _create(params: TimmParams) -> nn.Module:
    pretrained = params.weights == "timm"
    try:
        # Initial weights come from torch's own generator: seed it, then give it back as it was.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(params.seed)
            module: nn.Module = timm.create_model(
                params.model, pretrained=pretrained, num_classes=0
            )
    except Exception as error:
        if not pretrained:
            raise
        raise DataError(
            f"timm could not give the weights of {params.model!r}: {error}",
            hint="without a network use weights: bundled (tf_efficientnet_lite0, 1, 2), or name "
            "a weights file under `weights:`",
        ) from error
    return module


def _pixel_statistics(
    module: nn.Module, params: TimmParams
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if params.weights == "bundled":
        return bundled.MEAN, bundled.STD
    config = _config(module)
    return tuple(map(float, config["mean"])), tuple(map(float, config["std"]))


def _config(module: nn.Module) -> dict[str, Any]:
    config: Any = module.pretrained_cfg
    return dict(config)
