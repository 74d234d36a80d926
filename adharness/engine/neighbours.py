"""How often a merged bank answers for one class with a row of another."""

from __future__ import annotations

from adharness.arrays import Int64


def cross_class_share(neighbours: Int64, classes: Int64) -> float:
    """Share of patches whose nearest row of the bank is of another class than their image.

    Parameters
    ----------
    neighbours : (n, C) int64
        Patches of each image by the class of their nearest row; at least one patch in all.
    classes : (n,) int64
        The class of each image.

    Returns
    -------
    float
        In [0, 1]; 0 where every patch finds a row of its own class.
    """
    own = neighbours[range(len(classes)), classes].sum()
    return float(1.0 - own / neighbours.sum())
