"""What plugin authors test with: the conformance kit. Nothing here is used by a run.

Each check tries one promise of docs/contracts.md, on small made-up worlds: no GPU, no download.

```python
import pytest
from adharness.testing import scorer_checks
from adharness_mine import SPEC

@pytest.mark.parametrize("check", scorer_checks(SPEC), ids=str)
def test_it_conforms(check):
    check()
```
"""

from typing import TYPE_CHECKING

from adharness.deprecation import stand_in
from adharness.testing.check import Check, ConformanceError
from adharness.testing.kinds import (
    bank_checks,
    checks_of,
    conform,
    dataset_checks,
    every_check,
    extractor_checks,
    normalizer_checks,
    scorer_checks,
    thresholder_checks,
)
from adharness.testing.trials import Outcome, Report, Trial
from adharness.testing.worlds import ToyFeatures, ToyWorld, toy_images, toy_world

__all__ = [
    "Check",
    "ConformanceError",
    "Outcome",
    "Report",
    "ToyFeatures",
    "ToyWorld",
    "Trial",
    "bank_checks",
    "checks_of",
    "conform",
    "dataset_checks",
    "every_check",
    "extractor_checks",
    "normalizer_checks",
    "scorer_checks",
    "thresholder_checks",
    "toy_images",
    "toy_world",
]

if not TYPE_CHECKING:  # a type checker would believe in every name

    def __getattr__(name: str) -> object:
        """Give what a name of earlier stands for, with a DeprecationWarning."""
        return stand_in(__name__, name)
