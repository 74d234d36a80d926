from __future__ import annotations

import numpy as np
import pytest

from adharness_timm import TIMM, TimmParams
from few_threads import torch_threads


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """The nets of these tests are too small to share between cores."""
    with torch_threads(1):
        yield


@pytest.fixture(scope="session")
def make():
    """Extractors by their params, each built once."""
    built = {}

    def made(**fields):
        params = TimmParams(**fields)
        key = params.model_dump_json()
        if key not in built:
            built[key] = TIMM.make(params)
        return built[key]

    return made


@pytest.fixture(scope="session")
def images():
    """Five random (96, 64) images, read-only as from a memory map."""
    pixels = np.random.default_rng(0).integers(0, 256, (5, 96, 64, 3), dtype=np.uint8)
    pixels.setflags(write=False)
    return pixels
