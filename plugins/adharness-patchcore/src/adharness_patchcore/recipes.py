"""PatchCore as other people run it: each recipe is a set of values for our own parameters.

A value written beside `recipe:` wins over the recipe's. What a recipe says of the features (crop,
neighbourhood, pooling to 1024 values) and of the map belongs to the extractor and to `maps:`.

References
----------
official: patchcore-inspection, `run_patchcore.py` and `sampler.py`, as its published numbers were
made (`-p 0.1`, `approx_greedy_coreset`, one neighbour). paper: Roth et al. 2022, equation 7 and
algorithm 1; it states neither b nor the length of the projection, so b is anomalib's and the
length the official code's. anomalib: version 2.7. study: see "The study" in this plugin's README.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

Recipe: TypeAlias = Literal["official", "paper", "anomalib", "study"]
Values: TypeAlias = Mapping[str, object]

BANK: Final[Mapping[str, Values]] = MappingProxyType(
    {
        "official": {"ratio": 0.1, "projection": "linear", "projection_dims": 128, "anchors": 10},
        "paper": {"ratio": 0.1, "projection": "gaussian", "projection_dims": 128, "anchors": 0},
        "anomalib": {
            "ratio": 0.1,
            "projection": "sparse",
            "projection_dims": "johnson-lindenstrauss",
            "anchors": 0,
        },
        "study": {"ratio": 0.05, "projection": "gaussian", "projection_dims": 128, "anchors": 0},
    }
)

SCORER: Final[Mapping[str, Values]] = MappingProxyType(
    {
        "official": {"distance": "squared", "reweight": "none"},
        "paper": {"distance": "euclidean", "reweight": "equation-7", "neighbours": 9},
        "anomalib": {"distance": "euclidean", "reweight": "equation-7", "neighbours": 9},
        "study": {"distance": "squared", "reweight": "study", "neighbours": 9},
    }
)


def filled(values: Any, recipes: Mapping[str, Values]) -> Any:
    """Add the recipe's values to those that were written; what is no mapping is left as it is."""
    if not isinstance(values, Mapping):
        return values
    name = values.get("recipe")
    recipe = recipes.get(name, {}) if isinstance(name, str) else {}
    return {**recipe, **values}
