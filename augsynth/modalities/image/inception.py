"""The features that FID is computed on."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from augsynth._optional import import_optional, import_torchvision
from augsynth.errors import ConfigError


class Inception:
    """The 2048 features of Inception v3 as FID uses them, by torch-fidelity.

    Args:
        weights: a file of its weights; None takes what torch-fidelity finds or downloads.

    Raises:
        ConfigError: they cannot be had.
    """

    def __init__(self, weights: str | Path | None = None) -> None:
        import_torchvision()
        module = import_optional(
            "torch_fidelity.feature_extractor_inceptionv3", extra="inception", purpose="features of Inception"
        )
        path = None if weights is None else str(weights)
        try:
            self.network = module.FeatureExtractorInceptionV3(
                "inception-v3-compat", ["2048"], feature_extractor_weights_path=path
            ).eval()
        except OSError as error:
            raise ConfigError(
                f"the weights of Inception cannot be had ({error}): download weights-inception-2015-12-05-6726825d.pth "
                "from torch-fidelity's releases into torch.hub's cache, or use another extractor"
            ) from error

    def __call__(self, x: Tensor) -> Tensor:
        eight_bit = ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        colour = eight_bit.expand(-1, 3, -1, -1) if x.shape[1] < 3 else eight_bit[:, :3]
        with torch.no_grad():
            return torch.cat([self.network(part)[0] for part in colour.split(64)])
