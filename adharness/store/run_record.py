"""`run.json`: one run, its data sets, and what was left out of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from adharness.store.records import Record


class ShiftRecord(Record):
    """What was done to the test images of a data set; `of` is the clean one of the same run."""

    of: str
    corruption: str
    severity: int
    seed: int
    version: int
    """Of the corruption's code."""


class DatasetRecord(Record):
    """A data set as the run saw it. `counts` are images by class, portion and label."""

    name: str
    use: str
    classes: list[str]
    counts: dict[str, dict[str, int]]
    """Class -> {train, calibration_normal, calibration_anomalous, test_normal, test_anomalous}."""
    fingerprint: str
    licence: str
    show_pixels: bool
    citation: str
    url: str
    has_masks: bool
    left_out: int = 0
    """Images of the chosen classes that the split file does not list; 0 under other policies."""
    shift: ShiftRecord | None = None


class SkippedImage(Record):
    """An image left out under `on_error: skip`, shown on the board."""

    dataset: str
    path: str
    message: str


class GalleryImage(Record):
    """A test image whose pixels may be shown. File names are relative to the run's folder."""

    dataset: str
    class_name: str
    path: str
    label: int
    defect: str
    image: str
    mask: str | None
    width: int
    height: int
    """Of the image itself, in pixels; its file is a thumbnail."""
    worst: bool = False
    """Whether it is here because a method got it badly wrong, not as an example of its class."""


class OriginRecord(Record):
    """Where a row of a merged board comes from, and what was found when it was merged.

    Never taken from a bundle: it is made by `adharness merge`, which verifies each.
    """

    source: str
    """Who submitted it; of an own run the name of its suite."""
    status: Literal["run here", "verified", "re-run", "self-reported"]
    not_recomputed: list[str] = Field(default_factory=list)
    """Metrics whose numbers are as the submitter says."""
    sha256: str | None = None
    """Of the bundle; None of an own run."""
    also: list[str] = Field(default_factory=list)
    """Other sources that gave equal numbers."""
    note: str | None = None
    """Why its method or data set has another name here than at its source."""


class GivenRecord(Record):
    """What the command line said over the suite; `limit` has a place of its own.

    The data root is a path of somebody's machine: kept is only whether one was given.
    """

    data_root: bool = False
    device: str | None = None
    only: list[str] = Field(default_factory=list)
    fresh: bool = False
    keep_stale: bool = False
    jobs: int | None = None
    """Processes, which share out the cores; None where the run's own process did it all."""
    threads: int | None = None
    """Of the libraries of each process; None for the cores shared out."""
    cluster: bool = False
    """Whether a Dask cluster worked on it: each cell says on what processor it was measured."""
    plugins: tuple[str, ...] | None = None
    """What ADHARNESS_PLUGINS named, which alone was loaded; None where it was not set."""


class RunRecord(Record):
    """One run: what was asked, on what machine, with which versions, and how long it took."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    suite: str
    suite_text: str
    suite_file: str
    command: str
    started: str
    finished: str | None
    seconds: float
    stages_s: dict[str, float]
    """Wall time by stage: extract, fit, score, judge."""
    protocols: list[str]
    metrics: list[str]
    methods: dict[str, dict[str, Any]]
    """Method name -> its extractor, bank and scorer with all parameters filled in."""
    maps: dict[str, Any]
    split: dict[str, Any]
    statistics: dict[str, Any]
    deployment: dict[str, Any] | None = None
    """Costs and defect rate that `image_cost` counts by; None where it was not measured."""
    seeds: list[int]
    datasets: list[DatasetRecord]
    cells: list[str]
    """Ids of this suite's cells, in plan order; the folder may hold others from earlier suites."""
    reference: Literal["primary", "all", "none"] = "primary"
    """Which published numbers the page shows beside the measured ones."""
    limit: int | None = None
    """At most this many images of each class, portion and label, where a quick look was asked."""
    given: GivenRecord = GivenRecord()
    skipped: list[SkippedImage]
    gallery: list[GalleryImage]
    views: list[str] = Field(default_factory=list)
    """Ids of the pictures of the feature space."""
    provenance: dict[str, Any]
    """git commit and dirtiness, distributions' versions, CPU, threads, GPU, BLAS, flags, python."""
    weights: dict[str, str] = Field(default_factory=dict)
    """Extractor -> fingerprint of what it computes with; none in runs of before they were kept."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Version of every distribution that was installed; for `reproduce`, and in no bundle."""
    origins: dict[str, OriginRecord] = Field(default_factory=dict)
    """Of a merged board: cell id -> where it comes from; empty of a run."""
