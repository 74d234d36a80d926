"""Outputs made elsewhere under trial: looked up by the names of some images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from unittest import SkipTest

from adharness.arrays import AnyArray
from adharness.contracts import (
    ExtractorSpec,
    FeatureGrid,
    ImageName,
    LookupExtractor,
    LookupScorer,
    ScorerSpec,
    Scores,
)
from adharness.errors import DataError
from adharness.testing.subject import Arrange, ComponentSubject, present

ANY_IMAGE = ImageName("made-up/test/good/000.png", "made-up")
"""What is looked up where no names are given: some know nothing of names."""


@dataclass(frozen=True, eq=False)
class LookupSubject(ComponentSubject[ExtractorSpec | ScorerSpec, Any]):
    """An imported extractor or scorer with its parameters.

    Parameters
    ----------
    images
        Names of images that it has something of.
    """

    images: tuple[ImageName, ...] = ()

    @cached_property
    def known(self) -> tuple[ImageName, ...]:
        """Names to look up; raises SkipTest where none is given and none can be made up."""
        if self.images:
            return self.images
        try:
            found = self.make().look_up(ANY_IMAGE)
        except DataError as error:
            raise SkipTest(f"{error.message}: give the names of images that it has") from error
        if found is None:
            raise SkipTest("it has nothing of a made-up image: give the names of some that it has")
        return (ANY_IMAGE,)

    def fingerprint(self, lookup: Any) -> str:
        """Hash what it has."""
        if isinstance(lookup, LookupExtractor) and self.spec.kind == "extractor":
            return lookup.fingerprint()
        assert isinstance(lookup, LookupScorer)  # noqa: S101  the record says so
        return lookup.fingerprint(self.known)

    def use(self, arrange: Arrange) -> Mapping[str, AnyArray]:  # noqa: ARG002  it is given none
        """Look all images up."""
        lookup = self.make()
        return {
            f"{name} of {image.path}": array
            for image in self.known
            for name, array in arrays_of(lookup.look_up(image)).items()
        }

    def again(self) -> tuple[Callable[[], object], int]:
        """Give the looking up of the first image."""
        lookup, (first, *_) = self.make(), self.known
        size = sum(array.nbytes for array in arrays_of(lookup.look_up(first)).values())
        return lambda: lookup.look_up(first), max(size, 1024)


def arrays_of(found: FeatureGrid | Scores | None) -> dict[str, AnyArray]:
    """Name the arrays that were found; none where nothing was."""
    given: dict[str, AnyArray | None] = {}
    if isinstance(found, FeatureGrid):
        given = {"patch features": found.patches, "embedding": found.embeddings}
    elif isinstance(found, Scores):
        given = {"map": found.patches, "score": found.images}
    return present(given)
