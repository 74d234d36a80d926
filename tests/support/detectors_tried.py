"""What every detector of another library does on a toy world, once it is a scorer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from adharness import FeatureGrid, FittedScorer
from adharness.testing import ToyWorld


def assert_defects_stand_out(
    world: ToyWorld, on_patches: FittedScorer, on_images: FittedScorer
) -> None:
    """Each defect scores above every normal patch, and its image above every normal image."""
    odd, normal = (on_patches.score(f).patches for f in (world.anomalous, world.normal))
    assert odd[world.defects].min() > normal.max()
    odd, normal = (on_images.score(f).images for f in (world.anomalous, world.normal))
    assert odd.min() > normal.max()


def assert_each_image_scores_alone(
    fitted: Callable[[], FittedScorer], features: FeatureGrid
) -> None:
    """A second fit scores the same to the bit, in another order and image by image."""
    patches = features.patches
    whole, again = fitted().score(features).patches, fitted()
    order = np.array([3, 0, 5, 1, 4, 2])
    np.testing.assert_array_equal(again.score(FeatureGrid(patches[order])).patches, whole[order])
    alone = [again.score(FeatureGrid(patches[i : i + 1])).patches[0] for i in range(6)]
    np.testing.assert_array_equal(np.stack(alone), whole)
