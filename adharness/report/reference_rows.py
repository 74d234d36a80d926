"""Published numbers of others, as shipped with the project: to be read beside measured ones.

`published/rows.csv` is written by `scripts/published_rows.py`; `published/README.md` explains its
columns. Nothing here is measured, and nothing of it is ever ranked.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from importlib import resources
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from adharness.errors import MetricError, StoreError
from adharness.metrics.table import find_metric

Tier: TypeAlias = Literal["primary", "primary-text", "transcription", "secondary"]
Choice: TypeAlias = Literal["primary", "all", "none"]
"""Which rows a suite wants: `report: {reference: ...}`."""

TIERS: Mapping[str, str] = MappingProxyType(
    {
        "primary": "read from the authors' own file",
        "primary-text": "the authors' paper, through a copy of its text",
        "transcription": "a paper's table, typed by others",
        "secondary": "quoted by somebody else",
    }
)
PROTOCOLS = ("per-class", "model-unified", "absolute-unified")
CLASSES: Mapping[str, int] = MappingProxyType(
    {
        "mvtec-ad": 15,
        "mvtec-loco": 5,
        "mvtec-3d-ad": 10,
        "visa": 12,
        "btad": 3,
        "mpdd": 6,
        "real-iad": 30,
    }
)
"""Over how many classes a published mean of a data set is; those that a reader of ours has."""
EXACT = "exact"
DIALECTS = ("exact", "ader", "rd4ad", "ader or binned_50", "exact or binned_50",
            "anomaly_pro", "full_pro", "not stated")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """One published number.

    Parameters
    ----------
    class_name
        A class, or `macro` or `pooled`.
    metric
        Our id of the quantity, without a dialect.
    dialect
        Whose reading it is: one of `DIALECTS`.
    printed
        What the source calls the metric.
    value
        Share of one.
    contested
        Whether another source gives another number, by more than two points.
    """

    dataset: str
    protocol: str
    method: str
    variant: str
    class_name: str
    metric: str
    dialect: str
    printed: str
    value: float
    tier: Tier
    contested: bool
    source: str
    note: str

    @property
    def told(self) -> str:
        """The number with all that is known of it, for a tooltip."""
        reading = {"exact": "", "not stated": ", dialect not stated"}
        whose = reading.get(self.dialect, f", as {self.dialect}")
        doubts = ["another source differs by more than 2 points"] if self.contested else []
        notes = "; ".join([*doubts, *([self.note] if self.note else [])])
        said = f"{self.printed} {100 * self.value:g} %{whose}, published: {self.source}"
        return f"{said} ({notes})" if notes else said


HEADER = tuple(
    "class" if field.name == "class_name" else field.name for field in fields(ReferenceRow)
)


def reference_rows() -> tuple[ReferenceRow, ...]:
    """Read the shipped file. Raises StoreError as `parse_rows`."""
    found = resources.files("adharness.report") / "published" / "rows.csv"
    return parse_rows(found.read_text("utf-8"))


def parse_rows(text: str) -> tuple[ReferenceRow, ...]:
    """Read rows from the text of a CSV file.

    Raises
    ------
    StoreError
        If the header is another one, a line has too few or too many columns, a value is no share
        of one, or a protocol, tier, dialect or metric is unknown; `where` names the line.
    """
    reader = csv.reader(io.StringIO(text), strict=True)
    if (header := tuple(next(reader, ()))) != HEADER:
        raise StoreError(f"the columns are {', '.join(header)}, not {', '.join(HEADER)}",
                         where="published/rows.csv:1")  # fmt: skip
    return tuple(_row(values, f"published/rows.csv:{reader.line_num}") for values in reader)


def wanted_rows(
    rows: Iterable[ReferenceRow], choice: Choice, dataset: str, protocol: str | None = None
) -> list[ReferenceRow]:
    """Keep rows of a data set, by its reader's name, under a protocol; primary ones or all."""
    tiers = {"primary": ("primary",), "all": tuple(TIERS), "none": ()}[choice]
    return [
        row
        for row in rows
        if row.dataset == dataset
        and row.tier in tiers
        and (protocol is None or row.protocol == protocol)
    ]


def _row(values: list[str], where: str) -> ReferenceRow:
    if len(values) != len(HEADER):
        raise StoreError(f"{len(values)} columns, not {len(HEADER)}", where=where)
    line = dict(zip(HEADER, values, strict=True))
    allowed = {"protocol": PROTOCOLS, "tier": get_args(Tier), "dialect": DIALECTS,
               "contested": ("", "yes")}  # fmt: skip
    for column, known in allowed.items():
        if line[column] not in known:
            told = ", ".join(filter(None, known))
            raise StoreError(f"{column} '{line[column]}' is none of {told}", where=where)
    try:
        find_metric(line["metric"])
        value = float(line["value"])
    except (MetricError, ValueError) as error:
        raise StoreError(str(error).splitlines()[0], where=where) from error
    if not 0.0 <= value <= 1.0:
        raise StoreError(f"value {line['value']} is not a share of one", where=where)
    return ReferenceRow(
        **{("class_name" if k == "class" else k): v for k, v in line.items()}
        | {"value": value, "contested": line["contested"] == "yes"}  # type: ignore[arg-type]
    )
