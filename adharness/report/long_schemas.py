"""The columns of long files: a promise to those who read them.

docs/export.md lists them, and a change of their names, order or meaning is another version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["text", "real", "whole", "flag"]


@dataclass(frozen=True, slots=True)
class Field:
    """A column: `text`, `real` (float64), `whole` (int64) or `flag` (bool); any may be empty."""

    name: str
    kind: Kind
    note: str


@dataclass(frozen=True, slots=True)
class LongSchema:
    """Name, version and columns of a kind of long file."""

    name: str
    version: int
    fields: tuple[Field, ...]


CELL = (
    Field("run", "text", "when the run began and a digest of its suite and cells; one a run"),
    Field("suite", "text", "name of the suite"),
    Field("started", "text", "when the run began, ISO 8601"),
    Field("dataset", "text", "data set as the board calls it"),
    Field("fingerprint", "text", "SHA-256 of the data set's images, classes, labels and masks"),
    Field("shift_of", "text", "clean data set that this one is a corruption of; empty: it is none"),
    Field("corruption", "text", "what was done to the test images"),
    Field("severity", "whole", "how much of it, 1 to 5"),
    Field("protocol", "text", "per-class, model-unified, absolute-unified or routed"),
    Field("method", "text", "name of the method in the suite"),
    Field("extractor", "text", "name of the extractor in the suite"),
    Field("bank", "text", "component that reduced the features"),
    Field("scorer", "text", "component that scored"),
    Field("normalizer", "text", "component that normalized scores"),
    Field("thresholder", "text", "component that chose the threshold"),
    Field("seed", "whole", "seed of the cell"),
    Field("cell", "text", "id of the cell: hash of all that can change its numbers"),
    Field("class_oracle", "flag", "told the class that its protocol hides: an upper bound"),
)
TABLE = LongSchema(
    "table",
    1,
    (
        *CELL,
        Field("class", "text", "class name, or macro (mean over classes), or pooled (all images)"),
        Field("status", "text", "ok or failed, of this row"),
        Field("normals", "whole", "normal test images judged in this row; empty: not counted"),
        Field("anomalies", "whole", "anomalous test images judged in this row; empty: not counted"),
        Field("metric", "text", "id of the metric without its dialect"),
        Field("dialect", "text", "exact, or whose reading of the metric this is"),
        Field("value", "real", "the number, a share as 0..1; empty: undefined, see reason"),
        Field("low", "real", "lower end of the bootstrap interval over images"),
        Field("high", "real", "upper end of the bootstrap interval over images"),
        Field("reason", "text", "why value is empty"),
        Field("versions", "text", "adharness and the plugins that computed it: name==version;..."),
    ),
)
"""One line a cell, row (class, macro, pooled) and metric."""
SCORES = LongSchema(
    "scores",
    1,
    (
        *CELL,
        Field("class", "text", "class of the image"),
        Field("sample", "text", "the image: its name within the data set"),
        Field("label", "whole", "0 normal, 1 anomalous"),
        Field("raw_score", "real", "as the scorer gave it, higher = more anomalous"),
        Field("score", "real", "normalized: what is ranked and decided by"),
        Field("threshold", "real", "the deployed one of this image; empty: none"),
        Field("decision", "whole", "1 flagged as anomalous, 0 not; empty: no threshold"),
    ),
)
"""One line a cell and test image."""
COSTS = LongSchema(
    "costs",
    1,
    (
        *CELL,
        Field("models", "whole", "models that the cell needed"),
        Field("fit_s", "real", "wall time to fit them: bank and scorer, summed over models"),
        Field("bank_s", "real", "of that, to reduce the features to the bank"),
        Field("scorer_fit_s", "real", "of that, to fit the scorer on it"),
        Field("fit_cpu_s", "real", "CPU time of all threads for both"),
        Field("score_s", "real", "wall time to read and score all held-out and test images"),
        Field("score_cpu_s", "real", "CPU time of all threads for that"),
        Field("score_ms", "real", "to score an image from its features: median without the first"),
        Field("first_score_ms", "real", "to score the first image"),
        Field("extract_ms", "real", "mean an image: decode, resize, network, writing, overlapping"),
        Field("decode_ms", "real", "to decode and resize an image: median over batches"),
        Field("network_ms", "real", "of the extractor an image of a full batch: median"),
        Field("map_ms", "real", "to draw the map of an image at native size: median"),
        Field("peak_memory_mb", "real", "most memory at once to fit a model and to score with it"),
        Field("score_memory_mb", "real", "memory to score: model included; the most of any model"),
        Field("bank_rows", "whole", "rows of the banks, summed"),
        Field("bank_mb", "real", "size of the banks, summed"),
        Field("judge_s", "real", "wall time to choose thresholds and measure"),
        Field("cpu", "text", "processor the models were made on; several are joined by ;"),
        Field("threads", "text", "threads that numeric libraries could use there"),
        Field("at_once", "text", "cells at work at the same time there, this one counted"),
    ),
)
"""One line a cell that has costs; what is not recorded is empty. MB are 10^6 bytes."""
