"""The class of an image, predicted from its embedding: what `routed` has instead of the class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float32, Float64, Int64
from adharness.engine.features import CachedFeatures
from adharness.errors import DataError


@dataclass(frozen=True, eq=False)
class Router:
    """The mean training embedding of each class, and the unit in which an image is near to it.

    Parameters
    ----------
    numbers : (C,) int64
        The classes, ascending.
    centroids : (C, E) float64
    scale : (E,) float64
        Deviation of training embeddings from the mean of their class, pooled over classes, plus
        the median of these deviations, so that a nearly constant axis does not decide alone.

    Notes
    -----
    Means, not neighbours: one vector a class is compared, so a hundred thousand images cost
    nothing, and each image is compared on its own, to the last bit, whatever else is in the set.

    References
    ----------
    Tibshirani et al., Diagnosis of multiple cancer types by shrunken centroids of gene expression,
    PNAS 2002, the distance of equation 6 without shrinkage and with equal priors.
    """

    numbers: Int64
    centroids: Float64
    scale: Float64

    @classmethod
    def fit(cls, embeddings: Float32, classes: Int64) -> Router:
        """Learn from embeddings (n, E) of training images and the class (n,) of each.

        Raises
        ------
        DataError
            If there is no image.
        """
        if not len(classes):
            raise DataError("no training image tells the classes apart")
        values = np.asarray(embeddings, dtype=np.float64)
        numbers, members = np.unique(classes, return_inverse=True)
        centroids = np.stack([values[classes == number].mean(axis=0) for number in numbers])
        squares = np.square(values - centroids[members]).sum(axis=0)
        spread = np.sqrt(squares / max(len(values) - len(numbers), 1))
        scale = spread + np.median(spread)
        return cls(numbers.astype(np.int64), centroids, np.where(scale > 0, scale, 1.0))

    def predict(self, embeddings: Float32) -> Int64:
        """Give the class (n,) of the nearest mean; of equal distances, that of the first class."""
        found = np.empty(len(embeddings), dtype=np.int64)
        for i, one in enumerate(np.asarray(embeddings, dtype=np.float64)):
            steps = (self.centroids - one) / self.scale
            found[i] = self.numbers[int(np.square(steps).sum(axis=1).argmin())]
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
