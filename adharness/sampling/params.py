"""Parameters that several banks have, with one meaning."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from adharness.contracts.specs import Params


class ShotsParams(Params):
    """Which training images a bank reads: all, or `shots` of them."""

    shots: int | None = Field(None, gt=0, description="training images read; null for all")
    draw: Literal["seed", "block"] = Field(
        "seed",
        description="seed draws them at random; block takes images in a row, in the set's order",
    )
    block: int = Field(
        0, ge=0, description="for draw: block: skips this many times `shots` images first"
    )

    @model_validator(mode="after")
    def _are_read(self) -> ShotsParams:
        if self.shots is None and (self.draw != "seed" or self.block):
            raise ValueError("draw and block choose among images only with shots")
        if self.draw == "seed" and self.block:
            raise ValueError(f"block = {self.block} is read only with draw: block")
        return self


class ReferenceParams(ShotsParams):
    """Which training images a bank reads, and how many turned copies of each."""

    rotations: int = Field(
        1,
        gt=0,
        le=360,
        description="copies of each image, turned in equal steps about its centre; 8: every 45 "
        "degrees",
    )


class BalanceParams(ReferenceParams):
    """As `ReferenceParams`, and how a bank shares its rows among the classes it is trained on."""

    balance: Literal["none", "class"] = Field(
        "none",
        description="class: rows are shared evenly among classes, whatever their number of "
        "images; an upper bound where the protocol hides the class",
    )


def balances_classes(params: Any) -> bool:
    """Tell whether a bank with these parameters must know classes: `BankSpec.needs_class`."""
    return isinstance(params, BalanceParams) and params.balance == "class"
