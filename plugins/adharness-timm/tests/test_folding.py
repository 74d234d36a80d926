from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from adharness_timm.folding import folded


def trained_norms(module):
    """Random running statistics, so that folding has something to do."""
    noise = torch.Generator().manual_seed(1)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(generator=noise)
            part.running_var.uniform_(0.5, 2, generator=noise)
    return module.eval()


def layers(module, images):
    return module.forward_intermediates(images, intermediates_only=True)


def test_folding_removes_every_normalization_and_keeps_the_features():
    net = trained_norms(timm.create_model("test_efficientnet", num_classes=0))
    noise = torch.Generator().manual_seed(2)
    result, _ = folded(net, layers, torch.randn(1, 3, 64, 64, generator=noise))
    assert result is not net
    images = torch.randn(3, 3, 64, 64, generator=noise)
    with torch.inference_mode():
        for before, after in zip(layers(net, images), layers(result, images), strict=True):
            assert (before - after).abs().max() <= 1e-4 * before.abs().max()
    used = [name for name, m in result.named_modules() if isinstance(m, nn.BatchNorm2d)]
    assert used in ([], ["bn2"])  # the head is not run


class Shared(nn.Module):
    """One convolution whose output is used twice: folding it would be wrong."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, images):
        made = self.conv(images)
        return self.norm(made) + made


def test_a_net_that_folding_would_change_is_left_as_it_is():
    net = trained_norms(Shared())
    result, _ = folded(net, lambda module, images: [module(images)], torch.ones(1, 3, 8, 8))
    assert result is net
    assert isinstance(net.norm, nn.BatchNorm2d)


def test_a_net_without_normalization_is_left_as_it_is():
    net = nn.Conv2d(3, 4, 3)
    assert folded(net, lambda module, x: [module(x)], torch.ones(1, 3, 8, 8))[0] is net


@pytest.mark.parametrize(("norms", "runs"), [(True, 2), (False, 1)])
def test_the_probe_runs_once_and_once_more_where_a_folded_net_is_to_be_compared(norms, runs):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4) if norms else nn.Identity()).eval()
    ran = []

    def forward(module, images):
        ran.append(module)
        return [module(images)]

    probe = torch.ones(1, 3, 8, 8)
    result, given = folded(net, forward, probe)
    assert (len(ran), result is net) == (runs, not norms)
    torch.testing.assert_close(given[0], net(probe))
