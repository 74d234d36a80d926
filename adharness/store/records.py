"""What a run writes, as pydantic models: the JSON on disk is exactly these.

A run's folder:

```
reports/<suite>/
  run.json                     RunRecord
  cells/<id>/result.json       CellRecord
  cells/<id>/scores.npz        image scores, labels and thresholds of a cell's images; where a
                               metric gives each image a number, those too: `<metric>` within the
                               image's class and `<metric>_pooled` over all, NaN where it has none
  cells/<id>/maps.npz          patch scores of the test images, and how their maps are drawn
  cells/<id>/replicates.npz    of each pixel and region metric (`metrics`), class and pooled row
                               (`scopes`) its bootstrap replicates: `values`; two cells with equal
                               `draws` were resampled alike, so that differences are paired
  cells/<id>/curves.npz        of each class and pooled row (`scopes`) the pixels found at about 150
                               scores, `values`: normal, anomalous, mean overlap of regions, and
                               the mean precision since the score before
  scorings/<id>/scores.npz     what one fitted model gave, shared by cells: `patches` and the
                               scorer's `own` image scores, where it has them; `neighbours`: of
                               each image how many patches are nearest to a row of each class;
                               `found`: (height, width) of maps that were made elsewhere
  features/<id>/result.json    FeaturesRecord: of a data set under one extractor what is needed to
                               judge its scores again without the features
  features/<id>/images.npz     where images were routed to, and what normalizers may know of them
  views/<id>.json              ViewRecord: image embeddings in a plane
  splits/<dataset>.json        which image is in which portion, its label and kind of defect
  gallery/<dataset>/           thumbnails of typical test images and of those that methods got
                               worst, where the licence allows showing pixels
  leaderboard.{html,json,csv}
```
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

ToldClass: TypeAlias = Literal["bank", "normalizer", "normalizer at fit"]


class Record(BaseModel):
    """Frozen and strict about keys: a file with an unknown key was written by something else."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True
    )


class Spread(Record):
    """How a number that each image has of its own is spread over the images that have one."""

    min: float
    q1: float
    median: float
    q3: float
    max: float


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Value:
    """One metric of one row. `value` is None where it is undefined, and `reason` says why.

    `low` and `high` bound the bootstrap interval; None where the metric has none. `spread` is there
    where each image has a number of its own, whose mean the value is; that of the macro row is over
    the images of all classes, each judged within its class. The numbers of the images themselves
    are in `scores.npz` of the cell.

    No `Record`, but as strict: a run has one for each metric of each row of each cell, and a model
    of pydantic takes ten times the memory of its numbers.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    spread: Spread | None = None


class Failure(Record):
    """Why a cell, or a part of it, has no numbers."""

    stage: str
    type: str
    message: str
    hint: str | None = None
    where: str | None = None
    traceback: str = ""


class ThresholdRecord(Record):
    """The deployed threshold of one class, or of all classes where `class_name` is None."""

    class_name: str | None
    value: float
    normals: int
    anomalies: int
    note: str | None = None
    batch: int = 0
    """Test images that a batch rule decided over; 0 where no test image has a say."""
    promised_fpr: float | None = None
    """Share of new normal images that are flagged at most, if they are as those that fitted it."""


class Circumstances(Record):
    """Under what times were measured: other ones give other times."""

    cpu: str
    """Model of the processor, as the system calls it."""
    threads: int
    """That numeric libraries could use."""
    at_once: int = 1
    """Cells at work at the same time on the machine at most, this one counted."""


class Costs(Record):
    """What the row's models cost, made when the results were; None: not recorded.

    Seconds are wall time unless they say `cpu`, and summed over the models that a cell needed.
    Times an image are medians over images or batches, without the first one, which is slower;
    over models their median again. Memory is the most of any model, since one is fitted after the
    other: of the process alone, beyond what it held before, in MB (10^6 bytes); `engine/meter.py`
    says with what error. Older results have but the first five.
    """

    fit_s: float
    """Of bank and scorer."""
    score_ms: float
    """To score one image from its features."""
    extract_ms: float | None
    """Mean over all images: decode, resize, network and writing, which overlap."""
    bank_rows: int | None
    bank_mb: float | None
    bank_s: float | None = None
    """To reduce the features; `scorer_fit_s` is the rest of `fit_s`."""
    scorer_fit_s: float | None = None
    fit_cpu_s: float | None = None
    """Of all threads; more than the wall time where several worked."""
    score_s: float | None = None
    """To read and score all held-out and test images."""
    score_cpu_s: float | None = None
    first_score_ms: float | None = None
    """To score the first image."""
    decode_ms: float | None = None
    """To decode and resize an image, while the network worked on others."""
    network_ms: float | None = None
    """Of the extractor, an image of a full batch."""
    peak_memory_mb: float | None = None
    """To fit and to score."""
    score_memory_mb: float | None = None
    """To score: what the model holds, and what scoring an image needs besides."""
    map_ms: float | None = None
    """To draw the anomaly map of an image at its native size; where a metric reads maps."""
    judge_s: float | None = None
    """To choose thresholds and measure; what cells share is divided evenly among them."""
    measured: list[Circumstances] = []
    """Each of those under which the models were made."""


class Row(Record):
    """The numbers of one class, or of `macro` (mean over classes) or `pooled` (all images)."""

    class_name: str
    status: Literal["ok", "failed"]
    normals: int = 0
    anomalies: int = 0
    metrics: dict[str, Value] = {}
    failure: Failure | None = None


class ScoringRecord(Record):
    """The raw scores of one fitted model: a method, trained on one class or on all, with a seed.

    Cells that differ only in protocol, normalizer or thresholder share it.
    """

    schema_: Literal[2] = Field(default=2, alias="schema")
    id: str
    dataset: str
    method: str
    trained_on: str | None
    """The class; None where one model was trained on all."""
    seed: int
    costs: Costs | None
    facts: dict[str, float] = {}
    """What the fitted scorer says of itself, such as the recall of an approximate search."""
    versions: dict[str, str]
    identity: dict[str, Any]
    files: dict[str, str] = {}
    """SHA-256 of the arrays beside this record."""


class CellRecord(Record):
    """One cell: a method under a protocol, with a normalizer, a thresholder and a seed."""

    schema_: Literal[2] = Field(default=2, alias="schema")
    id: str
    dataset: str
    protocol: str
    method: str
    extractor: str
    bank: str
    scorer: str
    normalizer: str
    thresholder: str
    seed: int
    image_score: str
    """How an image's score came about, such as `max of patches` or `scorer's own`."""
    facts: dict[str, float] = {}
    """What the fitted scorers say of themselves, the lowest over the models of the cell; and of a
    merged bag `cross-class neighbours`: the share of patches of held-out and test normals whose
    nearest row is of another class."""
    class_oracle: bool
    """True where the protocol hides the class but bank or normalizer was told it: an upper bound.
    """
    told_class: list[ToldClass] = []
    """Which parts those are; `normalizer at fit` was told the class of calibration images alone."""
    imported: list[Literal["features", "scores"]] = []
    """What was made elsewhere and looked up by the images' names, whatever it was made from."""
    made_with: list[str] = []
    """Distributions, besides its own, by which the extractor computed here: such as onnxruntime."""
    status: Literal["ok", "partial", "failed"]
    rows: list[Row]
    thresholds: list[ThresholdRecord]
    pixel_thresholds: list[ThresholdRecord] = []
    """Of the maps, on the normalizer's scale; empty where no metric is decided there."""
    costs: Costs | None
    scorings: list[str]
    versions: dict[str, str]
    identity: dict[str, Any]
    judged: dict[str, Any]
    """Metrics and statistics asked for; a suite that asks for others judges again, no more."""
    files: dict[str, str] = {}
    """SHA-256 of the arrays beside this record."""
