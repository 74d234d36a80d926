"""The libraries that compute, as they are loaded: what can change a number's last digits.

Nothing heavy is imported for it: torch and faiss are asked only where a plugin has loaded them.
No path is told: a record of a run may be published.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_DYNAMIC",
    "MKL_CBWR",
    "OPENBLAS_CORETYPE",
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "NVIDIA_TF32_OVERRIDE",
    "CUDA_VISIBLE_DEVICES",
)
"""What libraries read from the environment that changes threads, kernels or precision."""
_SHOWN = 40
"""Characters of a variable that are kept: its place is a number or a word."""


def libraries() -> dict[str, Any]:
    """Describe threads, BLAS, torch and faiss; what is not loaded is left out.

    Returns
    -------
    dict
        JSON values. `threads`: the environment's variables that are set, and the pools of the
        loaded libraries. `blas`: what numpy was built with.
        `torch`: its CUDA and cuDNN, threads, and the flags that change numbers. `faiss`: what it
        was compiled for, and its threads.
    """
    told: dict[str, Any] = {
        "cores_physical": psutil.cpu_count(logical=False),
        "cores_logical": psutil.cpu_count(),
        "threads": {"environment": _environment(), "pools": _pools()},
        "blas": _blas(),
    }
    ask = {"torch": _torch, "faiss": _faiss}
    return told | {name: _told(ask[name], sys.modules[name]) for name in ask if name in sys.modules}


def _told(ask: Callable[[Any], dict[str, Any]], library: Any) -> dict[str, Any]:
    try:
        return ask(library)
    except Exception as error:  # noqa: BLE001 - a run does not end because a library answers oddly
        return {"unknown": f"{type(error).__name__}: {error}"[:200]}


def _environment() -> dict[str, str]:
    given = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    return {name: value[:_SHOWN] for name, value in given.items() if value is not None}


def _pools() -> list[str]:
    """Thread pools of the loaded libraries, such as `openblas 0.3.30 SkylakeX: 2 threads`.

    None where threadpoolctl is not installed.
    """
    try:
        found = importlib.import_module("threadpoolctl").threadpool_info()
    except ImportError:
        return []
    keys = ("internal_api", "version", "architecture")
    named = [" ".join(str(one[key]) for key in keys if one.get(key)) for one in found]
    counts = [one.get("num_threads") for one in found]
    return sorted({f"{name}: {n} threads" for name, n in zip(named, counts, strict=True)})


def _blas() -> dict[str, str]:
    try:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {"name": str(built["name"]), "version": str(built["version"])}
    except (KeyError, TypeError):
        return {}


def _torch(torch: Any) -> dict[str, Any]:
    backends = torch.backends
    return {
        "version": str(torch.__version__),
        "cuda": torch.version.cuda,
        "cudnn": backends.cudnn.version() if torch.version.cuda else None,
        "threads": torch.get_num_threads(),
        "threads_between_operations": torch.get_num_interop_threads(),
        "kernels": backends.cpu.get_cpu_capability(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "cudnn_deterministic": backends.cudnn.deterministic,
        "cudnn_benchmark": backends.cudnn.benchmark,
        "cudnn_tf32": backends.cudnn.allow_tf32,
    }


def _faiss(faiss: Any) -> dict[str, Any]:
    return {
        "version": str(faiss.__version__),
        "compiled_for": str(faiss.get_compile_options()).strip(),
        "threads": faiss.omp_get_max_threads(),
    }
