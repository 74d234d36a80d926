"""How many images a call of an extractor is given."""

from __future__ import annotations

from dataclasses import dataclass

from adharness.contracts import Batched, Extractor, LookupExtractor
from adharness.errors import ContractError

BATCH = 16
"""Images, or tiles of images, a call of `extract`, where the extractor does not say."""


@dataclass(frozen=True)
class Batches:
    """Images of a call, and those whose features may depend on each other's last bits.

    A call is filled up with black images to a multiple of `together`, so that the features of an
    image do not depend on how many come after it.
    """

    most: int = BATCH
    together: int = BATCH

    def filled(self, images: int) -> int:
        """Images that are computed for so many.

        Examples
        --------
        >>> Batches(16, 8).filled(3), Batches(16, 8).filled(16), Batches(16, 1).filled(3)
        (8, 16, 3)
        """
        return -(-images // self.together) * self.together


def batches_of(extractor: Extractor | LookupExtractor) -> Batches:
    """Ask an extractor, if it is `Batched`.

    Raises
    ------
    ContractError
        It says what is no number of images, or no multiple.
    """
    if not isinstance(extractor, Batched):
        return Batches()
    most, together = extractor.at_once, extractor.together
    if together < 1 or most < together or most % together:
        raise ContractError(
            f"the extractor asks for {most} images at once, {together} of them together",
            hint="`at_once` must be a multiple of `together`, which is at least 1",
        )
    return Batches(most, together)
