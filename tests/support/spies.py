"""Components that count what a run asks of them, and a cache that loses its arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adharness import ExtractorSpec, FeatureGrid, ScorerSpec, Scores
from adharness.arrays import UInt8
from adharness.baselines.pixel_patches import PixelPatches, PixelPatchesParams
from adharness.contracts import Params
from adharness.engine.feature_cache import FeatureCache


class NoParams(Params):
    """Nothing to set."""


@dataclass
class Spy:
    """Extractor `spied` and scorer `watched`, whose calls are written down."""

    extracted: list[int] = field(default_factory=list)
    """Images of each batch."""
    fitted: int = 0
    scored: int = 0
    made: int = 0
    """How often the extractor was built."""

    @property
    def work(self) -> tuple[int, int, int]:
        """Batches extracted, models fitted, images scored."""
        return len(self.extracted), self.fitted, self.scored

    def specs(self) -> list[Any]:
        """Give the components, for `bench.run(extra=...)`."""
        spy = self

        class Counted(PixelPatches):
            def extract(self, images: UInt8) -> FeatureGrid:
                spy.extracted.append(len(images))
                return super().extract(images)

        def make(params: PixelPatchesParams) -> PixelPatches:
            spy.made += 1
            return Counted(params)

        class Watched:
            def fit(self, memory: Any, rng: Any) -> Watched:
                spy.fitted += 1
                return self

            def score(self, features: FeatureGrid) -> Scores:
                spy.scored += 1
                return Scores(patches=features.patches.max(axis=-1))

        return [
            ExtractorSpec(name="spied", params=PixelPatchesParams, make=make, summary="counts"),
            ScorerSpec(
                name="watched", params=NoParams, make=lambda _: Watched(), needs="bag",
                summary="counts",
            ),
        ]  # fmt: skip


SPIED: dict[str, Any] = {
    "extractors": {"px": {"use": "spied", "resize": 64, "patch_px": 8}},
    "methods": [
        {"name": "seen", "extractor": "px", "bank": {"use": "all"}, "scorer": {"use": "watched"}}
    ],
}
"""Changes that make the tiny suite one that is watched."""


def prune_all(cache: Path) -> int:
    """Age every entry by a day and prune the cache to nothing; give how many entries went."""
    held = FeatureCache(cache)
    for entry in held.entries():
        for path in entry.folder.iterdir():
            os.utime(path, (entry.used - 86_400, entry.used - 86_400))
    return len(held.prune(0))
