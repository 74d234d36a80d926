"""What the workers of a cluster offer, and what a stage needs of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

StageName: TypeAlias = Literal["extract", "fit", "judge"]
Needs: TypeAlias = Mapping[str, float]
"""Amounts of what a worker must offer to be given a unit."""


@dataclass(frozen=True)
class Offer:
    """What one Dask worker has."""

    worker: str
    slots: int
    resources: Needs

    def slots_for(self, needs: Needs) -> int:
        """How many units with these needs it takes at once."""
        most = [int(self.resources.get(name, 0) // amount) for name, amount in needs.items()]
        return min([self.slots, *most])


def missing(stage: StageName, needs: Needs, offers: Sequence[Offer]) -> str:
    """Say what is missing, and what is there instead."""
    if not offers:
        return "the scheduler has no workers yet"
    wanted = ", ".join(f"{name}={amount:g}" for name, amount in needs.items())
    has = {", ".join(f"{n}={a:g}" for n, a in o.resources.items()) or "nothing" for o in offers}
    offered = " or ".join(sorted(has))
    return f"none of {len(offers)} workers offers {wanted} for {stage}; they offer {offered}"
