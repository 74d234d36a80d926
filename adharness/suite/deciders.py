"""What is wrong with a thresholder at its place in a suite: its level, its calibration images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from adharness.contracts.specs import DecisionLevel, ThresholderSpec
from adharness.suite.split import SplitSettings

if TYPE_CHECKING:
    from adharness.registry import Component


def thresholder_flaws(
    thresholder: Component, level: DecisionLevel, split: SplitSettings, known: Sequence[Component]
) -> Iterator[tuple[str, str]]:
    """Say what is wrong with a thresholder that is to decide at this level, and the cures.

    Parameters
    ----------
    known
        All thresholders that are installed.
    """
    if level not in _levels(thresholder):
        yield _misplaced(thresholder, level, known)
    official = split.policy == "official"
    if _needs_labels(thresholder) and (official or split.share("anomalous") == 0):
        names = [c.name for c in known if not _needs_labels(c) and level in _levels(c)]
        free = f", or use one that needs none: {', '.join(names)}" if names else ""
        share = "set split.calibration.anomalous above 0"
        hint = f"set split.policy to holdout{free}" if official else f"{share}{free}"
        yield _lacks(thresholder, "anomalous", split), hint
    # Under `official` the set's own validation images are the normal ones.
    if split.share("normal") == 0:
        hint = "set split.calibration.normal above 0, such as 0.2"
        yield _lacks(thresholder, "normal", split), hint


def _misplaced(
    thresholder: Component, level: DecisionLevel, known: Sequence[Component]
) -> tuple[str, str]:
    theirs = {"image": "`thresholders:`", "pixel": "`pixel_threshold:`"}
    own = " and ".join(theirs[each] for each in _levels(thresholder))
    names = [c.name for c in known if level in _levels(c)]
    fact = f"thresholder '{thresholder.name}' decides no {level}s"
    return fact, f"it belongs under {own}; here may stand: {', '.join(names) or 'none installed'}"


def _lacks(thresholder: Component, kind: str, split: SplitSettings) -> str:
    why = f"split.calibration.{kind} is 0"
    if split.policy == "official":
        why = f"split.policy is official, which holds out no {kind} ones"
    return f"thresholder '{thresholder.name}' needs {kind} calibration images, but {why}"


def _levels(component: Component) -> tuple[DecisionLevel, ...]:
    return component.spec.levels if isinstance(component.spec, ThresholderSpec) else ()


def _needs_labels(component: Component) -> bool:
    return isinstance(component.spec, ThresholderSpec) and component.spec.needs_labels
