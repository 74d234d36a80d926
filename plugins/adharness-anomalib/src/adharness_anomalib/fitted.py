"""A trained model: raw maps and scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from adharness import ContractError, FeatureGrid, Scores, check_finite, check_pixel_query
from adharness.arrays import AnyArray, Float32
from adharness_anomalib.states import state_of
from adharness_anomalib.surroundings import undisturbed


@dataclass(frozen=True, eq=False)
class FittedAnomalib:
    """A model of anomalib that has learnt.

    Parameters
    ----------
    name
        Of the model, for messages.
    module
        In evaluation mode, on its device: `module.pre_processor.transform` and `module.model`.
    size
        (height, width) in pixels of the images it takes.
    """

    name: str
    module: Any
    size: tuple[int, int]

    def score(self, features: FeatureGrid) -> Scores:
        """Score images (N, H, W, 3) one by one: anomaly maps (N, h, w) and scores (N,).

        Both are what the model's network gives, before anomalib would normalize or threshold them.
        Either is missing where the model has none; a map alone leaves the image score to the suite.

        Raises
        ------
        ContractError
            Where the images are of another size or not finite, or what the model gives is not.
        """
        images = check_pixel_query(features, self.size)
        given = [self._one(image) for image in images]
        maps, scores = _stacked([m for m, _ in given]), _stacked([s for _, s in given])
        for values in (maps, scores):
            if values is not None:
                check_finite(values, name=f"scores of anomalib's {self.name}")
        return Scores(patches=maps, images=scores)

    def _one(self, pixels: Float32) -> tuple[Float32 | None, Float32 | None]:
        """Score an image (H, W, 3) alone: flows and banks may round otherwise in a batch."""
        at = next(self.module.model.parameters()).device
        image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])) / 255.0
        try:
            with undisturbed(seed=0), torch.inference_mode():  # seeded for each: some models draw
                output = self.module.model(self.module.pre_processor.transform(image.to(at)))
        except Exception as error:  # each model raises its own
            raise ContractError(
                f"anomalib's {self.name} could not score an image: {error}",
                hint="was it trained on enough images? see the README of adharness-anomalib",
            ) from error
        area, score = _array(output.anomaly_map), _array(output.pred_score)
        if area is None and score is None:
            raise ContractError(f"anomalib's {self.name} gives neither a map nor a score")
        return (
            None if area is None else area.reshape(area.shape[-2:]),
            None if score is None else score.reshape(()),
        )

    def state(self) -> Mapping[str, AnyArray]:
        """Give every tensor of the network, the size of the images, and the list of them all."""
        return state_of(self.module.model, self.size)


def _array(tensor: Tensor | None) -> Float32 | None:
    return None if tensor is None else tensor.detach().float().cpu().numpy()


def _stacked(values: list[Float32 | None]) -> Float32 | None:
    there = [value for value in values if value is not None]
    return np.stack(there).astype(np.float32, copy=False) if there else None
