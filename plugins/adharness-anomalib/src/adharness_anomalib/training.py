"""One of anomalib's models, trained on normal images by Lightning and by nothing else."""

from __future__ import annotations

import math
import tempfile
from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.plugins.environments import LightningEnvironment

from adharness import AdharnessError, ContractError, FeatureSet
from adharness_anomalib import AnomalibParams
from adharness_anomalib.images import TrainingData


def train(module: Any, features: FeatureSet, params: AnomalibParams, *, seed: int) -> None:
    """Train `module` in place, with the settings of its own that anomalib's engine would take.

    Raises
    ------
    ContractError
        If anomalib fails, with what it said.
    """
    data = TrainingData(features, params.batch, seed)
    _prepare(module, params)
    with tempfile.TemporaryDirectory(prefix="adharness-anomalib-") as folder:
        trainer = Trainer(**(module.trainer_arguments | _settings(params, features.count, folder)))
        try:
            trainer.fit(module, datamodule=data)
        except AdharnessError:
            raise
        except Exception as error:  # each model raises its own
            height, width = features.grid
            raise ContractError(
                f"anomalib's {params.model} failed on {features.count} images of {height} x "
                f"{width} pixels: {error}",
                hint="look at `options`, `batch` and the size of the images; the README of "
                "adharness-anomalib says what each model asks for",
            ) from error
    if getattr(module, "_is_fitted", torch.ones(1)).item() == 0:
        raise ContractError(f"anomalib's {params.model} was trained and says that it is not fitted")


def _settings(params: AnomalibParams, images: int, folder: str) -> dict[str, Any]:
    """Give the trainer's settings: how long, where, and all that would write or ask turned off."""
    quiet = dict.fromkeys(
        ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False
    )
    return {
        **quiet,
        **_length(params, images),
        "accelerator": "gpu" if device(params).type == "cuda" else "cpu",
        "devices": 1,
        "default_root_dir": folder,
        "limit_val_batches": 0,
        "num_sanity_val_steps": 0,
        "plugins": [LightningEnvironment()],  # or it would take a batch system's variables for its
    }


def _length(params: AnomalibParams, images: int) -> dict[str, int]:
    if params.epochs is not None:
        return {"max_epochs": params.epochs}
    if params.steps is None:
        return {}
    # Both: some models take the rate of learning down by the epochs, others by the steps.
    epochs = math.ceil(params.steps / math.ceil(images / params.batch))
    return {"max_steps": params.steps, "max_epochs": epochs}


def _prepare(module: Any, params: AnomalibParams) -> None:
    """EfficientAD loads its teacher when training begins: without a download it stays random."""
    if params.model == "efficient_ad" and params.weights != "pretrained":
        module.prepare_pretrained_model = lambda: None


def device(params: AnomalibParams) -> torch.device:
    """Give the device that the params ask for.

    Raises
    ------
    ContractError
        If it is `cuda` and torch sees none.
    """
    available = torch.cuda.is_available()
    if params.device == "cuda" and not available:
        raise ContractError("device cuda was asked for, but torch sees none", hint="device: cpu")
    return torch.device("cuda" if available and params.device != "cpu" else "cpu")
