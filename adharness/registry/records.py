"""What discovery finds: a component that can be used, or the problem that kept a plugin out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from adharness.contracts import SPEC_TYPES, AnySpec

Stage: TypeAlias = Literal["metadata", "version", "import", "register", "hook", "record", "clash"]

KINDS: tuple[str, ...] = tuple(spec.kind for spec in SPEC_TYPES)


@dataclass(frozen=True, slots=True)
class Component:
    """A spec with where it came from, which the registry fills in and no author can claim.

    Parameters
    ----------
    spec
        The record that the plugin yielded.
    distribution, version
        The installed distribution that declares the plugin, as its metadata spell it.
    entry_point
        The entry point of that distribution that yielded the spec.
    """

    spec: AnySpec
    distribution: str
    version: str
    entry_point: str = ""

    @property
    def name(self) -> str:
        """The name that a suite writes after `use:`."""
        return self.spec.name

    @property
    def kind(self) -> str:
        """Dataset, extractor, bank, scorer, normalizer or thresholder, in lower case."""
        return self.spec.kind

    @property
    def qualified(self) -> str:
        """`distribution/name`, unique among the components of one kind."""
        return f"{self.distribution}/{self.spec.name}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a plugin (one entry point) is in quarantine.

    Parameters
    ----------
    distribution, version, entry_point
        Which plugin. The version is empty where the metadata are broken.
    stage
        `metadata` (unreadable), `version` (made for another adharness, and not imported),
        `import`, `register` (a hook that is misspelt or takes arguments), `hook` (it raised),
        `record` (not a valid spec), `clash` (a name given twice).
    message
        One sentence with its values.
    traceback
        Of the exception, where there was one; empty otherwise.
    claims
        (kind, name) of the components it yielded before it failed.
    hint
        What to type about it, where that is known.
    """

    distribution: str
    version: str
    entry_point: str
    stage: Stage
    message: str
    traceback: str = ""
    claims: tuple[tuple[str, str], ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed distribution that declares plugins, whether they work or not.

    Parameters
    ----------
    name, version
        As its metadata spell them.
    entry_points
        Names of its entry points in the group `adharness`, sorted.
    hooks
        Names of the hooks that its healthy plugins implement, sorted.
    requires
        The versions of adharness it works with, such as `>=0.1,<0.2`; empty where its metadata
        name none.
    left_out
        Those of its entry points that were not loaded, because only others were asked for.
    """

    name: str
    version: str
    entry_points: tuple[str, ...]
    hooks: tuple[str, ...] = ()
    requires: str = ""
    left_out: tuple[str, ...] = ()
