"""The classifier of images takes any size, and learns from large ones, too."""

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth.modalities.image.classifier import ImageClassifier
from augsynth.modalities.image.spec import ImageSpec


def spec_of(height: int, width: int, channels: int = 3) -> ImageSpec:
    return ImageSpec.of(torch.zeros(channels, height, width))


@pytest.mark.parametrize(
    "side", [(8, 8), (28, 28), (79, 200), (80, 80), (81, 95), (95, 81), (128, 128), (161, 163), (256, 256)]
)
def test_any_size(side):
    model = ImageClassifier(spec_of(*side), 5)
    x = torch.rand(2, 3, *side) * 2 - 1
    assert model(x).shape == (2, 5)
    assert model.features(x).shape == (2, 128)


def test_large_images_keep_at_least_ten_positions_a_side():
    """Every size from 80 on is halved to 10 to 20 positions: less, and marks of a few pixels are lost."""
    for side in range(80, 257):
        linear = ImageClassifier(spec_of(side, side, 1), 2).body[-2]
        positions = (linear.in_features // 64) ** 0.5
        assert 10 <= positions <= 20, side


def test_sees_what_is_one_pixel_wide_on_a_large_image():
    """Stripes along or across, of one pixel and of any phase, weak in noise: the first convolution skips no detail."""
    rng = torch.Generator().manual_seed(0)
    along = (torch.arange(96) % 2 * 2.0 - 1).expand(96, 96)
    y = torch.arange(64) % 2
    signs = torch.randint(0, 2, (64,), generator=rng) * 2 - 1
    stripes = torch.stack([(along if kind else along.T) * sign for kind, sign in zip(y, signs, strict=True)])
    x = (stripes[:, None] * 0.2 + torch.randn(64, 1, 96, 96, generator=rng) * 0.3).clamp(-1, 1)
    torch.manual_seed(0)
    model = ImageClassifier(spec_of(96, 96, 1), 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for step in range(16):
        pick = torch.arange(step * 16, step * 16 + 16) % 32
        loss = F.cross_entropy(model(x[pick]), y[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        right = (model(x[32:]).argmax(1) == y[32:]).float().mean()
    assert right >= 0.9
