"""Which training images a bank reads and how it shares its rows among them.

Few images (`shots`), turned copies of them (`rotations`), and even shares for the classes of a
merged bank (`balance`): parameters and their meaning, the same for every bank that has them.
"""

from adharness.sampling.balance import even_quotas, images_by_class
from adharness.sampling.params import (
    BalanceParams,
    ReferenceParams,
    ShotsParams,
    balances_classes,
)
from adharness.sampling.references import References, references

__all__ = [
    "BalanceParams",
    "ReferenceParams",
    "References",
    "ShotsParams",
    "balances_classes",
    "even_quotas",
    "images_by_class",
    "references",
]
