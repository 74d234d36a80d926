"""A trained model: raw maps and scores, and all that it learnt as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from adharness import ContractError, FeatureGrid, Scores, check_finite, check_pixel_query
from adharness import require_state as require
from adharness.arrays import AnyArray, Float32
from adharness_anomalib.surroundings import undisturbed

SIZE, TENSOR = "size", "tensor."


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
        with undisturbed(seed=0):
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
            with torch.inference_mode():
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
        """Give every tensor of the network, and the size of the images."""
        tensors = self.module.model.state_dict()
        arrays = {f"{TENSOR}{n}": np.array(t.detach().cpu().numpy()) for n, t in tensors.items()}
        return {SIZE: np.array(self.size, dtype=np.int64), **arrays}


def restored(
    name: str, build: Callable[[tuple[int, int]], Any], state: Mapping[str, AnyArray]
) -> FittedAnomalib:
    """Build an untrained model of the stored size, and put the stored tensors into it.

    Raises
    ------
    ContractError
        Where an array is missing, is none of the model's, or has another type, another number of
        axes, or another shape than a parameter; banks are as long as they were stored.
    """
    title = f"anomalib's {name}"
    size = state.get(SIZE)
    require(size is not None and size.shape == (2,), f"the state of {title} lacks '{SIZE}'")
    assert size is not None  # noqa: S101  checked above
    module = build((int(size[0]), int(size[1])))
    tensors = {n.removeprefix(TENSOR): torch.from_numpy(np.array(a)) for n, a in state.items()}
    del tensors[SIZE]
    wanted = module.model.state_dict()
    for each in sorted(wanted.keys() ^ tensors.keys()):
        require(False, f"the state of {title} {'lacks' if each in wanted else 'has'} '{each}'")
    for each, tensor in tensors.items():
        _put(module.model, each, tensor, title)
    return FittedAnomalib(name, module, (int(size[0]), int(size[1])))


def _put(model: nn.Module, name: str, tensor: Tensor, title: str) -> None:
    """Copy a parameter; replace a buffer, which may have grown with what was learnt."""
    path, _, own = name.rpartition(".")
    owner = model.get_submodule(path)
    there: Any = getattr(owner, own)
    require(
        tensor.dtype == there.dtype or not there.numel(),
        f"'{name}' of {title} is {tensor.dtype}, expected {there.dtype}",
    )
    if not isinstance(there, nn.Parameter):
        setattr(owner, own, tensor)
        return
    require(
        there.shape == tensor.shape,
        f"'{name}' of {title} has shape {tuple(tensor.shape)}, expected {tuple(there.shape)}",
    )
    with torch.no_grad():
        there.copy_(tensor)


def _array(tensor: Tensor | None) -> Float32 | None:
    return None if tensor is None else tensor.detach().float().cpu().numpy()


def _stacked(values: list[Float32 | None]) -> Float32 | None:
    there = [value for value in values if value is not None]
    return np.stack(there).astype(np.float32, copy=False) if there else None
