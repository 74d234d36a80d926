"""Z-scores by class or by cluster, neither of which is told when an image is decided."""

from __future__ import annotations

from dataclasses import dataclass

from adharness import Calibration, FittedNormalizer
from adharness.arrays import Float64
from adharness_normalizers import ZscoreRoutedParams
from adharness_normalizers.clusters import by_cluster
from adharness_normalizers.groups import Grouping, by_predicted_class
from adharness_normalizers.normals import Normals, normals_of
from adharness_normalizers.zscore import center

NAME = "zscore-routed"


class ZscoreRoutedNormalizer:
    """Learns mean and deviation of each group's normal scores, and where the groups lie.

    `score -> (score - mean) / deviation` of the group that the image's embedding is routed to. An
    image routed wrongly gets the scale of another group: that is the price of not being told.
    """

    def __init__(self, params: ZscoreRoutedParams) -> None:
        self.params = params

    def fit(self, calibration: Calibration) -> FittedNormalizer:
        """Learn from the normal images of a calibration set.

        Raises
        ------
        ContractError
            Embeddings, or by class the classes, are not given.
        DataError
            A number is not finite; a group has fewer than two images or scores without spread.
        """
        normals = normals_of(calibration, NAME, at_least=2)
        return self._grouping(normals).fit(normals.scores, _Line.learn, at_least=2)

    def _grouping(self, normals: Normals) -> Grouping:
        asked = self.params
        if asked.by == "class":
            votes = asked.neighbours if asked.route == "neighbours" else None
            return by_predicted_class(normals, NAME, neighbours=votes)
        return by_cluster(normals, NAME, asked)


@dataclass(frozen=True)
class _Line:
    mean: float
    deviation: float

    @classmethod
    def learn(cls, scores: Float64, of: str) -> _Line:
        return cls(*center(of, scores))

    def rescale(self, values: Float64) -> Float64:
        return (values - self.mean) / self.deviation
