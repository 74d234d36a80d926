"""The class of an image, predicted from its embedding: what `routed` has instead of the class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float32, Float64, Int64, evenly_spaced
from adharness.engine.features import CachedFeatures
from adharness.errors import DataError

NEIGHBOURS_A_CLASS = 200
"""Training images of a class that an image is compared with, at most: evenly spaced of all."""


@dataclass(frozen=True, eq=False)
class Router:
    """Training embeddings, and the class of each: an image is of the class of its nearest.

    Parameters
    ----------
    rows : (M, E) float64
    classes : (M,) int64

    Notes
    -----
    The nearest neighbour, not the nearest mean: on the demo textures' colours a mean is right for
    94 % of the images, the neighbour for all, since a class may look several ways. The same number
    of every class at most, so that a large class does not win by its size. Each image is compared
    on its own: what else is in the set does not change a bit.

    References
    ----------
    Cover and Hart, Nearest neighbor pattern classification, IEEE Trans. Inf. Theory 1967.
    """

    rows: Float64
    classes: Int64

    @classmethod
    def fit(cls, embeddings: Float32, classes: Int64) -> Router:
        """Keep embeddings (n, E) of training images and the class (n,) of each.

        Raises
        ------
        DataError
            If there is no image.
        """
        if not len(classes):
            raise DataError("no training image tells the classes apart")
        kept = np.concatenate(
            [
                evenly_spaced(np.flatnonzero(classes == c), NEIGHBOURS_A_CLASS)
                for c in np.unique(classes)
            ]
        )
        return cls(np.asarray(embeddings[kept], dtype=np.float64), classes[kept])

    def predict(self, embeddings: Float32) -> Int64:
        """Give the class (n,) of the nearest row; of equally near ones, the lowest class."""
        found = np.empty(len(embeddings), dtype=np.int64)
        for i, one in enumerate(np.asarray(embeddings, dtype=np.float64)):
            found[i] = self.classes[int(np.square(self.rows - one).sum(axis=1).argmin())]
        return found


def route(train: CachedFeatures, images: CachedFeatures) -> Int64:
    """Predict the class (n,) of images from theirs and the training images' embeddings.

    Parameters
    ----------
    train
        Told its classes.
    images
        Not told any: nothing here could read the class of an image that is judged.

    Raises
    ------
    DataError
        There is no training image, or its classes are not told.
    StoreError
        Features cannot be read.
    """
    if train.classes is None:
        raise DataError("the classes of the training images are not told")
    return Router.fit(train.image_vectors(), train.classes).predict(images.image_vectors())
