from __future__ import annotations

import pytest
from pydantic import ValidationError

from adharness import Preprocess, Tile
from adharness_timm import TimmParams


@pytest.mark.parametrize(("fields", "said"), [
    ({"tile": {"size": 64, "overlap": 64}}, "overlap 64 is no less than a tile of \\[64, 64\\]"),
    ({"tile": {"size": 64, "overlap": -1}}, "greater than or equal to 0"),
    ({"tile": {"size": 300}}, "a tile of \\[300, 300\\] is larger than resize \\[256, 256\\]"),
    ({"tile": {"size": 200}, "crop": 128}, "is larger than crop \\[128, 128\\]"),
    ({"tile": {"size": 64, "step": 8}}, "Extra inputs"),
])  # fmt: skip
def test_mistaken_tiles_are_refused(fields, said):
    with pytest.raises(ValidationError, match=said):
        TimmParams(**fields)


def test_what_was_named_before_there_were_tiles_keeps_its_name():
    before = TimmParams().identity()
    assert "tile" not in before
    assert "pad" not in before
    tiled = TimmParams(tile={"size": 64, "overlap": 8}, pad=True).identity()
    assert tiled == {
        **before, "pad": True, "tile": {"size": [64, 64], "overlap": 8, "blend": "linear"}
    }  # fmt: skip


def test_the_engine_is_told_to_pad_and_to_cut(make):
    extractor = make(
        model="test_resnet", weights="random", layers=[1], resize=[96, 128], pad=True,
        tile={"size": [64, 32], "overlap": 8, "blend": "nearest"},
    )  # fmt: skip
    told = Preprocess(96, 128, "bilinear", None, True, Tile(64, 32, 8, "nearest"))
    assert extractor.preprocess == told
    assert told.input_size == (64, 32)
    assert told.seen_size == (96, 128)
