"""The grammar of a suite file. A key that is not here is an error; see suites/quickstart.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from adharness.corruptions import Shift
from adharness.suite.feature_settings import FeatureSettings
from adharness.suite.limits import LimitSettings
from adharness.suite.report_settings import ReportSettings, ViewSettings
from adharness.suite.shift import ShiftSettings
from adharness.suite.split import Seed, SplitSettings

SuiteName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=80)]
"""A folder under `reports/` is called so: small letters, digits, `-` and `_`."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=80)]
"""How the board calls a method, a data set or an extractor."""


def _is_read_here(number: int) -> int:
    if number != 1:
        raise ValueError(f"this version reads schema 1, got {number}")
    return number


SchemaNumber = Annotated[int, AfterValidator(_is_read_here)]
"""Not Literal[1], which would take `true` and 1.0 for it."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Reference(BaseModel):
    """A component by name, with its parameters beside it: `{use: knn-faiss, k: 3}`.

    The parameters are checked later, by the component's own model.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    use: Annotated[str, Field(min_length=1)]

    @property
    def params(self) -> dict[str, Any]:
        """The parameters as JSON values, a fresh dict."""
        return dict(self.model_extra or {})


class DatasetReference(Reference):
    """A data set; `root` and other keys are parameters of its reader.

    `name` is how the board calls it, the `use` name by default; `classes` is the subset to run,
    all that the set has by default. A reader with a parameter `classes` is told it too. `shift`
    has its test images judged corrupted as well, each corruption as a data set beside it.
    """

    name: Name | None = None
    classes: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    shift: ShiftSettings | None = None

    @property
    def board_name(self) -> str:
        """How the board calls it."""
        return self.name or self.use.rpartition("/")[2]

    @property
    def board_names(self) -> dict[str, Shift | None]:
        """How the board calls it, and each of its corrupted versions: `textures+noise-3`."""
        shifts = self.shift.shifts() if self.shift else ()
        return {self.board_name: None} | {f"{self.board_name}+{s.label}": s for s in shifts}


NONE = "none"
"""The extractor, and the bank, of a method that names neither."""


class Method(_Section):
    """A row of the board: what is remembered of which features, and how an image is scored.

    `extractor` and `bank` are left out, both, where the scores were made elsewhere; `bank` alone
    where the scorer fits on the images themselves.
    `maps` holds what differs from the suite's `maps:` for this method alone. `sweep` maps
    `bank.<parameter>`, `scorer.<parameter>` or `maps.<key>` to the values tried: one method each.
    """

    name: Name
    extractor: str = NONE
    bank: Reference = Reference(use=NONE)
    scorer: Reference
    maps: dict[str, Any] = {}
    sweep: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = {}


class DialectReference(_Section):
    """A metric as other code reads it: `{metric: region_aupro_30, dialect: ader}`."""

    metric: str
    dialect: str

    @property
    def id(self) -> str:
        """The id on the board, `region_aupro_30@ader`."""
        return f"{self.metric}@{self.dialect}"


class ImageScore(_Section):
    """How an image's score comes from its patches; a name alone stands for `{use: name}`.

    `scorer`: the scorer's own rule, such as PatchCore's weight, and the highest patch where it has
    none. `max`: the highest patch. `top`: the mean of the highest `ratio` of all, at least one.
    `pooled`: the highest mean over a window of `side_px` pixels. Pixels are those of the map at the
    size of the extractor's input, smoothed. A scorer that gives no patches keeps its own.
    """

    use: Literal["scorer", "max", "top", "pooled"] = "scorer"
    of: Literal["patches", "pixels"] = "patches"
    ratio: Annotated[float, Field(gt=0.0, le=1.0)] = 0.01
    side_px: Annotated[int, Field(gt=0, le=4096)] = 16

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"use": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _all_is_read(self) -> ImageScore:
        unread = self.model_fields_set - {"use", *_READ[self.use]}
        for name in sorted(unread):
            raise ValueError(f"{name} means nothing to image_score {self.use}")
        return self

    @property
    def label(self) -> str:
        """How the board calls the rule."""
        if self.use == "top":
            return f"mean of top {100 * self.ratio:g} % of {self.of}"
        if self.use == "pooled":
            return f"max of {self.side_px} x {self.side_px} px means"
        return f"max of {self.of}" if self.use == "max" else "scorer's own"


_READ: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"scorer": (), "max": ("of",), "top": ("of", "ratio"), "pooled": ("side_px",)}
)
"""What each rule reads besides its name."""


class MapSettings(_Section):
    """From patch scores to maps and image scores.

    `smooth_px` is the Gaussian's standard deviation in pixels of the extractor's input, 0 for none;
    `upsample` is how patch scores are brought to that size.
    """

    smooth_px: Annotated[float, Field(ge=0.0, le=100.0)] = 4.0
    upsample: Literal["bilinear", "nearest", "bicubic"] = "bilinear"
    resolution: Literal["native"] = "native"
    image_score: ImageScore = ImageScore()


class StatisticsSettings(_Section):
    """How sure a number is: bootstrap resamples (0 for none), the intervals' level and kind.

    Mean over classes: `fixed` speaks of these classes, `hierarchical` draws classes too, and speaks
    of others like them.
    """

    bootstrap: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    level: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95
    interval: Literal["bca", "percentile"] = "bca"
    macro: Literal["fixed", "hierarchical"] = "fixed"


class DeploymentSettings(_Section):
    """What a mistake costs on the line, in any one unit, and how many parts are defective.

    The cost of a missed defect and of a false alarm, and the share of defective parts among those
    that will be inspected: test sets hold far more than a production line.
    """

    miss_cost: Annotated[float, Field(gt=0.0, le=1e9, allow_inf_nan=False)] = 10.0
    false_alarm_cost: Annotated[float, Field(gt=0.0, le=1e9, allow_inf_nan=False)] = 1.0
    defect_rate: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.01


DEPLOYMENT_METRICS = (
    *("image_recall", "image_fpr", "image_cost", "image_f1"),
    *("image_f1_oracle", "image_cost_oracle"),
)
"""What the board's deployment columns are made of; a suite with `deployment:` measures them."""


class Document(_Section):
    """A whole suite file. Only name, data and methods have no default."""

    schema_: SchemaNumber = Field(default=1, alias="schema")
    name: SuiteName
    data: Annotated[tuple[DatasetReference, ...], Field(min_length=1)]
    protocols: Annotated[tuple[str, ...], Field(min_length=1)] = ("per-class",)
    split: SplitSettings = SplitSettings()
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0,)
    extractors: Annotated[dict[Name, Reference], Field(min_length=1)] = {}
    features: FeatureSettings = FeatureSettings()
    methods: Annotated[tuple[Method, ...], Field(min_length=1)]
    normalizers: Annotated[tuple[Reference, ...], Field(min_length=1)] = (Reference(use="raw"),)
    thresholders: Annotated[tuple[Reference, ...], Field(min_length=1)] = (Reference(use="f1"),)
    pixel_threshold: Reference | None = None
    maps: MapSettings = MapSettings()
    metrics: Annotated[tuple[str | dict[str, Any], ...], Field(min_length=1)] = (
        "image_auroc",
        "image_ap",
        "image_f1",
        "image_f1_oracle",
    )
    statistics: StatisticsSettings = StatisticsSettings()
    views: ViewSettings = ViewSettings()
    report: ReportSettings = ReportSettings()
    deployment: DeploymentSettings | None = None
    on_error: Literal["fail", "skip"] = "fail"
    limits: LimitSettings | None = None

    @property
    def metric_ids(self) -> tuple[str, ...]:
        """The ids of a checked document's metrics, `<metric>@<dialect>` for those of a dialect.

        With `deployment:`, what its columns need comes last where it is not listed.
        """
        listed = [
            entry if isinstance(entry, str) else DialectReference(**entry).id
            for entry in self.metrics
        ]
        return (*listed, *(m for m in self._deployed if m not in listed))

    @property
    def counted_costs(self) -> DeploymentSettings | None:
        """What `image_cost` counts by; None where no metric of the document counts costs."""
        asked = {"image_cost", "image_cost_oracle"} & set(self.metric_ids)
        return (self.deployment or DeploymentSettings()) if asked else None

    @property
    def _deployed(self) -> tuple[str, ...]:
        return () if self.deployment is None else DEPLOYMENT_METRICS
