"""A suite whose every name is a component and whose every parameter is validated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from adharness.contracts.specs import Params
from adharness.corruptions import Shift
from adharness.suite.feature_settings import StoredType
from adharness.suite.limits import LimitSettings
from adharness.suite.report_settings import ReportSettings, ViewSettings
from adharness.suite.schema import (
    DatasetReference,
    DeploymentSettings,
    MapSettings,
    StatisticsSettings,
)
from adharness.suite.split import SplitSettings

if TYPE_CHECKING:
    from adharness.registry import Component


@dataclass(frozen=True)
class Bound:
    """A component with its parameters.

    `label` is set where one list of the suite uses a component more than once, such as
    `quantile[q=0.99]`; `name` is then that label. `stored_as` is of extractors: what their features
    are rounded to before they are kept.
    """

    component: Component
    params: Params
    label: str | None = None
    stored_as: StoredType = "float32"

    @property
    def name(self) -> str:
        """How the board calls it."""
        return self.label or self.component.name

    def make(self) -> Any:
        """Build the role object. This is where a plugin's heavy imports happen."""
        return self.component.spec.make(self.params)

    def identity(self) -> dict[str, Any]:
        """JSON values of what can change its numbers: name and parameters, without settings."""
        rounded = {} if self.stored_as == "float32" else {"stored_as": self.stored_as}
        return {"use": self.component.qualified, "params": self.params.identity(), **rounded}


@dataclass(frozen=True)
class BoundDataset:
    """A data set, as the board calls it. `classes` is None where all that it has are run.

    `shift` is what is done to its test images, and `origin` then the name of the clean set: the
    two are a pair because they were declared as one, whatever they are called.
    """

    name: str
    bound: Bound
    classes: tuple[str, ...] | None
    shift: Shift | None = None
    origin: str | None = None

    @classmethod
    def with_shifts(cls, reference: DatasetReference, bound: Bound) -> list[BoundDataset]:
        """Give the clean data set of a reference, and each of its shifts."""
        origin, classes = reference.board_name, reference.classes
        return [
            cls(name, bound, classes, shift, origin if shift else None)
            for name, shift in reference.board_names.items()
        ]

    @property
    def clean(self) -> BoundDataset:
        """The set without its shift; itself where there is none."""
        return BoundDataset(self.origin or self.name, self.bound, self.classes)


@dataclass(frozen=True)
class BoundMethod:
    """A method; each combination of a sweep is one, such as `patchcore[bank.ratio=0.01]`."""

    name: str
    extractor_name: str
    extractor: Bound
    bank: Bound
    scorer: Bound
    maps: MapSettings


@dataclass(frozen=True)
class BoundSuite:
    """Everything a run needs. `path` and `text` are the file it came from."""

    name: str
    path: Path
    text: str
    data: tuple[BoundDataset, ...]
    methods: tuple[BoundMethod, ...]
    normalizers: tuple[Bound, ...]
    thresholders: tuple[Bound, ...]
    protocols: tuple[str, ...]
    split: SplitSettings
    maps: MapSettings
    metrics: tuple[str, ...]
    statistics: StatisticsSettings
    seeds: tuple[int, ...]
    on_error: Literal["fail", "skip"]
    views: ViewSettings
    report: ReportSettings
    pixel_threshold: Bound | None = None
    """What decides pixels; None for the rule of MVTec AD 2."""
    deployment: DeploymentSettings | None = None
    """What costs are counted by; None where no metric counts them."""
    limits: LimitSettings | None = None
    """What the process of a cell may use; None where cells need no process of their own."""

    def with_splits(self, folder: Path) -> BoundSuite:
        """Read splits from `folder`, such as a run's own, where the suite reads them from files."""
        if self.split.policy != "file":
            return self
        return replace(self, split=self.split.model_copy(update={"path": folder}))


@dataclass(frozen=True)
class Overrides:
    """What the command line says over the suite.

    Parameters
    ----------
    data_root
        From `--data-root`: beats the environment and the suite.
    environment_root
        From `ADHARNESS_DATA`: beats the suite's `root:`.
    device
        From `--device`: beats the suite's `device:`.
    """

    data_root: Path | None = None
    environment_root: Path | None = None
    device: str | None = None

    def dataset_root(self, use: str) -> Path | None:
        """Folder of a data set: `elpv` or `mvtec_ad` under the root, else the root itself."""
        root = self.data_root or self.environment_root
        if root is None:
            return None
        folders = (root / use.replace("-", "_"), root / use)
        return next((folder for folder in folders if folder.is_dir()), root)
