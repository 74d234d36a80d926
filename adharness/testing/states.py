"""Whether a fitted scorer comes back from its state, and what a scorer must refuse as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.testing import assert_array_equal

from adharness.arrays import AnyArray
from adharness.contracts import FeatureGrid, FittedScorer, Restoring, Scorer, Storable

State = dict[str, AnyArray]


def stored(state: Mapping[str, AnyArray]) -> State:
    """Give a state after it has been written as safetensors and read again."""
    from safetensors.numpy import load, save

    loaded: State = load(save(dict(state)))
    return loaded


def assert_restores(scorer: Scorer, fitted: FittedScorer, features: FeatureGrid) -> None:
    """Raise AssertionError unless the scorer, given the state of a fitted one, scores the same.

    To the last bit, after the state has been written and read, and so does what the restored
    scorer would write in its turn.
    """
    assert isinstance(fitted, Storable)  # noqa: S101  this is a check for tests
    assert isinstance(scorer, Restoring)  # noqa: S101
    restored = scorer.restore(stored(fitted.state()))
    expected, found = fitted.score(features), restored.score(features)
    assert_array_equal(found.patches, expected.patches, strict=True)
    assert_array_equal(found.images, expected.images, strict=True)
    assert isinstance(restored, Storable)  # noqa: S101
    again = restored.state()
    assert again.keys() == fitted.state().keys()  # noqa: S101
    for name, array in fitted.state().items():
        assert_array_equal(again[name], array, strict=True)


def spoiled(state: Mapping[str, AnyArray]) -> Iterator[tuple[str, str, State]]:
    """Give states that a scorer must refuse: what was done, the array's name, and the state.

    Each array in turn is left out, of another type, with an axis more, cut to nothing and, where
    it holds floats, with a NaN and an infinity; and one array is there that nobody knows.
    """
    whole = dict(state)
    yield "unknown", "surplus", {**whole, "surplus": np.zeros(1)}
    for name, array in whole.items():
        yield "missing", name, {key: value for key, value in whole.items() if key != name}
        for what, bad in _spoiled_arrays(array):
            yield what, name, {**whole, name: bad}


def _spoiled_arrays(array: AnyArray) -> Iterator[tuple[str, AnyArray]]:
    yield "another type", array.astype(np.float16)
    yield "another byte order or sign", array.astype(">i4")
    yield "an axis more", array[None]
    yield "nothing in it", array[:0]
    if array.dtype.kind == "f":
        for value in (np.nan, np.inf):
            bad = array.copy()
            bad.flat[-1] = value
            yield f"{value} in it", bad
