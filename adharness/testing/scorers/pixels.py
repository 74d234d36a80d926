"""What a scorer that is fitted on training images promises: clause S9 of docs/contracts.md."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from adharness.arrays import AnyArray
from adharness.contracts import Pixels
from adharness.testing.check import Check, require, require_refused
from adharness.testing.scorers.memories import some
from adharness.testing.scorers.subject import ScorerSubject
from adharness.testing.subject import as_given
from adharness.testing.watched_features import Watch, WatchedFeatures
from adharness.testing.worlds import toy_images

MANY = 40
"""Training images: more than `batches` gives at a time."""


def check_reads_images_in_parts(subject: ScorerSubject) -> None:
    """It reads the training images by batch or by position, never all of forty at once."""
    toy = toy_images(np.random.default_rng(0), train=MANY).train
    watch = Watch()
    subject.fit(Pixels(WatchedFeatures(toy, watch)))
    most = watch.most // (toy.grid[0] * toy.grid[1])
    require(most < MANY, f"it reads {most} of {MANY} training images at once")


def check_refuses_images_of_another_size(subject: ScorerSubject) -> None:
    """Images of another size than the training images' raise ContractError."""
    fitted = subject.fit()
    wider = subject.world.normal(_wider)
    require_refused(partial(fitted.score, wider), "images wider than the training images")


def _wider(array: AnyArray) -> AnyArray:
    if array.ndim < 4:
        return array
    return np.concatenate([array, array[:, :, :1]], axis=2)


def check_keeps_one_grid(subject: ScorerSubject) -> None:
    """Its patch scores are on one grid, whatever the image and however many there are."""
    fitted, features = subject.fit(), subject.world.anomalous(as_given)
    one = replace(features, patches=np.zeros_like(features.patches[:1]), embeddings=None)
    given = [fitted.score(f).patches for f in (features, some(features, slice(0, 1)), one)]
    shapes = {None if patches is None else patches.shape[1:] for patches in given}
    require(len(shapes) == 1, f"its patch scores are of shapes {sorted(map(str, shapes))}")


def _on_pixels(subject: ScorerSubject) -> bool:
    return subject.kind == "pixels"


ON_PIXELS: tuple[Check[ScorerSubject], ...] = (
    Check("S9", check_reads_images_in_parts, _on_pixels),
    Check("S9", check_refuses_images_of_another_size, _on_pixels),
    Check("S9", check_keeps_one_grid, _on_pixels),
)
