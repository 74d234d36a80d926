"""Named settings of published methods: each preset is a set of values for our own parameters.

A value written beside `preset:` wins over the preset's. Its values count and its name does not:
a preset and the same values spelled out are one identity, and share what is extracted.

References
----------
PatchCore: Roth et al., CVPR 2022, section 4.1; its code, patchcore-inspection, `README.md` (the
commands of the published tables) and `src/patchcore/{common,patchcore,datasets/mvtec}.py`.
anomalib 2.7: `models/image/{patchcore,padim}/{lightning_model,torch_model}.py`.
PaDiM: Defard et al., ICPR 2021 workshops, sections III.A and IV.C.
AnomalyDINO: Damm et al., WACV 2025, section 3; its code, `src/backbones.py` (DINOv2Wrapper).
Gaussian-AD: Rippel et al., ICPR 2021, section III; its code, `src/gaussian/transparent.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final


@dataclass(frozen=True)
class Preset:
    """Values for the parameters of `timm`, and where they are from.

    Parameters
    ----------
    values
        Every parameter that can change a feature, as a suite would write it.
    source
        The paper's section, and the file of the authors' code.
    differs
        What the published method does besides or otherwise; empty where nothing.
    """

    values: Mapping[str, Any]
    source: str
    differs: str = ""


_DEFAULT: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "weights": "timm",
        "neighbourhood": 1,
        "aggregation": "average",
        "layer_dims": None,
        "upsampling": "bilinear",
        "dims": None,
        "final_norm": True,
        "crop": None,
        "pad": False,
        "tile": None,
        "interpolation": "bilinear",
        "embedding": True,
        "pooling": "auto",
        "precision": "float32",
        "backend": "torch",
    }
)


def _of(**values: Any) -> Mapping[str, Any]:
    """Spell out all that the method leaves as it is: no default of ours can change a preset."""
    return MappingProxyType({**_DEFAULT, **values})


_SQUASHED = "authors keep the shape of images that are not square; here they are squashed"

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        "patchcore": Preset(
            _of(
                model="wide_resnet50_2.tv_in1k",
                layers=(2, 3),
                neighbourhood=3,
                aggregation="unfold",
                layer_dims=1024,
                dims=1024,
                resize=256,
                crop=224,
            ),
            "Roth et al. 2022, section 4.1; patchcore-inspection, README.md, command IM224 WR50",
            _SQUASHED,
        ),
        "patchcore-anomalib": Preset(
            _of(model="wide_resnet50_2", layers=(2, 3), neighbourhood=3, resize=256),
            "anomalib 2.7, models/image/patchcore/lightning_model.py and torch_model.py",
        ),
        "padim-resnet18": Preset(
            _of(
                model="resnet18.tv_in1k",
                layers=(1, 2, 3),
                resize=256,
                crop=224,
                interpolation="bicubic",
            ),
            "Defard et al. 2021, sections III.A and IV.C, R18-Rd100",
            f"the scorer `padim` draws the 100 values; {_SQUASHED}",
        ),
        "padim-wide-resnet50": Preset(
            _of(
                model="wide_resnet50_2.tv_in1k",
                layers=(1, 2, 3),
                resize=256,
                crop=224,
                interpolation="bicubic",
            ),
            "Defard et al. 2021, sections III.A and IV.C, WR50-Rd550",
            f"the scorer `padim` draws the 550 values; {_SQUASHED}",
        ),
        "padim-anomalib": Preset(
            _of(model="resnet18", layers=(1, 2, 3), upsampling="nearest", resize=256),
            "anomalib 2.7, models/image/padim/lightning_model.py and torch_model.py",
        ),
        "anomalydino": Preset(
            _of(
                model="vit_small_patch14_dinov2.lvd142m",
                layers=(11,),
                resize=448,
                interpolation="bicubic",
            ),
            "Damm et al. 2025, section 3; AnomalyDINO, src/backbones.py: smaller edge 448, "
            "get_intermediate_layers with its norm",
            "authors scale the smaller edge, and cut the other to whole patches; no foreground "
            "mask here",
        ),
        "mahalanobis-efficientnet-b4": Preset(
            _of(model="tf_efficientnet_b4.aa_in1k", layers=(0, 1, 2, 3, 4), resize=380),
            "Rippel et al. 2021, section III; gaussian-ad-mvtec, src/gaussian/transparent.py",
            "authors read nine levels; timm gives those where the scale changes, five: levels 2, "
            "3, 4, 6 and 8 of the paper; their resize is bilinear without antialiasing",
        ),
    }
)


def filled(values: Any) -> Any:
    """Add the preset's values to those that were written; what is no mapping is left as it is.

    Notes
    -----
    Lists become tuples: pydantic's strict mode forgets behind this step that JSON has no tuple.
    """
    if not isinstance(values, Mapping):
        return values
    name = values.get("preset")
    preset = PRESETS.get(name) if isinstance(name, str) else None
    whole = {**(preset.values if preset else {}), **values}
    return {key: tuple(value) if type(value) is list else value for key, value in whole.items()}


def require_known(name: str | None) -> str | None:
    """Refuse a preset that does not exist, and name the nearest that does.

    Examples
    --------
    >>> require_known("patchcore")
    'patchcore'
    >>> require_known("padim")
    Traceback (most recent call last):
    ValueError: there is no preset 'padim'; did you mean padim-anomalib, padim-resnet18?
    """
    if name is None or name in PRESETS:
        return name
    near = difflib.get_close_matches(name, PRESETS, n=2, cutoff=0.5)
    what = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(PRESETS)}"
    raise ValueError(f"there is no preset {name!r}; {what}")


def listed() -> str:
    """One line for all: name, model, layers and size."""
    return "; ".join(f"{name} ({_brief(preset.values)})" for name, preset in PRESETS.items())


def _brief(values: Mapping[str, Any]) -> str:
    layers = "+".join(map(str, values["layers"]))
    crop = f", crop {values['crop']}" if values["crop"] else ""
    return f"{values['model']}, layers {layers}, resize {values['resize']}{crop}"
