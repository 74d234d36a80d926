"""The calibration normals as the normalizers of this plugin read them: checked, in one order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from adharness import Calibration, ContractError, DataError, ImageContext
from adharness.arrays import Float64, require_finite, require_shape

MORE = "raise split.calibration.normal in the suite, or use: raw"


@dataclass(frozen=True, eq=False)
class Normals:
    """Scores of held-out normal images and what is known of them.

    They are sorted by score, then class, then embedding: whatever order they came in, what is
    learnt from them is the same to the last bit.

    Parameters
    ----------
    scores : (n,) float64
    classes : n names, optional
    embeddings : (n, E) float64, optional
    """

    scores: Float64
    classes: tuple[str, ...] | None
    embeddings: Float64 | None

    def places(self, name: str) -> Float64:
        """Give the embeddings (n, E); raises ContractError where there are none."""
        if self.embeddings is None:
            raise _no_embedding(name)
        return self.embeddings

    def names(self, name: str) -> tuple[str, ...]:
        """Give the classes; raises ContractError where there are none."""
        if self.classes is None:
            raise ContractError(
                f"{name} needs the class of every calibration image, and none is given",
                hint="its parameters offer a way by cluster, which needs no class",
            )
        return self.classes


def normals_of(calibration: Calibration, name: str, *, at_least: int) -> Normals:
    """Read a calibration set: its normal images alone, checked and sorted.

    Raises
    ------
    ContractError
        There are not as many classes or embeddings as scores.
    DataError
        A score or an embedding is not finite; there are fewer than `at_least` normal images; or
        all of them have one score, which has no scale.
    """
    scores = np.asarray(calibration.scores, dtype=np.float64)
    classes, embeddings = _context(calibration.context, len(scores))
    require_finite(scores, name="calibration scores", error=DataError)
    normal = np.ones(len(scores), bool) if calibration.labels is None else calibration.labels == 0
    found = np.flatnonzero(normal).tolist()
    if len(found) < at_least:
        raise DataError(f"{name} needs {at_least} normal images, and has {len(found)}", hint=MORE)

    def key(i: int) -> tuple[float, str, list[float]]:
        place = [] if embeddings is None else embeddings[i].tolist()
        return float(scores[i]), "" if classes is None else classes[i], place

    order = sorted(found, key=key)
    return Normals(
        require_spread(scores[order], f"all {len(order)} normal images"),
        None if classes is None else tuple(classes[i] for i in order),
        None if embeddings is None else embeddings[order],
    )


def _context(context: ImageContext, count: int) -> tuple[Sequence[str] | None, Float64 | None]:
    classes, embeddings = context.classes, context.embeddings
    if classes is not None and len(classes) != count:
        raise ContractError(f"{count} calibration images, but {len(classes)} classes")
    if embeddings is None:
        return classes, None
    require_shape(embeddings, (count, None), name="calibration embeddings")
    require_finite(embeddings, name="calibration embeddings", error=DataError)
    return classes, embeddings.astype(np.float64)


def require_spread(scores: Float64, of: str) -> Float64:
    """Give scores (n,) back; raises DataError where all are equal, so that they have no scale."""
    if scores.min() == scores.max():
        raise DataError(
            f"the calibration scores of {of} are {scores[0]:g}, so they have no scale", hint=MORE
        )
    return scores


def place_of(context: ImageContext, name: str, dim: int) -> Float64:
    """Give the embedding (E,) of the one image of a context.

    Raises
    ------
    ContractError
        It has none, one of another length, or one that is not finite.
    """
    if context.embeddings is None:
        raise _no_embedding(name)
    require_shape(context.embeddings, (1, dim), name="embeddings")
    require_finite(context.embeddings, name="embeddings")
    place: Float64 = context.embeddings[0].astype(np.float64)
    return place


def each_image(
    values: Float64, context: ImageContext, rescale: Callable[[Float64, ImageContext], Float64]
) -> Float64:
    """Rescale image scores (n,), or maps (n, H, W), image by image, each with its own context."""
    scaled = np.empty(np.shape(values), dtype=np.float64)
    for i, one in enumerate(np.asarray(values, dtype=np.float64)):
        scaled[i] = rescale(one, context.single(i))
    return scaled


def distances(places: Float64, place: Float64) -> Float64:
    """Euclidean distances (m,) of one place (E,) to others (m, E), alike for any m."""
    found: Float64 = np.sqrt(np.square(places - place).sum(axis=1))
    return found


def _no_embedding(name: str) -> ContractError:
    return ContractError(
        f"{name} needs the embedding of every image, and none is given",
        hint="scores made elsewhere have no features: use raw, or zscore",
    )
