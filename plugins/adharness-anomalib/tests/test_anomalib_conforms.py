"""The conformance kit, where anomalib is installed; there are no examples to try where not."""

from __future__ import annotations

import pytest

from adharness.testing import scorer_checks
from adharness_anomalib import ANOMALIB

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("check", scorer_checks(ANOMALIB), ids=str)
def test_anomalib_keeps_the_contract_of_scorers(check) -> None:
    check()
