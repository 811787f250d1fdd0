"""The grain of photographs: detail that an autoencoder does not keep, as noise of the strength that it has there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth.seeding import uniform

_HIDDEN = 32  # channels of a head
_AROUND = 5  # positions of the side in which the detail of what is made is measured
_MEAN_ABSOLUTE = math.sqrt(2 / math.pi)  # of a normal number of variance 1
_PER_WIDTH = math.sqrt(12)  # the width of a uniform distribution of variance 1
_FAINT = 1e-5  # of a variance: what no image of 256 levels shows
_STREAM = 61  # of the noise, one for each band
_MOST = 0.3  # of a standard deviation, of half the range: more of it made a rim of dots along outlines
_START, _NONE = -1.0, -20.0  # of a head: a standard deviation of .08, and one that nobody sees


class Grain(nn.Module):
    """How much more detail real images have than a decoder makes, in each place, band and colour.

    Of what an autoencoder cannot tell its decoder gives the mean, and photographs come back smooth. What is missing has
    no form that is worth telling, only a strength: as video codecs do with the grain of film (Norkin & Birkbeck, "Film
    grain synthesis for AV1 video codec", DCC 2018), that is predicted, from what the decoder sees, and noise of it is
    added. The strength is that of the finest bands of a wavelet transform (Haar's).

    Args:
        colours: channels of an image.
        widths: channels of what the decoder sees at half the resolution, and at a quarter: a band each.
    """

    mixing: Tensor
    haar: Tensor

    def __init__(self, colours: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.heads = nn.ModuleList()
        for width in widths:
            last = nn.Conv2d(_HIDDEN, 3 * colours, 1)
            for parameter, start in zip(last.parameters(), (0.0, _START), strict=True):
                nn.init.constant_(parameter, start)
            self.heads.append(nn.Sequential(nn.Conv2d(width, _HIDDEN, 3, padding=1), nn.SiLU(), last))
        # brightness, and differences of colours: apart, since grain is mostly of the one (a cosine transform)
        row, column = torch.meshgrid(torch.arange(colours), torch.arange(colours), indexing="ij")
        mixing = torch.cos(math.pi * (column + 0.5) * row / colours) * math.sqrt(2 / colours)
        mixing[0] = colours**-0.5
        self.register_buffer("mixing", mixing, persistent=False)
        signs = [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]
        self.register_buffer("haar", torch.tensor(signs) / 2.0, persistent=False)  # its own inverse

    def forward(self, seen: Sequence[Tensor], seeds: Tensor) -> Tensor:
        """Grain of images, (n, C, H, W), to be added to them.

        Args:
            seen: what the decoder sees, (n, widths[0], H / 2, W / 2) and (n, widths[1], H / 4, W / 4).
            seeds: (n,) int64.
        """
        strengths = [self._strength(level, z) for level, z in enumerate(seen)]
        low = torch.zeros_like(strengths[-1][:, :, 0])
        for level in reversed(range(len(strengths))):
            # uniform numbers take a third of the time of normal ones, and a pixel is a sum of six
            drawn = uniform(seeds, strengths[level].shape[1:], stream=_STREAM + level) - 0.5
            bands = strengths[level] * _PER_WIDTH * drawn
            low = self._joined(torch.cat([low[:, :, None], bands], dim=2))
        return torch.einsum("oc,nohw->nchw", self.mixing, low)

    def loss(self, seen: Sequence[Tensor], made: Tensor, real: Tensor) -> Tensor:
        """How far the strengths are off, for images of a decoder (n, C, H, W) and the real ones.

        It is the likelihood of a Laplace distribution, which asks for the mean absolute detail and not its mean square:
        few strong edges that came back in another place are no grain. Nothing but the strengths learns by it.
        """
        rows, columns = (side // 2 ** len(self.heads) * 2 ** len(self.heads) for side in real.shape[-2:])
        both = torch.cat([made, real]).detach().float()[..., :rows, :columns]
        both = torch.einsum("oc,nchw->nohw", self.mixing, both)
        loss = real.new_zeros((), dtype=torch.float32)
        for level in range(len(self.heads)):
            bands = self._parted(both)
            both = bands[:, :, 0]
            of_made, of_real = bands[:, :, 1:].abs().chunk(2)
            strength = self._strength(level, seen[level].detach()[..., : of_real.shape[-2], : of_real.shape[-1]])
            pooled = F.avg_pool2d(of_made.flatten(1, 2), _AROUND, 1, _AROUND // 2, count_include_pad=False)
            there = pooled.view_as(of_made) / _MEAN_ABSOLUTE
            expected = (strength.square() + there.square() + _FAINT).sqrt() * _MEAN_ABSOLUTE
            loss = loss + (expected.log() + of_real / expected).mean()
        return loss

    def _strength(self, level: int, seen: Tensor) -> Tensor:
        """Standard deviations (n, C, 3, h, w) of the bands of a level."""
        told: Tensor = self.heads[level](seen).float()
        return _MOST * told.unflatten(1, (-1, 3)).sigmoid()  # with a gradient wherever it is: it can always come back

    def _parted(self, x: Tensor) -> Tensor:
        """(n, C, 2h, 2w) → (n, C, 4, h, w): its bands, the coarse one first."""
        return torch.einsum("kj,ncjhw->nckhw", self.haar, F.pixel_unshuffle(x, 2).unflatten(1, (-1, 4)))

    def _joined(self, bands: Tensor) -> Tensor:
        """(n, C, 4, h, w) → (n, C, 2h, 2w): back again."""
        return F.pixel_shuffle(torch.einsum("kj,nckhw->ncjhw", self.haar, bands).flatten(1, 2), 2)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        """Checkpoints of before there was grain have none."""
        known: Any = state_dict
        if not any(key.startswith(prefix) for key in known):
            for name, value in self.state_dict().items():
                known[prefix + name] = torch.full_like(value, _NONE) if name.endswith("2.bias") else value
        super()._load_from_state_dict(known, prefix, *rest)
