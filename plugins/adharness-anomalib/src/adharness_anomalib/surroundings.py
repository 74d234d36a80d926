"""What a foreign library may leave behind in the process, kept from it."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import random
import warnings
from collections.abc import Iterator

import numpy as np
import torch

LOUD = ("anomalib", "lightning", "lightning.pytorch", "lightning.fabric", "timm", "FrEIA")


@contextlib.contextmanager
def undisturbed(seed: int) -> Iterator[None]:
    """Run the block with random numbers of its own, and nothing said; all is as before after it.

    anomalib's models draw from torch, and some from NumPy's and Python's shared generators: all
    three are seeded, and given back as they were. On CUDA the block computes in full float32 with
    one algorithm each run. Warnings, log lines, progress bars and what is printed are dropped: an
    error says what there is to say.
    """
    with _own_draws(seed), _own_settings(), _silence():
        yield


@contextlib.contextmanager
def _own_draws(seed: int) -> Iterator[None]:
    devices = list(range(torch.cuda.device_count()))
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  the one they draw from
    with torch.random.fork_rng(devices=devices):
        try:
            torch.default_generator.manual_seed(seed)
            for device in devices:
                torch.cuda.default_generators[device].manual_seed(seed)
            random.seed(seed)
            np.random.set_state(np.random.RandomState(seed).get_state())  # noqa: NPY002
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


@contextlib.contextmanager
def _own_settings() -> Iterator[None]:
    threads, gradients = torch.get_num_threads(), torch.is_grad_enabled()
    variables = dict(os.environ)
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        try:
            yield
        finally:
            torch.set_grad_enabled(gradients)
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)
            for name in os.environ.keys() - variables.keys():
                del os.environ[name]
            os.environ.update(variables)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in LOUD]
    levels = [logger.level for logger in loggers]
    sink = io.StringIO()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(sink),
        contextlib.redirect_stderr(sink),
    ):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
