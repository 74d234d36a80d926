"""ELPV: electroluminescence images of solar cells, read where pip installed them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from pydantic import Field

from adharness import (
    ContentHash,
    Counts,
    DataError,
    DatasetSpec,
    Expected,
    Licence,
    Params,
    Sample,
)
from adharness.arrays import Bool, UInt8
from adharness.data import Draw, choose_classes, hash_file, read_image

URL = "https://github.com/zae-bayern/elpv-dataset"
_REINSTALL = "pip install --force-reinstall elpv-dataset"
Judgement: TypeAlias = Literal["normal", "anomalous"]


class ElpvParams(Params):
    """Parameters of `elpv`."""

    uncertain: Literal["drop", "normal", "anomalous"] = Field(
        "drop", description="what images are that experts gave a probability of 1/3 or 2/3"
    )
    train: float = Field(0.7, gt=0, lt=1, description="share of a class's normals for training")
    seed: int = Field(0, description="draws the training images")
    classes: tuple[str, ...] | None = Field(None, description="mono, poly; both by default")


class Cell(NamedTuple):
    """One line of `labels.csv`; `probability` that the cell is defective, as experts judged it."""

    path: str
    probability: float
    type: str


class ElpvDataset:
    """Solar cells of two types, labelled as images; there are no masks.

    The set has no official split: `train` of each class's normals, drawn by `seed`, train; the
    other normals and all anomalies test.

    Parameters
    ----------
    params
        See `ElpvParams`.
    folder
        The package's `data` folder; by default found without importing the package.
    """

    def __init__(self, params: ElpvParams, folder: Path | None = None) -> None:
        self._params = params
        self._given = folder

    @property
    def licence(self) -> Licence:
        """Non-commercial: no page shows the images."""
        return Licence("CC BY-NC-SA 4.0", show_pixels=False)

    def samples(self) -> tuple[Sample, ...]:
        """All images, by class and file name. Raises DataError where the package is missing."""
        return self._samples

    def fingerprint(self, sample: Sample) -> ContentHash:
        """Hash the bytes of the image's file."""
        return ContentHash(image=hash_file(self._folder / sample.path), mask=None)

    def image(self, sample: Sample) -> UInt8:
        """(300, 300, 3) uint8, grey repeated."""
        return read_image(self._folder / sample.path)

    def mask(self, sample: Sample) -> Bool | None:  # noqa: ARG002 - the contract's signature
        """None: the set has labels only."""
        return None

    @cached_property
    def _folder(self) -> Path:
        return self._given or _installed()

    @cached_property
    def _samples(self) -> tuple[Sample, ...]:
        cells = read_cells(self._folder / "labels.csv")
        names = choose_classes("elpv", [cell.type for cell in cells], wanted=self._params.classes)
        return tuple(
            sample
            for name in names
            for sample in _class_samples([c for c in cells if c.type == name], self._params)
        )


def read_cells(labels: Path) -> list[Cell]:
    """Parse `labels.csv`: path, probability and type, separated by white space.

    Raises
    ------
    DataError
        Where the file cannot be read, or a line has other than three fields or a probability that
        is not a number in [0, 1]; the message names the line.
    """
    try:
        lines = labels.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the labels of 'elpv': {error}", hint=_REINSTALL) from error
    return [
        _parse(line, f"{labels}:{number}") for number, line in enumerate(lines, 1) if line.strip()
    ]


def _parse(line: str, where: str) -> Cell:
    try:
        path, text, kind = line.split()
        probability = float(text)
    except ValueError as error:
        raise DataError(
            f"{line!r} is not `path probability type`", hint=_REINSTALL, where=where
        ) from error
    if not 0 <= probability <= 1:
        raise DataError(f"probability {text} is outside [0, 1]", hint=_REINSTALL, where=where)
    return Cell(path, probability, kind)


def _class_samples(cells: list[Cell], params: ElpvParams) -> Iterator[Sample]:
    judged = {cell: _judge(cell, params.uncertain) for cell in sorted(cells)}
    samples = [
        Sample(cell.path, cell.type, "test", 1, _defect(cell))
        if judgement == "anomalous"
        else Sample(cell.path, cell.type, "train", 0)
        for cell, judgement in judged.items()
        if judgement
    ]
    yield from Draw("elpv", params.train, params.seed).portions(samples)


def _judge(cell: Cell, uncertain: Literal["drop", "normal", "anomalous"]) -> Judgement | None:
    if cell.probability == 0:
        return "normal"
    if cell.probability == 1:
        return "anomalous"
    return None if uncertain == "drop" else uncertain


def _defect(cell: Cell) -> str:
    if cell.probability == 1:
        return "defective"
    return "likely" if cell.probability > 0.5 else "possible"


def _installed() -> Path:
    spec = find_spec("elpv_dataset")
    if spec is None or spec.origin is None:
        raise DataError(
            "data set 'elpv' needs the package elpv-dataset, which is not installed",
            hint="pip install elpv-dataset",
        )
    return Path(spec.origin).parent / "data"


ELPV = DatasetSpec(
    name="elpv",
    params=ElpvParams,
    make=ElpvDataset,
    summary="Solar cells with real defects, mono and poly; image labels, no masks.",
    source="Buerhop-Lutz et al., A Benchmark for Visual Identification of Defective Solar Cells "
    "in Electroluminescence Imagery, EU PVSEC 2018",
    citation="Deitsch et al., Segmentation of photovoltaic module cells in uncalibrated "
    "electroluminescence images, Machine Vision and Applications 2021; Buerhop-Lutz et al., "
    "EU PVSEC 2018; Deitsch et al., Solar Energy 2019",
    url=URL,
    expected=Expected(
        ("mono", "poly"), {"mono": Counts(412, 176, 313), "poly": Counts(644, 276, 402)}
    ),
)
