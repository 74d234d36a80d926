"""The protocols: what the referee lets a method know of an image's class, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Protocol:
    """One row of the grid of protocols.

    Parameters
    ----------
    name
        As typed in a suite.
    labels_at_train
        True: one model a class. False: one model fitted on all classes merged. Where the class is
        known at training alone, an image is scored by the model of the class predicted for it.
    labels_at_eval
        True: one normalizer and one threshold a class, and the mean over classes is the headline.
        False: one of each for all images, and the numbers pooled over them are the headline.
    """

    name: str
    labels_at_train: bool
    labels_at_eval: bool

    @property
    def routed(self) -> bool:
        """Whether the class that chooses the model has to be predicted."""
        return self.labels_at_train and not self.labels_at_eval


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            Protocol("per-class", labels_at_train=True, labels_at_eval=True),
            Protocol("model-unified", labels_at_train=False, labels_at_eval=True),
            Protocol("absolute-unified", labels_at_train=False, labels_at_eval=False),
            Protocol("routed", labels_at_train=True, labels_at_eval=False),
        )
    }
)
