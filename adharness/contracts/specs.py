"""Params and the Spec records that plugins yield: what a component is called and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from adharness.contracts.lookup import LookupExtractor, LookupScorer
from adharness.contracts.memories import MemoryKind
from adharness.contracts.published import Download, Expected
from adharness.contracts.roles import (
    Bank,
    BatchThresholder,
    Dataset,
    Extractor,
    Normalizer,
    PixelThresholder,
    Scorer,
    Thresholder,
)

RoleT = TypeVar("RoleT", covariant=True)
ClassNeed: TypeAlias = Literal["never", "at-fit", "always"]
"""Whether a normalizer must be told classes: never, of calibration images only, or of all."""
DecisionLevel: TypeAlias = Literal["image", "pixel"]
Gives: TypeAlias = Literal["features", "pixels"]
"""What the patches of an extractor are."""

SETTING: dict[str, Any] = {"setting": True}
"""Marks a field that says how or where to compute, not what.

Written `Field(..., json_schema_extra=SETTING)`. Settings (a data root, a device, a batch size)
never enter a cell's identity, and the command line may fill them in.
"""


_DEFAULTS: Mapping[str, Any] = MappingProxyType({})


class Params(BaseModel):
    """Parameters of one component: frozen, unknown keys are errors, no value is coerced from text.

    Examples
    --------
    >>> class KnnParams(Params):
    ...     k: int = 1
    >>> KnnParams(k=3).identity()
    {'k': 3}
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, protected_namespaces=())

    def identity(self) -> dict[str, Any]:
        """JSON values of every field, defaults filled in, without the settings."""
        settings = {
            name
            for name, info in type(self).model_fields.items()
            if isinstance(info.json_schema_extra, dict) and info.json_schema_extra.get("setting")
        }
        return self.model_dump(mode="json", exclude=settings)


@dataclass(frozen=True, kw_only=True)
class Spec(Generic[RoleT]):
    """What every component record says.

    Parameters
    ----------
    name
        Lower-case words joined by hyphens, as typed after `use:` in a suite.
    params
        The model of its parameters.
    make
        Builds the component from its parameters; heavy imports belong inside it.
    summary
        One line for `adharness components`.
    source
        Where the method is defined: paper, section, equation.
    examples
        Parameters that it can be tried with, one mapping a trial; the conformance kit tries each.
        By default its defaults. None at all where it needs files of the user's.
    exempt
        Checks of the conformance kit that it cannot pass by what it is, each with the reason in a
        sentence: shown wherever it is tried.
    """

    kind: ClassVar[str] = "component"
    name: str
    params: type[Params]
    make: Callable[[Any], RoleT]
    summary: str
    source: str = ""
    examples: tuple[Mapping[str, Any], ...] = field(default=(_DEFAULTS,), hash=False)
    exempt: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec[Dataset]):
    """A data set.

    Parameters
    ----------
    citation
        Printed on the board.
    url
        Where the data comes from.
    expected
        What a complete copy holds; None where anything may be in it.
    download
        Where `adharness data fetch` gets it; None where its owners want to be asked, or its
        checksum is not known.
    """

    kind: ClassVar[str] = "dataset"
    citation: str = ""
    url: str = ""
    expected: Expected | None = None
    download: Download | None = None


@dataclass(frozen=True, kw_only=True)
class ExtractorSpec(Spec[Extractor | LookupExtractor]):
    """A feature extractor.

    Parameters
    ----------
    imported
        It is a `LookupExtractor`: it is told the names of images, and the board says so.
    gives
        What its patches are: `features`, or the `pixels` of the image as they are, (N, H, W, 3),
        whole numbers from 0 to 255. Banks that emit `pixels` take no other; pixels are kept in the
        cache as bytes.
    """

    kind: ClassVar[str] = "extractor"
    imported: bool = False
    gives: Gives = "features"


def _never(params: Any) -> bool:  # noqa: ARG001  whatever they are
    return False


def _unsaid(params: Any) -> bool | None:  # noqa: ARG001  whatever they are
    return None


@dataclass(frozen=True, kw_only=True)
class BankSpec(Spec[Bank]):
    """A bank.

    Parameters
    ----------
    emits
        The kind of memory it makes.
    needs_class
        Whether a bank with these parameters must be told the class of each training image: an
        upper bound where the protocol hides it.
    """

    kind: ClassVar[str] = "bank"
    emits: MemoryKind
    needs_class: Callable[[Any], bool] = _never


@dataclass(frozen=True, kw_only=True)
class ScorerSpec(Spec[Scorer | LookupScorer]):
    """A scorer.

    Parameters
    ----------
    needs
        The kind of memory it fits on, or a tuple of those it accepts.
    deterministic
        It draws nothing from the `rng` that `fit` is given: every seed gives the same.
    imported
        It is a `LookupScorer`: it is told the names of images, and the board says so.
    trains_per_class
        Of an imported scorer with these parameters: whether a model was trained a class (True) or
        one for all (False); None where that is not said. It takes part in no other protocol.
    """

    kind: ClassVar[str] = "scorer"
    needs: MemoryKind | tuple[MemoryKind, ...]
    deterministic: bool = True
    imported: bool = False
    trains_per_class: Callable[[Any], bool | None] = _unsaid

    @property
    def accepts(self) -> tuple[MemoryKind, ...]:
        """`needs` as a tuple."""
        return (self.needs,) if isinstance(self.needs, str) else self.needs


def _no_class(params: Any) -> ClassNeed:  # noqa: ARG001  whatever they are
    return "never"


@dataclass(frozen=True, kw_only=True)
class NormalizerSpec(Spec[Normalizer]):
    """A normalizer.

    Parameters
    ----------
    needs_class
        Whether one with these parameters must be told the class: `always`, that is of every image
        it rescales, an upper bound where the protocol hides it; or `at-fit`, of the calibration
        images alone, an upper bound where the protocol hides the class of training images too.
    needs_embedding
        Whether one with these parameters reads `ImageContext.embeddings`, which is None otherwise.
    keeps_class_order
        Within a class, all images go through one strictly increasing transform, so that no metric
        of one class that ranks scores can change: such metrics are taken from the raw scores,
        exact and once. False for transforms that differ from image to image.
    """

    kind: ClassVar[str] = "normalizer"
    needs_class: Callable[[Any], ClassNeed] = _no_class
    needs_embedding: Callable[[Any], bool] = _never
    keeps_class_order: bool = False


@dataclass(frozen=True, kw_only=True)
class ThresholderSpec(Spec[Thresholder | PixelThresholder | BatchThresholder]):
    """A thresholder.

    Parameters
    ----------
    needs_labels
        It uses anomalous calibration images.
    levels
        What it decides: `image` (`thresholders:` of a suite), `pixel` (`pixel_threshold:`), or
        both. At pixel level it is a `PixelThresholder`.
    batch
        It is a `BatchThresholder`: its decisions depend on which images are decided together.
    """

    kind: ClassVar[str] = "thresholder"
    needs_labels: bool = False
    levels: tuple[DecisionLevel, ...] = ("image",)
    batch: bool = False


AnySpec = Spec[Any]
SPEC_TYPES: tuple[type[AnySpec], ...] = (
    DatasetSpec,
    ExtractorSpec,
    BankSpec,
    ScorerSpec,
    NormalizerSpec,
    ThresholderSpec,
)
