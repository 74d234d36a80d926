"""ONNX Runtime: each image in a thread of its own, one thread an image."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.arrays import Float32, UInt8
from adharness_timm.backends import Backend, Graph, Precision, Runner


def _make(graph: Graph, precision: Precision, threads: int) -> Runner:  # noqa: ARG001
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # images are the parallelism
    options.log_severity_level = 3  # errors only
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    session = onnxruntime.InferenceSession(graph.onnx, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(image: UInt8) -> Sequence[Float32]:
        outputs: Sequence[Float32] = session.run(None, {name: image})
        return outputs

    return run


ONNXRUNTIME = Backend(
    name="onnxruntime", library="onnxruntime", precisions=lambda: ("float32",), make=_make
)
