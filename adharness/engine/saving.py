"""Write a judged cell so that it can score new images: its models, normalizers and thresholds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adharness.arrays import AnyArray, Int64
from adharness.contracts import Bag, Images, Restoring, Storable, Threshold
from adharness.engine.cell import Fitted, fit
from adharness.engine.family import Family, Part, open_family, threshold_record
from adharness.engine.gather import Gathered, gather
from adharness.engine.group import FeatureGroup
from adharness.engine.saved import SavedJudge, open_judge
from adharness.engine.score import ScoringOutcome, ScoringTask, task_identity, tasks_of
from adharness.errors import ContractError, StoreError
from adharness.plan import Cell
from adharness.progress import tell
from adharness.registry import Registry
from adharness.store.files import explained
from adharness.store.folder import RunFolder
from adharness.store.identity import digest
from adharness.store.models import (
    SavedComponent,
    SavedFile,
    SavedMethod,
    SavedModel,
    SavedPart,
    read_method,
    write_method,
    write_tensors,
)
from adharness.store.records import CellRecord, ThresholdRecord
from adharness.suite.bind import Bound

CHECKED = 100
"""Images of the run, of all classes together, that the saved method scores again at most."""


@dataclass(frozen=True, eq=False)
class CellSaver:
    """Saves one cell of a run: models are fitted again, from the same features and seed.

    Parameters
    ----------
    cell, record
        What the suite says, and what the run stored of it.
    """

    suite: str
    cell: Cell
    record: CellRecord
    group: FeatureGroup
    folder: RunFolder

    def save(self, target: Path, registry: Registry) -> int:
        """Write the folder, read it back and score images of the run with it; whole or not at all.

        Returns
        -------
        How many images were scored again: as the run scored them, to the last bit.

        Raises
        ------
        StoreError
            The folder exists, or cannot be written; or the data or the method is not what the run
            had, or a score differs.
        StoreError
            Its thresholds were decided over the batch of test images: they fit no other image.
        ContractError
            The scorer can neither write its state nor be fitted again from a stored memory.
        """
        if target.exists():
            raise StoreError(f"{target} exists already", hint="choose another folder with --out")
        _refuse_batch(self.record)
        outcomes = self._outcomes()
        stored = {task.trained_on: outcome for task, outcome in outcomes.items()}
        gathered = gather(self.group, self.folder, stored, self.cell.method)
        family = open_family(self.cell, self.group, gathered)
        with explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            self._write(temporary, list(outcomes), family)
            checked = self._check(temporary, gathered, registry)
            with explained(target):
                temporary.chmod(0o755)  # it was made for its owner alone
                temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return checked

    def _outcomes(self) -> dict[ScoringTask, ScoringOutcome]:
        """Find the stored scorings of the cell; those that failed in the run are left out."""
        tasks = tasks_of(self.cell, self.group)
        ids = {task: digest(task_identity(task, self.group)) for task in tasks}
        if list(ids.values()) != self.record.scorings:
            raise StoreError(
                f"the data or the method of '{self.cell.method.name}' is not what the run saw",
                hint="run the suite again, then save",
            )
        stored = {task: self.folder.scoring(identity) for task, identity in ids.items()}
        found = {task: ScoringOutcome(ids[task]) for task, each in stored.items() if each}
        if not found:
            raise StoreError(f"'{self.cell.method.name}' has no scores to save: see the board")
        return found

    def _write(self, folder: Path, tasks: list[ScoringTask], family: Family) -> None:
        models = []
        for number, task in enumerate(tasks):
            models.append(self._model(folder, number, task))
            tell(number + 1, len(tasks), "models fitted")
        record, method = self.record, self.cell.method
        saved = SavedMethod(
            suite=self.suite,
            dataset=record.dataset,
            protocol=record.protocol,
            method=record.method,
            seed=record.seed,
            cell=record.id,
            extractor=_component(method.extractor, self.group.identity["params"]),
            stored_as=method.extractor.stored_as,
            fingerprint=self.group.identity["fingerprint"],
            scorer=_component(method.scorer),
            normalizer=_component(self.cell.normalizer),
            thresholder=record.thresholder,
            maps=method.maps.model_dump(mode="json", exclude_unset=True),
            models=models,
            parts=self._parts(folder, models, family),
            versions=record.versions,
        )
        write_method(folder, saved)

    def _model(self, folder: Path, number: int, task: ScoringTask) -> SavedModel:
        survey = self.group.survey
        train = survey.portion("train", task.trained_on)
        fitted = fit(task.method, self.group.training(train), seed=task.seed)
        holds, arrays = _held(fitted, task.method.scorer)
        return SavedModel(
            trained_on=task.trained_on,
            holds=holds,
            file=write_tensors(folder, f"model-{number}.safetensors", arrays),
            images=[(survey.samples[i].path, survey.samples[i].class_name) for i in train],
        )

    def _check(self, folder: Path, gathered: Gathered, registry: Registry) -> int:
        record, survey = read_method(folder), self.group.survey
        rows = np.unique(np.linspace(0, len(gathered.raw) - 1, CHECKED).astype(int))
        checked = 0
        for part in record.parts:
            judge = open_judge(folder, record, part.class_name, registry)
            for row in rows:
                position = int(gathered.positions[row])
                sample = survey.samples[position]
                if part.class_name in (None, sample.class_name):
                    self._compare(judge, position, float(gathered.raw[row]))
                    checked += 1
        return checked

    def _compare(self, judge: SavedJudge, position: int, stored: float) -> None:
        features = self.group.features.read(np.array([position]))
        scored = judge.verdict(
            features,
            native_size=self.group.sizes[position],
            input_size=self.group.input_size,
            margins=self.group.margins,
            pad=self.group.pad,
        ).raw
        if scored != stored:
            path = self.group.survey.samples[position].path
            raise StoreError(
                f"the saved method scores {path} {scored!r}, the run {stored!r}",
                hint="was a version or the machine changed since? run the suite again with --fresh",
            )

    def _parts(self, folder: Path, models: list[SavedModel], family: Family) -> list[SavedPart]:
        """Describe the parts that have a threshold; the others failed in the run."""
        trained = [model.trained_on for model in models]
        thresholds = {t.class_name: t for t in self.record.thresholds}
        pixels = {part.class_name: threshold for part, threshold in family.pixel_thresholds}
        return [
            SavedPart(
                class_name=part.class_name,
                model=trained.index(None if None in trained else part.class_name),
                calibration=_calibration(folder, number, part, family.gathered),
                classes=_classes(part),
                threshold=thresholds[part.class_name],
                pixel_threshold=_pixel(part, pixels),
                colours=_colours(part, family.gathered),
            )
            for number, part in enumerate(family.parts)
            if part.class_name in thresholds
        ]


def _refuse_batch(record: CellRecord) -> None:
    if any(threshold.batch for threshold in record.thresholds):
        raise StoreError(
            f"'{record.thresholder}' decides over a batch: its threshold holds for that batch only",
            hint="save a cell of a thresholder that decides each image alone, such as quantile",
        )


def _component(bound: Bound, ran: dict[str, Any] | None = None) -> SavedComponent:
    """Name a component and its parameters, or those that `ran` where it had a choice."""
    return SavedComponent(use=bound.component.qualified, params=ran or bound.params.identity())


def _held(
    fitted: Fitted, scorer: Bound
) -> tuple[Literal["bag", "images", "state"], Mapping[str, AnyArray]]:
    """Give what a model is made of: its own state, or the memory that it is fitted on again."""
    if isinstance(fitted.scorer, Storable) and isinstance(scorer.make(), Restoring):
        return "state", fitted.scorer.state()
    memory = fitted.memory
    if isinstance(memory, Bag):
        return "bag", {"rows": memory.rows, "images": memory.images}
    if isinstance(memory, Images):
        return "images", {"rows": memory.rows}
    raise ContractError(
        f"scorer '{scorer.name}' cannot be saved: it fits on a memory of kind {memory.kind}, which "
        "is all training images, and has no `state`",
        hint="give the fitted scorer `state` and the scorer `restore`: see docs/contracts.md",
    )


def _normals(part: Part) -> Int64:
    return np.flatnonzero(part.normalized.calibration_labels == 0).astype(np.int64)


def _calibration(folder: Path, number: int, part: Part, gathered: Gathered) -> SavedFile:
    chosen = _normals(part)
    arrays: dict[str, AnyArray] = {"scores": gathered.raw[part.calibration[chosen]]}
    if part.calibration_context.embeddings is not None:
        arrays["embeddings"] = part.calibration_context.embeddings[chosen]
    return write_tensors(folder, f"part-{number}.safetensors", arrays)


def _classes(part: Part) -> list[str] | None:
    classes = part.told_at_fit or part.calibration_context.classes
    return None if classes is None else [classes[i] for i in _normals(part)]


def _pixel(part: Part, chosen: Mapping[str | None, Threshold]) -> ThresholdRecord | None:
    threshold = chosen.get(part.class_name)
    return None if threshold is None else threshold_record(part.class_name, threshold)


def _colours(part: Part, gathered: Gathered) -> tuple[float, float] | None:
    """Lowest patch score and the 99.8th percentile of all held-out images of the part."""
    if gathered.patches is None:
        return None
    patches = gathered.patches[part.calibration]
    return float(patches.min()), float(np.quantile(patches, 0.998))
