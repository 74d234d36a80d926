"""Trying backends, choosing among them, and remembering what was chosen."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from adharness import FeatureGrid
from adharness.arrays import AnyArray, UInt8
from adharness_timm import TimmParams
from adharness_timm.backends import Precision

AGREEMENT: Mapping[Precision, float] = {"float32": 1e-3, "bfloat16": 0.1}
"""Largest difference from float32 torch, relative to the largest feature, by precision. In bfloat16
torch itself differs by some hundredths: that bound finds what is broken, and no more."""
IMAGES, ROUNDS = 8, 3

Extract = Callable[[UInt8], FeatureGrid]


@dataclass(frozen=True)
class Trial:
    """What came of trying a backend.

    Parameters
    ----------
    error
        Largest difference from float32 torch, relative to the largest feature; infinite where it
        is not finite.
    images_a_second
        Of the fastest round.
    failure
        What it raised, if it did.
    """

    error: float
    images_a_second: float
    failure: str | None = None


def generated(size: tuple[int, int]) -> UInt8:
    """Draw `IMAGES` images (N, height, width, 3), half of them noise, half smooth."""
    rng, (height, width) = np.random.default_rng(0), size
    noise = rng.integers(0, 256, (IMAGES, height, width, 3))
    waves = np.sin(np.linspace(0, 9, height))[:, None] * np.cos(np.linspace(0, 7, width))
    colours = rng.uniform(40, 200, (IMAGES // 2, 1, 1, 3))
    noise[::2] = colours + 30 * waves[..., None] + noise[::2] / 16
    return np.clip(noise, 0, 255).astype(np.uint8)


def tried(extract: Extract, images: UInt8, expected: FeatureGrid) -> Trial:
    """Compare the features that a backend gives, and take its time."""
    found = extract(images)
    error = _apart(expected.patches, found.patches)
    if expected.embeddings is not None and found.embeddings is not None:
        error = max(error, _apart(expected.embeddings, found.embeddings))
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        extract(images)
        seconds.append(time.perf_counter() - begun)
    return Trial(error, len(images) / min(seconds))


def fastest(trials: Mapping[str, Trial], precision: Precision) -> str:
    """Name the fastest that agrees; torch where none does, or where they are equally fast."""
    agreeing = {n: t for n, t in trials.items() if t.error <= AGREEMENT[precision]}
    return max(agreeing, key=lambda n: (agreeing[n].images_a_second, n == "torch"), default="torch")


def remembered(
    params: TimmParams, facts: Mapping[str, Any], choose: Callable[[], Mapping[str, Trial]]
) -> str:
    """Name the backend chosen on this machine for a model, and choose it where that is not known.

    Parameters
    ----------
    facts
        What the choice depends on besides the machine: the weights, the versions of all that take
        part. With others it is made anew.
    choose
        Tries the backends; called at most once.

    Notes
    -----
    Of two processes that try at the same time, both take what the first one wrote.
    """
    key = {**facts, "machine": _machine(), "params": params.identity()}
    text = json.dumps(key, sort_keys=True)
    folder = params.choices or Path.home() / ".cache" / "adharness" / "backends"
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
    known = _read(place)
    if known is None:
        trials = choose()
        told = {"trials": {n: asdict(t) for n, t in trials.items()}, **key}
        known = _read(place) or _written(place, fastest(trials, params.precision), told)
    return known


def _machine() -> dict[str, Any]:
    """Describe what decides how fast this machine is, for want of a name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line for line in lines if line.startswith(("model name", "flags"))][:2]
    return {
        "host": platform.node(),
        "cpu": named or platform.processor(),
        "threads": torch.get_num_threads(),
    }


def _read(place: Path) -> str | None:
    try:
        known = json.loads(place.read_text())["backend"]
    except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged
        return None
    return known if isinstance(known, str) else None


def _written(place: Path, known: str, told: Mapping[str, Any]) -> str:
    part = place.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps({"backend": known, **told}, indent=1))
    part.replace(place)
    return known


def _apart(expected: AnyArray, found: AnyArray) -> float:
    error = float(np.abs(expected - found).max() / max(float(np.abs(expected).max()), 1e-30))
    return error if np.isfinite(error) else float("inf")
