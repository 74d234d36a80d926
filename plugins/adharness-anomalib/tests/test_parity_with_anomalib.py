"""The same model, driven by anomalib's own engine: the same maps and scores."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from adharness import FeatureGrid
from adharness_anomalib import ANOMALIB, AnomalibParams

absent = importlib.util.find_spec("anomalib") is None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(absent, reason="anomalib is not installed"),
]


def driven(name: str, train: np.ndarray, test: np.ndarray, state: dict, folder: Path, **options):
    """Train and run a model as anomalib's documentation does, from the given backbone.

    Its images need no resize: 256 x 256 is its own size.
    """
    from anomalib.data import ImageBatch
    from anomalib.engine import Engine
    from anomalib.models import get_model
    from torch.utils.data import DataLoader

    from adharness_anomalib.surroundings import undisturbed
    from adharness_anomalib.weights import backbones

    def batch(items: list) -> ImageBatch:
        images = torch.stack([torch.from_numpy(i).permute(2, 0, 1) / 255 for i in items])
        return ImageBatch(image=images, gt_label=torch.zeros(len(items), dtype=torch.bool))

    with undisturbed(seed=0), backbones("none"):
        model = get_model(name, **options)
        backbone = {k: v for k, v in state.items() if k.startswith("feature_extractor.")}
        model.model.load_state_dict(backbone, strict=False)
        if name == "padim":
            model.model.idx = state["idx"]
        engine = Engine(accelerator="cpu", barebones=True, default_root_dir=folder)
        loader = DataLoader(list(train), batch_size=32, collate_fn=batch)
        engine.fit(model, train_dataloaders=loader)
        with torch.inference_mode():
            out = [model.eval().model(model.pre_processor(batch([i]).image)) for i in test]
    maps = torch.cat([o.anomaly_map for o in out])[:, 0].numpy()
    return maps, torch.cat([o.pred_score.flatten() for o in out]).numpy()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("padim", {"backbone": "resnet18", "n_features": 20}),
        # All rows kept, so that no draw decides the bank.
        ("patchcore", {"backbone": "resnet18", "coreset_sampling_ratio": 1.0}),
    ],
)
def test_maps_and_scores_are_those_of_anomalibs_engine(
    name, options, memory, pictures, tmp_path
) -> None:
    scorer = ANOMALIB.make(AnomalibParams(model=name, weights="none", options=options))
    made = scorer.fit(memory(3, 256), np.random.default_rng(0))
    test = pictures(2, 256, seed=1)
    ours = made.score(FeatureGrid(test))
    state = {
        n.removeprefix("tensor."): torch.from_numpy(np.array(a))
        for n, a in made.state().items()
        if n.startswith("tensor.")
    }
    maps, scores = driven(name, pictures(3, 256), test, state, tmp_path, **options)
    np.testing.assert_allclose(ours.patches, maps, rtol=1e-3, atol=1e-3 * np.abs(maps).max())
    np.testing.assert_allclose(ours.images, scores, rtol=1e-3)
