"""From a bound suite to the cells to run. Pure: no file is read, nothing is built."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from adharness.contracts.specs import NormalizerSpec
from adharness.errors import SuiteError
from adharness.suite.bound import Bound, BoundDataset, BoundMethod, BoundSuite
from adharness.suite.made_elsewhere import made_elsewhere, takes_part
from adharness.suite.protocols import PROTOCOLS, Protocol

__all__ = ["PROTOCOLS", "Cell", "Plan", "Protocol", "expand"]


@dataclass(frozen=True)
class Cell:
    """What one group of the board's rows needs: a method on a data set under a protocol.

    Without classes: a plan is made without reading data, so the engine finds them at run time.
    """

    dataset: BoundDataset
    method: BoundMethod
    protocol: str
    normalizer: Bound
    thresholder: Bound
    seed: int
    pixel_thresholder: Bound | None = None

    @property
    def features(self) -> tuple[str, str]:
        """Names of the data set and the extractor: cells with equal ones share features."""
        return self.dataset.name, self.method.extractor_name

    def fields(self) -> dict[str, str]:
        """Name the parts, as `--only key=value` chooses by them."""
        return {
            "dataset": self.dataset.name,
            "method": self.method.name,
            "extractor": self.method.extractor_name,
            "protocol": self.protocol,
            "normalizer": self.normalizer.name,
            "thresholder": self.thresholder.name,
            "seed": str(self.seed),
        }

    @property
    def scoring(self) -> tuple[str, str, bool, int]:
        """What decides a model: clean data set, method, whether one model a class, and the seed.

        Cells that differ in the normalizer, the thresholder, `labels_at_eval` or the shift of the
        test images share a fit.
        """
        one_a_class = PROTOCOLS[self.protocol].labels_at_train
        return self.dataset.clean.name, self.method.name, one_a_class, self.seed


@dataclass(frozen=True)
class Plan:
    """The cells of a suite, in the order in which the suite names their parts."""

    suite: BoundSuite
    cells: tuple[Cell, ...]

    def by_features(self) -> tuple[tuple[Cell, ...], ...]:
        """Group the cells with one (data set, extractor), by first appearance.

        Features of a group are computed once; a group's cells keep their order.
        """
        groups: dict[tuple[str, str], list[Cell]] = {}
        for cell in self.cells:
            groups.setdefault(cell.features, []).append(cell)
        return tuple(tuple(group) for group in groups.values())

    def by_models(self) -> tuple[tuple[tuple[Cell, ...], ...], ...]:
        """Group the groups of `by_features` that share models: a clean set and its shifts."""
        families: dict[tuple[str, str], list[tuple[Cell, ...]]] = {}
        for group in self.by_features():
            first = group[0]
            key = first.dataset.clean.name, first.method.extractor_name
            families.setdefault(key, []).append(group)
        return tuple(tuple(family) for family in families.values())

    def fits(self) -> tuple[int, int]:
        """How many models are fitted over all classes merged, and how many once for each class."""
        scorings = {cell.scoring for cell in self.cells}
        one_a_class = sum(each for _, _, each, _ in scorings)
        return len(scorings) - one_a_class, one_a_class


def expand(suite: BoundSuite) -> Plan:
    """All cells of a suite: every combination of its parts.

    Parameters
    ----------
    suite
        From `bind`, which expands sweeps into methods and refuses what cannot work.

    Returns
    -------
    Plan
        data x methods x protocols x seeds x normalizers x thresholders, the last varying fastest.
        Scores made elsewhere stand under protocols that train what they were made with; they, and
        features made elsewhere, know no corrupted image. A normalizer that needs the class does not
        stand under `routed`, which has only a guess.
        The order of keys in the file changes nothing.

    Raises
    ------
    SuiteError
        If no normalizer of the suite can stand under `routed`, and the suite asks for it.
    """
    combined = itertools.product(
        suite.data,
        suite.methods,
        suite.protocols,
        suite.seeds,
        suite.normalizers,
        suite.thresholders,
    )
    cells = (
        Cell(dataset, method, protocol, normalizer, thresholder, seed, suite.pixel_threshold)
        for dataset, method, protocol, seed, normalizer, thresholder in combined
        if takes_part(method.scorer, protocol)
        and not (dataset.shift and made_elsewhere(method))
        and _may_normalize(normalizer, protocol)
    )
    for protocol in suite.protocols:
        if not any(_may_normalize(normalizer, protocol) for normalizer in suite.normalizers):
            names = " and ".join(normalizer.name for normalizer in suite.normalizers)
            fact = f"{names} must be told the class, which protocol '{protocol}' hides"
            raise SuiteError(fact, hint="add `- use: raw` to `normalizers:`")
    return Plan(suite, tuple(cells))


def _may_normalize(normalizer: Bound, protocol: str) -> bool:
    spec = normalizer.component.spec
    told = isinstance(spec, NormalizerSpec) and spec.needs_class(normalizer.params) == "always"
    return not (told and PROTOCOLS[protocol].routed)
