"""A VQ-VAE, and a causal transformer as the density of its codes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

import augsynth
from augsynth import authoring
from augsynth_vqvae.prior import Prior, write
from augsynth_vqvae.quantiser import Quantiser

_CODE, _KEPT, _MIRROR, _REPLACED, _VARIED = 1, 2, 3, 4, 5  # streams of the noise
_LARGEST = 64  # pixels of the shorter side of images without grain


class VQVAE(augsynth.Generator):
    """Images as a grid of codes (van den Oord et al., "Neural discrete representation learning", 2017), and a causal
    transformer, told of the label, that writes such grids.

    In the first part of the fit images become codes and codes images, by a loss of details and of what a discriminator
    of patches sees (Esser et al., "Taming transformers", 2021), with the quantiser of Mentzer et al. 2024. In the
    second the transformer learns which codes follow which; samples are drawn from it, code by code.
    """

    training_only = ("codec", "discriminator")
    conditions = frozenset({"label", "multilabel", "number"})

    def build(
        self,
        spec: authoring.ImageSpec,
        *,
        factor: int | None = None,
        levels: Sequence[int] = (8, 6, 5),
        width: int = 48,
        prior_width: int = 128,
        prior_depth: int = 4,
        prior_heads: int = 4,
        dropout: float = 0.1,
        lr: float = 1e-3,
        prior_lr: float = 1e-3,
        weight_decay: float = 0.05,
        codec_share: float = 0.4,
        adversarial_share: float = 0.5,
        mirror: bool = False,
        unlabelled: float = 0.1,
        guidance: float = 1.0,
        replaced: float = 0.05,
        ema_decay: float = 0.999,
        resolution: int | None = None,
    ) -> None:
        """
        Args:
            factor: pixels along the side of a code, a power of two from 2 up; None leaves 4 to 16 codes along the
                shorter side.
            levels: of each number of a code; their product is the number of codes. ``(8, 6, 5)`` and ``(8, 5, 5, 5)``
                are those of Mentzer et al. 2024 for 240 and 1,000.
            width: channels of the autoencoder at a quarter of the resolution, a multiple of 16.
            prior_width, prior_depth, prior_heads: of the transformer.
            dropout: share dropped in it.
            lr: learning rate of Adam, for the autoencoder and its discriminator.
            prior_lr, weight_decay: of AdamW, for the transformer.
            codec_share: share of the fit that the autoencoder has.
            adversarial_share: share of that in which the discriminator counts.
            mirror: whether images are flipped, too, for data where left and right mean nothing.
            unlabelled: share of labels that are kept back, so that ``guidance`` can be used.
            guidance: how far labels are exaggerated in sampling: 1 is not at all, more is truer to the label, less
                varied, and twice the work.
            replaced: share of codes that the transformer sees wrongly while it is fitted, so that its own mistakes do
                not lead it astray.
            ema_decay: decay of the averages of the weights, once warmed up.
            resolution: pixels of the shorter side that the networks see; None for all. The preset is 256 for larger
                images.
        """
        authoring.check_shares(
            codec_share=codec_share, adversarial_share=adversarial_share, unlabelled=unlabelled, replaced=replaced
        )
        authoring.check_whole(width=width, prior_width=prior_width, prior_depth=prior_depth, prior_heads=prior_heads)
        authoring.check_positive(lr=lr, prior_lr=prior_lr)
        authoring.check_positive(or_zero=True, weight_decay=weight_decay, guidance=guidance)
        authoring.check_shares(below_one=True, dropout=dropout, ema_decay=ema_decay)
        if prior_width % prior_heads:
            raise augsynth.ConfigError(f"prior_width={prior_width!r}: expected a multiple of prior_heads={prior_heads}")
        self.size = authoring.WorkingSize(spec, resolution)
        factor = authoring.usual_factor(*self.size.shape[1:]) if factor is None else factor
        self.quantiser = Quantiser(levels)
        large = min(self.size.shape[1:]) > _LARGEST
        self.codec = authoring.ImageCodec(self.size.shape, len(levels), factor, width=width, grain=large)
        self.discriminator = authoring.PatchDiscriminator(spec.channels)
        self.prior = Prior(
            self.quantiser.codes,
            self.codec.grid[1:],
            width=prior_width,
            depth=prior_depth,
            heads=prior_heads,
            dropout=dropout,
            classes=spec.num_classes,
            condition=spec.condition_size,
        )
        self.averaged: Any = authoring.averaged(self.codec, ema_decay)
        self.averaged_prior: Any = authoring.averaged(self.prior, ema_decay)
        self.grid = self.codec.grid
        self.lr, self.prior_lr, self.weight_decay = lr, prior_lr, weight_decay
        self.codec_share, self.adversarial_share = codec_share, adversarial_share
        self.mirror, self.unlabelled, self.guidance, self.replaced = mirror, unlabelled, guidance, replaced

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {
            **authoring.codec_optimizers(self.codec, self.discriminator, self.lr),
            "prior": torch.optim.AdamW(
                self.prior.parameters(), lr=self.prior_lr, betas=(0.9, 0.95), weight_decay=self.weight_decay
            ),
        }

    def training_step(self, batch: authoring.TrainingBatch) -> Mapping[str, Tensor]:
        x = self.size.shrunk(batch.x)
        if self.mirror:
            flipped = authoring.uniform(batch.seeds, stream=_MIRROR) < 0.5
            x = torch.where(flipped[:, None, None, None], x.flip(-1), x)
        if batch.progress < self.codec_share:
            done = batch.progress / self.codec_share
            losses = authoring.codec_step(
                self.optimize,
                self.codec,
                self.discriminator,
                x,
                self.quantiser,
                batch.seeds,
                adversarial=done >= 1 - self.adversarial_share,
            )
            self.averaged.update_parameters(self.codec)
            return losses
        codes = self._codes(x).flatten(1)
        wrong = authoring.uniform(batch.seeds, codes.shape[1:], stream=_REPLACED)
        # below the share a code is wrong, and how far below says which it is
        drawn = (wrong / max(self.replaced, 1e-9) * self.quantiser.codes).long().clamp(max=self.quantiser.codes - 1)
        known = (authoring.uniform(batch.seeds, stream=_KEPT) >= self.unlabelled).float()
        logits = self.prior(torch.where(wrong < self.replaced, drawn, codes), batch.y, known)
        loss = F.cross_entropy(logits.flatten(0, 1), codes.flatten())
        self.optimize("prior", loss)
        self.averaged_prior.update_parameters(self.prior)
        return {"code": loss}

    def validation_loss(self, batch: authoring.TrainingBatch) -> Tensor | None:
        if batch.progress <= self.codec_share:
            return torch.tensor(float("inf"))  # what codes mean still changes
        codes = self._codes(self.size.shrunk(batch.x)).flatten(1)
        logits = self.averaged_prior(codes, batch.y, torch.ones(len(codes), device=codes.device))
        return F.cross_entropy(logits.flatten(0, 1), codes.flatten())

    @torch.no_grad()
    def _codes(self, x: Tensor) -> Tensor:
        """(n, C, h, w) as the networks see them → codes (n, rows, columns)."""
        codes: Tensor = self.quantiser.encode(self.averaged.module.encode(x).float())
        return codes

    def _shown(self, z: Tensor, seeds: Tensor | None = None) -> Tensor:
        """Quantised vectors (n, channels, rows, columns) → images (n, C, H, W); larger ones with the grain of seeds."""
        return self.size.enlarged(self.for_sampling("averaged")(z, seeds).float())

    def draw(
        self,
        labels: Tensor | None,
        seeds: Tensor,
        *,
        temperature: float,
        truncation: float | None,
        top_p: float | None = None,
        guidance: float | None = None,
        grain: bool = True,
    ) -> Tensor:
        """
        Args:
            temperature: divides the logits of codes; 0 takes the likeliest.
            truncation: the same as ``top_p``, where that is not given: the share of probability to keep.
            top_p: choose among the likeliest codes that together have this probability.
            guidance: how far labels are exaggerated; None takes the setting.
            grain: whether detail of images of more than 64 pixels that the codes do not keep is made up, as noise of
                its strength.
        """
        numbers = authoring.uniform(seeds, (self.grid[1] * self.grid[2],), stream=_CODE)
        codes = write(
            self.averaged_prior.module,
            labels,
            numbers,
            temperature=temperature,
            top_p=authoring.checked_top_p(top_p, truncation),
            guidance=self.guidance if guidance is None else guidance,
        )
        return self._shown(self.quantiser.decode(codes.unflatten(1, self.grid[1:])), seeds if grain else None)

    def vary_batch(self, x: Tensor, labels: Tensor | None, seeds: Tensor, *, strength: float) -> Tensor:
        """x + dec(c') - dec(c): the change that other codes make, on the real image itself.

        Of the codes c half, at strength 1, are drawn anew, each given those before it.
        """
        codes = self._codes(self.size.shrunk(x)).flatten(1)
        kept = authoring.uniform(seeds, codes.shape[1:], stream=_VARIED) >= strength / 2
        numbers = authoring.uniform(seeds, codes.shape[1:], stream=_CODE)
        drawn = write(
            self.averaged_prior.module,
            labels,
            numbers,
            temperature=1.0,
            top_p=0.95,
            guidance=1.0,
            given=codes,
            kept=kept,
        )
        both = self.quantiser.decode(torch.cat([drawn, codes]).unflatten(1, self.grid[1:]))
        moved, still = self._shown(both).chunk(2)
        return (x + moved - still).clamp(-1.0, 1.0)

    def encode_batch(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """The quantised vectors of ``x``, (n, d) in [-1, 1]."""
        return self.quantiser.decode(self._codes(self.size.shrunk(x))).flatten(1)

    def decode_batch(self, z: Tensor, labels: Tensor | None) -> Tensor:
        return self._shown(z.unflatten(1, self.grid))

    def reconstruct_batch(self, x: Tensor, labels: Tensor | None) -> Tensor:
        return self.decode_batch(self.encode_batch(x, labels), labels)

    def interpolate_batch(self, start: Tensor, end: Tensor, labels: Tensor | None, steps: int) -> Tensor:
        a, b = self.encode_batch(start, labels), self.encode_batch(end, labels)
        path = [self.decode_batch(torch.lerp(a, b, float(t)), labels) for t in torch.linspace(0, 1, steps)]
        return torch.stack(path, dim=1)

    def export(self, format: str, path: str | Path, **options: Any) -> Path:
        """Not offered: a file would hold every one of the steps in which codes follow one another."""
        raise augsynth.CapabilityError(
            f"{self._name} writes {self.grid[1] * self.grid[2]} codes one after the other, and a file would hold the "
            "network as many times: export a generator that makes an image at once, such as 'flow'"
        )

    def remark(self, given: Collection[str]) -> str | None:
        return None if "resolution" in given else authoring.resolution_remark("the VQ-VAE", self.spec, self.size)

    @classmethod
    def presets(cls, spec: authoring.ImageSpec, n: int) -> dict[str, Any]:
        per_class = n / max(1, spec.num_classes)
        large = min(spec.height, spec.width) > _LARGEST
        # Fashion-MNIST, 100 a class, after six minutes on one core, three seeds: a Fréchet distance of 2.0 against
        # 2.9 with batches of 64, and 77 % CAS against 76
        batch_size = 16 if large else 32 if spec.height * spec.width > 256 else 64
        # large: by the time of an update, half an hour to an hour on two CPU cores at 128 pixels
        steps = 8000 if large else (2000 if per_class < 300 else 4000) * (64 // batch_size)
        return {
            "steps": steps,
            "batch_size": batch_size,
            # 8x8 digits: 91 % of the samples had their label with 25 codes a place, 28 % with 240, after 100 s
            "levels": (8, 5, 5, 5) if large else (5, 5) if min(spec.height, spec.width) <= 16 else (8, 6, 5),
            "resolution": 256 if min(spec.height, spec.width) > 256 else None,
        }

    @classmethod
    def search_space(cls) -> authoring.SearchSpace:
        return {
            "prior_width": authoring.IntRange(64, 256, log=True),
            "dropout": authoring.FloatRange(0.0, 0.4),
            "prior_lr": authoring.FloatRange(3e-4, 3e-3, log=True),
        }
