"""A record to be found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adharness import Params, ScorerSpec


class NoParams(Params):
    """Nothing to set."""


@pytest.fixture
def make_scorer() -> Callable[[str], ScorerSpec]:
    def make(name: str) -> ScorerSpec:
        return ScorerSpec(
            name=name, params=NoParams, make=lambda _: None, needs="bag", summary="Fake."
        )

    return make
