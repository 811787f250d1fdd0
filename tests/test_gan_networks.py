"""Blocks of the GAN compute what they say, by fewer multiplications."""

import pytest
import torch
from augsynth_gan.networks import Discriminator, DiscriminatorBlock, GeneratorBlock, ImageGenerator
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses


@pytest.mark.parametrize("side", [(8, 8), (14, 28), (7, 7), (6, 9)])
@pytest.mark.parametrize("first", [True, False])
def test_a_discriminator_block_is_two_convolutions_and_a_mean(side, first):
    torch.manual_seed(0)
    block = DiscriminatorBlock(4, 6, down=True, first=first).double().eval()
    x = torch.randn(3, 4, *side, dtype=torch.float64)
    plain = block.conv2(F.relu(block.conv1(x if first else F.relu(x))))
    plain = F.avg_pool2d(plain, 2, ceil_mode=True) + block.skip(F.avg_pool2d(x, 2, ceil_mode=True))
    assert torch.allclose(block(x), plain, atol=1e-12)


@pytest.mark.parametrize("side", [(4, 4), (5, 7)])
def test_a_generator_block_is_upsampling_and_two_convolutions(side):
    torch.manual_seed(0)
    block = GeneratorBlock(4, 6, classes=3).double().eval()
    x, labels = torch.randn(3, 4, *side, dtype=torch.float64), torch.arange(3)
    doubled = F.interpolate(F.relu(block.norm1(x, labels)), scale_factor=2.0)
    plain = F.conv2d(doubled, block.conv1.weight, block.conv1.bias, padding=1)
    plain = block.conv2(F.relu(block.norm2(plain, labels))) + F.interpolate(block.skip(x), scale_factor=2.0)
    assert torch.allclose(block(x, labels), plain, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 13), (1, 21, 30), (3, 32, 32), (1, 3, 3)])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_gradients_reach_every_weight(shape, multiplier):
    torch.manual_seed(0)
    generator = ImageGenerator(shape, 8, 16, 3, base_multiplier=multiplier)
    discriminator = Discriminator(shape, 16, 3, base_multiplier=multiplier)
    made = generator(torch.randn(6, 8), torch.arange(6) % 3)
    assert made.shape == (6, *shape)
    discriminator(made, torch.arange(6) % 3).square().sum().backward()
    for network in (generator, discriminator):
        assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in network.parameters())
