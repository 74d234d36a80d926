"""OpenVINO: a stream and a request for each thread."""

from __future__ import annotations

from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any

import numpy as np

from adharness.arrays import Float32, UInt8
from adharness_timm.backends import Backend, Graph, Precision, Runner

_HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}


def _precisions() -> tuple[Precision, ...]:
    import openvino

    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ("float32", "bfloat16") if "BF16" in able else ("float32",)


def _make(graph: Graph, precision: Precision, threads: int) -> Runner:
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],  # left alone it takes bf16 where it can
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": threads,
        "ENABLE_CPU_PINNING": False,  # two processes would share a core and leave another idle
        "CPU_DENORMALS_OPTIMIZATION": True,
    }
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(graph.onnx), "CPU", settings)
    free: SimpleQueue[Any] = SimpleQueue()
    for _ in range(threads):
        free.put(compiled.create_infer_request())

    def run(image: UInt8) -> Sequence[Float32]:
        request = free.get()
        try:
            request.infer([image])
            return [np.array(tensor.data) for tensor in request.output_tensors]
        finally:
            free.put(request)

    # Two threads that are the first to read a tensor wait for each other for ever (seen in 2026.4:
    # one holds Python's lock, the other that of a static of the bindings). One goes ahead alone.
    run(np.zeros(tuple(compiled.input(0).shape), dtype=np.uint8))
    return run


OPENVINO = Backend(name="openvino", library="openvino", precisions=_precisions, make=_make)
