"""Which backend runs a network on the CPU: the one that is asked for, or the fastest."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

import torch

from adharness import FeatureGrid, PluginError
from adharness.arrays import UInt8
from adharness.progress import tell
from adharness_timm import TimmParams
from adharness_timm.backends import Backend, Graph, find_backend, installed_backends
from adharness_timm.choice import Extract, Trial, generated, remembered, tried
from adharness_timm.gathering import Engine, gather
from adharness_timm.graphs import GraphEngine, exported
from adharness_timm.network import Network
from adharness_timm.torch_engine import TorchEngine

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Contest:
    """A network on the CPU, and what may run it.

    Parameters
    ----------
    facts
        What names the network.
    """

    network: Network
    params: TimmParams
    facts: Mapping[str, Any]

    def winner(self) -> Backend | None:
        """Give the backend that is asked for, or the fastest that agrees; None for torch.

        Raises
        ------
        SuiteError, PluginError
            As `find_backend`.
        """
        if self.params.backend != "auto":
            return find_backend(self.params.backend, self.params.precision)
        able = self._able()
        versions = {d: version(d) for b in able.values() for d in b.distributions}
        facts = {**self.facts, "versions": versions | {"torch": str(torch.__version__)}}
        return able.get(remembered(self.params, facts, lambda: self.trials(able)))

    def engine(self, backend: Backend) -> GraphEngine:
        """Make a backend ready.

        Raises
        ------
        PluginError
            If torch cannot write the graph, or the library cannot run it.
        """
        threads, graph = torch.get_num_threads(), self._graph
        # In a thread that ends: OpenVINO leaves denormals flushed in the one that it is made in.
        with ThreadPoolExecutor(1) as apart:
            made = apart.submit(backend.make, graph, self.params.precision, threads)
            try:
                return GraphEngine(made.result(), threads, joined=graph.joined)
            except Exception as error:
                raise PluginError(
                    f"backend {backend.name!r} cannot run this network here: "
                    f"{type(error).__name__}: {' '.join(str(error).split())}",
                    hint="backend: torch, or auto, which takes one that can",
                ) from error

    def trials(self, able: Mapping[str, Backend]) -> dict[str, Trial]:
        """Try torch and these backends against float32 torch, on images made up."""
        images, plain = generated(self.params.input_size), TorchEngine(self.network)
        exact = self.params.model_copy(update={"precision": "float32"})
        expected = gather(plain, images, exact, _CPU)
        tell(0, 1 + len(able), "backends tried")
        made = {"torch": tried(self._extract(plain), images, expected)}
        for name, backend in able.items():
            tell(len(made), 1 + len(able), "backends tried")
            made[name] = self._trial(backend, images, expected)
        return made

    def _trial(self, backend: Backend, images: UInt8, expected: FeatureGrid) -> Trial:
        try:
            return tried(self._extract(self.engine(backend)), images, expected)
        except Exception as error:  # noqa: BLE001  whatever a library raises, another one runs
            return Trial(float("inf"), 0.0, f"{type(error).__name__}: {error}")

    def _extract(self, engine: Engine) -> Extract:
        return lambda images: gather(engine, images, self.params, _CPU)

    def _able(self) -> dict[str, Backend]:
        """Give those that are installed and compute in the precision that is asked for."""
        return {n: b for n, b in installed_backends().items() if self._may_run(b)}

    def _may_run(self, backend: Backend) -> bool:
        try:
            return self.params.precision in backend.precisions()
        except Exception:  # noqa: BLE001  a broken library: its trial fails as well, and says why
            return True

    @cached_property
    def _graph(self) -> Graph:
        return exported(self.network, self.params)
