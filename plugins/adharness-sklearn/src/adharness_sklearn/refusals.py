"""What is refused, and why: options that the plugin sets, detectors that cannot be scorers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ONE_THREAD = "the harness shares out the cores"
_QUIET = "a scorer prints nothing"

_DECIDED: Mapping[str, str] = MappingProxyType(
    {
        "random_state": "it is drawn from the seed of the cell; `seeds:` repeats what is random",
        "contamination": "it sets the detector's own threshold, and the suite's thresholders "
        "choose that",
        "novelty": "test images are new, so it is always true",
        "n_jobs": _ONE_THREAD,
        "parallel_execution": _ONE_THREAD,
        "verbose": _QUIET,
        "warm_start": "every model is fitted anew",
    }
)


def decided_option(name: str) -> str | None:
    """Say why a constructor's argument is not for a suite to set; None where it is."""
    return _DECIDED.get(name)


_DEEP = (
    "it trains a network with torch, from torch's global random state; "
    "networks compete as scorers that need `pixels`"
)
_SERIES = "it is for time series: a vector's score depends on those before it"
_GRAPH = "it is for graphs with edges between the vectors"
_MEDIA = "it embeds raw text, pictures or sound itself; here the extractor does"
_LABELS = "it needs labels of anomalies when it is fitted"
_BATCH = "it compares the vectors it is given among themselves, and learns nothing from the memory"
_SPREAD = "it divides by the spread of the vectors it is given together, and one alone has none"
_OBJECTS = "it is an ensemble of detector objects, which a suite cannot write down"
_TURNED = "of new vectors, those far from the memory may score lowest"


def _each(reason: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), reason)


NOT_DETECTING: Mapping[str, str] = MappingProxyType(
    {
        **_each(_DEEP, "AE1SVM ALAD AnoGAN AutoEncoder DIF DeepSVDD LUNAR MO_GAAL SO_GAAL VAE"),
        **_each(_SERIES, "AnomalyTransformer KShape LSTMAD MatrixProfile SAND SpectralResidual"),
        **_each(_SERIES, "TimeSeriesOD"),
        **_each(_GRAPH, "ANOMALOUS AnomalyDAE CONAD CoLA DOMINANT GUIDE Radar SCAN"),
        **_each(_MEDIA, "AudioAE EmbeddingOD MultiModalOD"),
        **_each(_LABELS, "DevNet XGBOD"),
        **_each(_BATCH, "COF LMDD LOCI SOD SOS"),
        **_each(_OBJECTS, "LSCP SUOD"),
        **_each(_TURNED, "HDBSCAN QMCD RGraph"),
        **_each(_SPREAD, "CD ROD"),
        "MAD": "it takes a single feature",
    }
)
"""Detector of PyOD -> why it cannot be a scorer, as of PyOD 3.6. Others are tried."""
