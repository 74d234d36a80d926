"""How the test images of a data set are drawn again: alike for every cell of a run."""

from __future__ import annotations

import zlib

import numpy as np

from adharness.arrays import Int64
from adharness.engine.survey import JudgedImages
from adharness.statistics import Sampling, bootstrap_weights, join, strata_of, units_of
from adharness.store.identity import digest

POOLED = "pooled"


def draw_test_images(survey: JudgedImages, resamples: int) -> dict[str, Sampling]:
    """Draw the test images of each class, and of all classes as they were drawn in each.

    Parameters
    ----------
    resamples
        0 for none.

    Returns
    -------
    dict of str to Sampling
        By class name, and `pooled` unless a class has no test image.

    Notes
    -----
    Images are drawn within class and label; views of one object together, among the anomalous ones
    if one of them is anomalous.
    """
    drawn: dict[str, tuple[Int64, Int64, Int64]] = {}
    for name in survey.classes if resamples else ():
        images = survey.portion("test", name)
        if len(images):
            units = units_of(survey.groups(images))
            strata = strata_of(survey.labels(images), None, units)
            rng = np.random.default_rng([zlib.crc32(name.encode()), 1])
            drawn[name] = bootstrap_weights(strata, resamples, rng, units), strata, units
    rng = np.random.default_rng(1)
    found = {name: join([w], [s], [u], rng) for name, (w, s, u) in drawn.items()}
    if drawn and len(drawn) == len(survey.classes):
        weights, strata_of_classes, units_of_classes = zip(*drawn.values(), strict=True)
        found[POOLED] = join(weights, strata_of_classes, units_of_classes, rng)
    return found


def draws_digest(survey: JudgedImages, resamples: int) -> str:
    """Digest of the images, their strata and how often they are drawn.

    Replicates of two cells with the same one are paired.
    """
    images = [survey.portion("test", name) for name in survey.classes]
    paths = [[survey.samples[i].path for i in of_class.tolist()] for of_class in images]
    labels = [survey.labels(of_class).tolist() for of_class in images]
    told = [list(survey.classes), paths, labels, resamples]
    groups = [survey.groups(of_class) for of_class in images]
    return digest([*told, groups] if any(map(any, groups)) else told)
