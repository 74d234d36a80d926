"""What is known of the models of anomalib 2.7: how they learn, and which are refused."""

from __future__ import annotations

import ast
import difflib
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

LITE = "tf_efficientnet_lite0"
# Of the same strides as a ResNet's layer1 (4), layer2 (8), layer3 (16) and layer4 (32).
LAYER1, LAYER2, LAYER3, LAYER4 = "blocks.1", "blocks.2", "blocks.4", "blocks.6"


@dataclass(frozen=True, kw_only=True)
class Model:
    """What a suite must say of a model before anomalib is imported.

    Parameters
    ----------
    trained
        By gradients, so that `epochs` or `steps` must be given. The others read the images once
        (`mh_patchcore` three times) and are done.
    bundled
        Options under which its backbone takes the bundled weights; None where it cannot.
    refused
        Why it is no scorer here; empty where it is one.
    folders
        Options that must name a folder that exists: anomalib would download it.
    size_option
        The option that must be the size of the images, which is filled in: `pair` or `side`.
    batch
        The only batch size that it takes.
    downloads
        What it cannot do without and only a download gives; empty where there is no such thing.
    """

    trained: bool = False
    bundled: Mapping[str, Any] | None = None
    refused: str = ""
    folders: tuple[str, ...] = ()
    size_option: Mapping[str, str] = field(default_factory=dict)
    batch: int | None = None
    downloads: str = ""


def _lite(**options: Any) -> Mapping[str, Any]:
    return MappingProxyType({"backbone": LITE, **options})


TEXT = "it scores by text prompts and learns nothing from training images"
VIDEO = "it is a model of videos, and a scorer is given single images"

CATALOGUE: Mapping[str, Model] = MappingProxyType(
    {
        "ai_vad": Model(refused=VIDEO),
        "anomaly_dino": Model(),
        "anomaly_vfm": Model(refused="it learns nothing from training images"),
        "cfa": Model(trained=True),
        "cflow": Model(trained=True, bundled=_lite(layers=[LAYER2, LAYER3, LAYER4])),
        "cfm": Model(refused="it needs a point cloud beside each image"),
        "csflow": Model(trained=True),
        "dfkde": Model(bundled=_lite(layers=[LAYER4])),
        "dfm": Model(bundled=_lite(layer=LAYER3)),
        "dinomaly": Model(trained=True),
        "draem": Model(trained=True, folders=("dtd_dir",)),
        "dsr": Model(trained=True, downloads="a discrete model that was trained elsewhere"),
        "efficient_ad": Model(trained=True, folders=("imagenet_dir",), batch=1),
        "fastflow": Model(trained=True),
        "found_ad": Model(trained=True, size_option={"image_size": "side"}),
        "fre": Model(trained=True, bundled=_lite(layer=LAYER3)),
        "fuvas": Model(refused=VIDEO),
        "ganomaly": Model(trained=True),
        "general_ad": Model(trained=True),
        "glass": Model(
            trained=True,
            bundled=_lite(layers=[LAYER2, LAYER3]),
            size_option={"input_shape": "pair"},
        ),
        "inp_former": Model(trained=True),
        "l2bt": Model(trained=True),
        "mh_patchcore": Model(bundled=_lite(layers=[LAYER2, LAYER3])),
        "padim": Model(bundled=_lite(layers=[LAYER1, LAYER2, LAYER3], n_features=100)),
        "patchcore": Model(bundled=_lite(layers=[LAYER2, LAYER3])),
        "patchflow": Model(trained=True, bundled=_lite()),
        "rad": Model(),
        "reverse_distillation": Model(trained=True),
        "stfpm": Model(trained=True, bundled=_lite(layers=[LAYER1, LAYER2, LAYER3])),
        "super_add": Model(),
        "supersimplenet": Model(trained=True, bundled=_lite(layers=[LAYER2, LAYER3])),
        "uflow": Model(trained=True),
        "uni_net": Model(trained=True),
        "vlm_ad": Model(refused="it asks a language model, and learns nothing from images"),
        "win_clip": Model(refused=TEXT),
    }
)
"""All models of anomalib 2.7, by anomalib's names in small letters."""


def canonical(name: str) -> str:
    """Give the one spelling of a model's name; anomalib itself takes many.

    Raises
    ------
    ValueError
        Where neither the catalogue nor an installed anomalib has it, with the nearest and the list.
    """
    known = {_letters(each): each for each in (*installed(), *CATALOGUE)}
    if _letters(name) in known:
        return known[_letters(name)]
    near = difflib.get_close_matches(_letters(name), known, n=1)
    did = f"; did you mean {known[near[0]]!r}?" if near else ""
    raise ValueError(f"anomalib has no model {name!r}{did} It has {', '.join(_scorers(known))}")


def about(name: str) -> Model | None:
    """Give what is known of a model; None for one that came after anomalib 2.7."""
    return CATALOGUE.get(name)


def installed() -> tuple[str, ...]:
    """Names of the models of an installed anomalib, read from its source: it takes long to import.

    Empty where there is none.
    """
    package = importlib.util.find_spec("anomalib")
    if package is None or package.origin is None:
        return ()
    source = Path(package.origin).parent / "models" / "__init__.py"
    return tuple(name.lower() for name in _exported(source.read_text(encoding="utf-8")))


def _exported(source: str) -> Iterable[str]:
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            yield from ast.literal_eval(statement.value)


def _letters(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _scorers(known: Mapping[str, str]) -> list[str]:
    return sorted(n for n in known.values() if n not in CATALOGUE or not CATALOGUE[n].refused)
