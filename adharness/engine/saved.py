"""A saved method at work: models restored, new images scored, decided and mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adharness.arrays import AnyArray, Bool, Float32, require_finite, require_shape
from adharness.contracts import (
    Bag,
    Calibration,
    FeatureGrid,
    FittedNormalizer,
    FittedScorer,
    ImageContext,
    Images,
    Margins,
    Restoring,
    ScorerSpec,
)
from adharness.engine.cell import check_scores, generators
from adharness.engine.features import image_vector
from adharness.engine.image_scores import image_scores
from adharness.engine.scored_maps import RawMaps, ScoredMaps
from adharness.engine.told import needs_class, needs_embedding
from adharness.errors import ContractError, StoreError, SuiteError
from adharness.registry import Registry
from adharness.store.models import (
    SavedComponent,
    SavedMethod,
    SavedModel,
    SavedPart,
    read_tensors,
)
from adharness.suggest import closest
from adharness.suite.bound import Bound
from adharness.suite.schema import MapSettings


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a saved method says of one image.

    Parameters
    ----------
    raw, score
        Before and after the normalizer; the threshold is on the scale of `score`.
    anomalous
        Whether the score is strictly above the threshold.
    map : (H, W) float32, optional
        Raw anomaly map at native size.
    flagged : (H, W) bool, optional
        Pixels whose normalized score is above the pixel threshold.
    """

    raw: float
    score: float
    threshold: float
    anomalous: bool
    map: Float32 | None
    flagged: Bool | None


@dataclass(frozen=True, eq=False)
class SavedJudge:
    """One part of a saved method, ready to judge images of its class, or of any."""

    part: SavedPart
    settings: MapSettings
    scorer_name: str
    scorer: FittedScorer
    any_grid: bool
    """Whether the scorer may choose the grid of its maps."""
    normalizer: FittedNormalizer
    reads_embedding: bool
    """Whether the normalizer is told the image's embedding, as in the run."""

    def verdict(
        self,
        features: FeatureGrid,
        *,
        native_size: tuple[int, int],
        input_size: tuple[int, int],
        margins: Margins,
        pad: bool,
    ) -> Verdict:
        """Judge one image from its features (1, h, w, D).

        Raises
        ------
        ContractError
            The features or the scores are not what they should be.
        """
        scores = self.scorer.score(features)
        check_scores(scores, features, self.scorer_name, any_grid=self.any_grid)
        own = None if scores.images is None else scores.images.astype(np.float64)
        maps = None
        if scores.patches is not None:
            drawing = (self.settings.smooth_px, self.settings.upsample, margins, pad)
            maps = RawMaps(scores.patches, [native_size], input_size, *drawing)
        raw, _ = image_scores(self.settings.image_score, own, scores.patches, maps)
        context = self._context(features)
        score = float(np.asarray(self.normalizer.apply(raw, context))[0])
        threshold = self.part.threshold.value
        return Verdict(
            raw=float(raw[0]),
            score=score,
            threshold=threshold,
            anomalous=score > threshold,
            map=None if maps is None else maps.read(0),
            flagged=None if maps is None else self._flagged(maps, context),
        )

    def _context(self, features: FeatureGrid) -> ImageContext:
        name = self.part.class_name
        embedding = image_vector(features) if self.reads_embedding else None
        return ImageContext(None if name is None else [name], embedding)

    def _flagged(self, maps: RawMaps, context: ImageContext) -> Bool | None:
        if self.part.pixel_threshold is None:
            return None
        normalized = ScoredMaps(maps, np.zeros(1, np.int64), [self.normalizer], [context])
        flagged: Bool = normalized[0] > self.part.pixel_threshold.value
        return flagged


def open_judge(
    folder: Path, record: SavedMethod, class_name: str | None, registry: Registry
) -> SavedJudge:
    """Restore what judges images of a class.

    Raises
    ------
    SuiteError
        A class must be named and is not, or is not one of the method's; or a component is unknown.
    StoreError
        A file is missing, was changed, or holds something else.
    ContractError
        What a file holds does not fit its scorer.
    """
    part = part_of(record, class_name)
    normalizer = bound_component(record.normalizer, "normalizer", registry)
    if part.class_name is None and needs_class(normalizer) == "always":
        raise SuiteError(
            f"normalizer '{record.normalizer.use}' must be told a class that the protocol hides",
            hint="save a cell with another normalizer, such as --only normalizer=raw",
        )
    scorer = bound_component(record.scorer, "scorer", registry)
    return SavedJudge(
        part=part,
        settings=MapSettings.model_validate(record.maps),
        scorer_name=scorer.name,
        scorer=_restored(folder, record.models[part.model], scorer, record.seed),
        any_grid=isinstance(scorer.component.spec, ScorerSpec)
        and "pixels" in scorer.component.spec.accepts,
        normalizer=_fitted_again(folder, part, normalizer),
        reads_embedding=needs_embedding(normalizer),
    )


def part_of(record: SavedMethod, class_name: str | None) -> SavedPart:
    """Find the part that judges a class; where there is but one, it need not be named."""
    parts = {part.class_name: part for part in record.parts}
    if None in parts:
        return parts[None]
    names = [name for name in parts if name is not None]
    if class_name is None and len(names) > 1:
        raise SuiteError(
            f"under {record.protocol} the class of the images must be known",
            hint=f"add --class NAME; this method knows {', '.join(names)}",
        )
    if class_name is not None and class_name not in parts:
        hint = closest(class_name, names, otherwise="it knows")
        raise SuiteError(f"this method knows no class '{class_name}'", hint=hint)
    return parts[names[0] if class_name is None else class_name]


def bound_component(
    saved: SavedComponent,
    kind: str,
    registry: Registry,
    settings: Mapping[str, Any] | None = None,
) -> Bound:
    """Look up a saved component; its parameters are checked by its own model.

    Parameters
    ----------
    settings
        Values for fields marked SETTING, such as a device; those the component lacks are ignored.
    """
    component = registry.find(kind, saved.use)
    model = component.spec.params
    known = {k: v for k, v in (settings or {}).items() if k in model.model_fields}
    try:
        return Bound(component, model.model_validate({**saved.params, **known}))
    except ValueError as error:
        said = f"the saved parameters of {kind} '{saved.use}' do not fit: {error}"
        raise StoreError(said) from error


def _restored(folder: Path, model: SavedModel, scorer: Bound, seed: int) -> FittedScorer:
    arrays = read_tensors(folder, model.file)
    made = scorer.make()
    if model.holds == "state":
        if not isinstance(made, Restoring):
            raise ContractError(f"scorer '{scorer.name}' cannot restore a state")
        return made.restore(arrays)
    fitted: FittedScorer = made.fit(_memory(arrays, model), generators(seed)[1])
    return fitted


def _memory(arrays: Mapping[str, AnyArray], model: SavedModel) -> Bag | Images:
    file = model.file.name
    wanted = {"rows", "images"} if model.holds == "bag" else {"rows"}
    if set(arrays) != wanted:
        raise StoreError(f"{file} holds {sorted(arrays)}, not {sorted(wanted)}")
    rows = arrays["rows"]
    require_shape(rows, (None, None), name=f"rows of {file}")
    if rows.dtype != np.float32:
        raise StoreError(f"rows of {file} are {rows.dtype}, not float32")
    if model.holds == "images":
        return Images(rows)
    images = arrays["images"]
    require_shape(images, (len(rows),), name=f"images of {file}")
    if images.dtype != np.int64 or not ((images >= 0) & (images < len(model.images))).all():
        raise StoreError(f"{file} names training images that its record does not")
    return Bag(rows, images)


def _fitted_again(folder: Path, part: SavedPart, normalizer: Bound) -> FittedNormalizer:
    arrays = read_tensors(folder, part.calibration)
    scores, file = arrays.get("scores", np.zeros(0)), part.calibration.name
    require_shape(scores, (None,), name=f"scores of {file}")
    require_finite(scores, name=f"scores of {file}")
    context = ImageContext(part.classes, arrays.get("embeddings"))
    calibration = Calibration(scores.astype(np.float64), None, context)
    fitted: FittedNormalizer = normalizer.make().fit(calibration)
    return fitted
