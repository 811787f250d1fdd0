"""Class-conditional flow matching, with average velocities for sampling in few steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

import augsynth
from augsynth import authoring
from augsynth_flow.augmentation import EXTRAS, augmented
from augsynth_flow.latent import LatentSpace
from augsynth_flow.restorer import Restorer
from augsynth_flow.travelling import travelled
from augsynth_flow.unet import UNet

_NOISE, _TIME, _KEPT, _VARIED = 1, 2, 3, 4  # streams of the noise
_AHEAD = 5e-3  # step of the difference in time
_LARGEST = 64  # pixels of the shorter side that ways lead through; beyond, a latent space
_FULL = 256  # pixels of the shorter side that an autoencoder sees, unless asked for more
_EXACT = 16  # steps where the way is gone in both directions


class Flow(Restorer):
    """Images on straight ways from noise (Lipman et al., "Flow matching for generative modeling", 2023).

    At time t an image x with noise ε is x_t = (1 - t) x + t ε, and the network gives the velocity ε - x. For a share of
    each batch it learns the velocity averaged over a longer way (MeanFlow, Geng et al. 2025), so that two to four
    steps make a sample. Times are logit-normal (Esser et al. 2024), weights are averaged, classifier-free guidance (Ho
    & Salimans 2022) is learnt, and augmentation is told to the network (Karras et al. 2022), so that samples do not
    show it.

    Above 64 pixels the ways lead through a latent space (Rombach et al., "High-resolution image synthesis with latent
    diffusion models", 2022): in the first part of the fit an autoencoder of images is fitted, by a loss of details and
    of what a discriminator of patches sees.

    There is no ``log_prob``: with guidance, and with steps that are few, the density of what is sampled is not that of
    the network.
    """

    training_only = ("network", "codec", "discriminator")
    conditions = frozenset({"label", "multilabel", "number"})

    def build(
        self,
        spec: authoring.ImageSpec,
        *,
        width: int = 32,
        depth: int = 1,
        lr: float = 1e-3,
        averaged_share: float = 0.25,
        augment: float = 0.5,
        mirror: bool = False,
        unlabelled: float = 0.1,
        ema_decay: float = 0.999,
        sampling_steps: int = 4,
        guidance: float = 1.5,
        guided_until: float = 0.8,
        plain_share: float = 0.5,
        resolution: int | None = None,
        latent: bool | None = None,
        latent_channels: int = 8,
        latent_noise: float = 0.1,
        codec_width: int = 48,
        codec_share: float = 0.4,
        mean: float = 0.0,
        spread: float = 0.5,
    ) -> None:
        """
        Args:
            width: channels of the upper level of the U-Net, a multiple of 16; the lower has twice as many.
            depth: blocks of each level.
            lr: learning rate of Adam.
            averaged_share: share of a batch that learns average velocities (0.25 as in Geng et al. 2025).
            augment: probability that an image is shifted, turned and scaled.
            mirror: whether it is flipped, too, for data where left and right mean nothing.
            unlabelled: share of labels that are kept back (0.1 as in Ho & Salimans 2022).
            ema_decay: decay of the average of the weights, once warmed up.
            sampling_steps: steps that make a sample, where :meth:`draw` is given none.
            guidance: how far labels are exaggerated: 1 is not at all, more is truer to the label and less varied. It is
                learnt, and costs nothing in sampling.
            guided_until: time, from 0 for an image to 1 for noise, beyond which labels are not exaggerated: nearer to
                noise that makes samples of a class alike (Kynkäänniemi et al. 2024; 0.8 as the larger models of Geng
                et al. 2025).
            plain_share: share of the fit before guidance is learnt, which needs velocities that are about right.
            mean, spread: of the pixels of the data; found by the fit.
            resolution: pixels of the shorter side that the network sees; None for all. The preset is 256 for larger
                images.
            latent: whether ways lead through a latent space; None for where the shorter side has more than 64 pixels.
            latent_channels, latent_noise: numbers of each of its positions, of variance 1, and the standard deviation
                of the noise on them while it is fitted. 8 was chosen on photographs of leaves kept aside, against the 4
                that are usual (Rombach et al. 2022).
            codec_width: channels of its autoencoder at a quarter of the resolution, a multiple of 16.
            codec_share: share of the fit that the autoencoder has.
        """
        authoring.check_shares(
            averaged_share=averaged_share,
            augment=augment,
            unlabelled=unlabelled,
            plain_share=plain_share,
            codec_share=codec_share,
            guided_until=guided_until,
        )
        authoring.check_whole(width=width, depth=depth, sampling_steps=sampling_steps)
        authoring.check_whole(latent_channels=latent_channels, codec_width=codec_width)
        authoring.check_positive(lr=lr, spread=spread)
        authoring.check_positive(or_zero=True, guidance=guidance, latent_noise=latent_noise)
        authoring.check_shares(below_one=True, ema_decay=ema_decay)
        if width % 16:
            raise augsynth.ConfigError(f"width={width!r}: expected a multiple of 16")
        self.size = authoring.WorkingSize(spec, resolution)
        shorter = min(self.size.shape[1:])
        self.space: LatentSpace | None = None
        self.codec_share = 0.0
        if (shorter > _LARGEST) if latent is None else latent:
            factor = authoring.usual_factor(*self.size.shape[1:])
            self.codec = authoring.ImageCodec(self.size.shape, latent_channels, factor, width=codec_width, grain=True)
            self.discriminator = authoring.PatchDiscriminator(spec.channels)
            self.space = LatentSpace(self.codec, ema_decay, latent_noise)
            self.codec_share, mean, spread = codec_share, 0.0, 1.0
        self.shape = self.size.shape if self.space is None else self.space.shape
        self.network = UNet(
            self.shape, width, depth, classes=spec.num_classes, condition=spec.condition_size, extras=EXTRAS
        )
        self.averaged = authoring.averaged(self.network, ema_decay)
        self.averaged_share, self.augment, self.mirror, self.unlabelled = averaged_share, augment, mirror, unlabelled
        self.sampling_steps, self.guidance, self.plain_share = sampling_steps, guidance, plain_share
        self.lr, self.mean, self.spread, self.guided_until = lr, mean, spread, guided_until

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        own = torch.optim.Adam(self.network.parameters(), lr=self.lr, betas=(0.9, 0.99))
        codec = {} if self.space is None else authoring.codec_optimizers(self.codec, self.discriminator, self.lr)
        return {"model": own, **codec}

    @classmethod
    def settings_from(cls, data: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        x = data.model_x(torch.arange(min(len(data), 1024)))
        return {"mean": round(float(x.mean()), 4), "spread": round(max(float(x.std()), 0.05), 4)}

    def training_step(self, batch: authoring.TrainingBatch) -> Mapping[str, Tensor]:
        seen = self.size.shrunk(batch.x)
        x, told = augmented(seen, authoring.derive(batch.seeds, 0), self.augment, mirror=self.mirror)
        if (space := self.space) is not None:
            if batch.progress < self.codec_share:
                losses = authoring.codec_step(
                    self.optimize,
                    self.codec,
                    self.discriminator,
                    x,
                    lambda z: space.fitted(z, batch.seeds),
                    batch.seeds,
                    adversarial=batch.progress >= self.codec_share / 2,
                )
                space.averaged.update_parameters(self.codec)
                return losses
            x = space.encode(x)
        loss = self._loss(self.network, x, told, batch, averaged=self.averaged_share)
        self.optimize("model", loss)
        self.averaged.update_parameters(self.network)
        return {"loss": loss}

    def validation_loss(self, batch: authoring.TrainingBatch) -> Tensor | None:
        done = self._done(batch.progress)
        if done < 0 or (self.guidance != 1.0 and done < self.plain_share):
            return torch.tensor(float("inf"))  # what is learnt later is another velocity: the two do not compare
        return self._loss(self.averaged, self._seen(batch.x), None, batch, averaged=0.0)

    def _done(self, progress: float) -> float:
        """Share of the part of the fit in which velocities are learnt."""
        return (progress - self.codec_share) / max(1e-9, 1 - self.codec_share)

    def _seen(self, x: Tensor) -> Tensor:
        """(n, C, H, W) in the space that ways lead through, (n, *shape)."""
        small = self.size.shrunk(x)
        return small if self.space is None else self.space.encode(small)

    def _shown(self, z: Tensor, seeds: Tensor | None = None) -> Tensor:
        """(n, *shape) as images (n, C, H, W); of a latent space, with the grain of ``seeds``."""
        return self.size.enlarged(z.clamp(-1.0, 1.0) if self.space is None else self.space.decode(z, seeds))

    def _loss(
        self, network: Any, x: Tensor, told: Tensor | None, batch: authoring.TrainingBatch, *, averaged: float
    ) -> Tensor:
        """Mean squared error of the velocities, plain and averaged ones, and later guided.

        Args:
            x: (n, C, H, W) images.
            told: (n, extras) what augmentation did, or None.
            averaged: share of the batch that learns averages.
        """
        guided = self._done(batch.progress) >= self.plain_share and self.guidance != 1.0
        seeds, labels = batch.seeds, batch.y
        x = x - self.mean
        epsilon = authoring.noise(seeds, x.shape[1:], stream=_NOISE)
        times = authoring.noise(seeds, (2,), stream=_TIME).sigmoid()  # (n, 2), logit-normal
        count = int(averaged * len(x))  # the first of a batch, which was shuffled
        start, end = times[:, 0].clone(), times[:, 0].clone()
        start[:count], end[:count] = times[:count].amax(1), times[:count].amin(1)
        known = torch.ones_like(start)
        if self.training and labels is not None:
            known = (authoring.uniform(seeds, stream=_KEPT) >= self.unlabelled).float()
        way = start[:, None, None, None]
        between, velocity = torch.lerp(x, epsilon, way), epsilon - x
        with torch.no_grad():
            if guided and labels is not None:
                free = self._velocity(network, between, start, start, labels, torch.zeros_like(known), told)
                exaggerated = (self.guidance - 1) * known * (start < self.guided_until)
                velocity = velocity + exaggerated[:, None, None, None] * (velocity - free)
            target = velocity
            if count:
                part = slice(0, count)
                own = None if labels is None else labels[part]
                extras = None if told is None else told[part]

                def average(ahead: float) -> Tensor:
                    moved = between[part] + ahead * velocity[part]
                    return self._velocity(network, moved, end[part], start[part] + ahead, own, known[part], extras)

                # How the average changes along the way, and with it the identity of Geng et al. 2025, who
                # differentiate forward; a central difference needs no such kernels and is exact enough.
                change = (average(_AHEAD) - average(-_AHEAD)) / (2 * _AHEAD)
                length = (start - end)[part, None, None, None]
                target = torch.cat([velocity[part] - length * change, velocity[count:]])
        made = self._velocity(network, between, end, start, labels, known, told)
        error = (made - target).square().flatten(1).mean(1) * self._variance(start) / self.spread**2
        # the bootstrapped target is at times far off; as in the paper, what is counts for less
        scale = torch.where(torch.arange(len(x), device=x.device) < count, 0.2 / (error.detach() + 0.01), 1.0)
        return (error * scale).mean()

    def _variance(self, time: Tensor) -> Tensor:
        """Of an image on its way, at times (n,)."""
        return ((1 - time) * self.spread).square() + time.square()

    def _velocity(
        self,
        network: Any,
        x: Tensor,
        end: Tensor,
        start: Tensor,
        labels: Tensor | None,
        known: Tensor,
        extras: Tensor | None = None,
    ) -> Tensor:
        """Of ``x`` (n, C, H, W), averaged between two times (n,).

        What can be told without a network is told without one, so that what it has to give has mean 0 and variance 1 at
        all times (Karras et al. 2022, section 5, for straight ways).
        """
        variance = self._variance(start)
        kept = (start - (1 - start) * self.spread**2) / variance
        scale = self.spread * variance.rsqrt()
        seen = x * variance.rsqrt()[:, None, None, None]
        made: Tensor = network(seen, end, start, labels, known, extras).float()
        return kept[:, None, None, None] * x - scale[:, None, None, None] * made

    def likely(self, x: Tensor, time: Tensor) -> Tensor:
        labels = None if self.spec.labels is None else self._any_label(time)
        free = torch.zeros_like(time)
        made = self._velocity(self.for_sampling("averaged"), x, time, time, labels, free)
        return x - time[:, None, None, None] * made

    def _any_label(self, time: Tensor) -> Tensor:
        if self.spec.num_classes:
            return torch.zeros_like(time, dtype=torch.int64)
        return torch.zeros(time.shape[0], self.spec.condition_size, device=time.device)

    def draw(
        self,
        labels: Tensor | None,
        seeds: Tensor,
        *,
        temperature: float,
        truncation: float | None,
        sampling_steps: int | None = None,
        solver: str = "average",
        guidance: float | None = None,
        grain: bool = True,
    ) -> Tensor:
        """Args:
        sampling_steps: steps from noise to image; None takes the setting.
        solver: ``"average"``, by average velocities, or ``"heun"``, by those at an instant, two evaluations a step.
        guidance: how far labels are exaggerated; None takes what was learnt, at no cost, and another number takes a
            second evaluation up to the time ``guided_until``.
        grain: whether detail that the autoencoder of larger images does not keep is made up, as noise of its strength.
        """
        x = authoring.noise(seeds, self.shape, truncation=truncation) * temperature
        steps = self.sampling_steps if sampling_steps is None else sampling_steps
        made = self._way(x, 1.0, 0.0, labels, steps=steps, solver=solver, guidance=guidance)
        return self._shown(made + self.mean, seeds if grain else None)

    def remark(self, given: Collection[str]) -> str | None:
        return None if "resolution" in given else authoring.resolution_remark("the flow", self.spec, self.size)

    def vary_batch(
        self,
        x: Tensor,
        labels: Tensor | None,
        seeds: Tensor,
        *,
        strength: float,
        sampling_steps: int | None = None,
    ) -> Tensor:
        """Noise a sample part of the way, and go back (SDEdit, Meng et al. 2022): half of the way at strength 1."""
        start = min(1.0, strength / 2)
        if start == 0.0:
            return x
        seen = self._seen(x)
        noisy = torch.lerp(seen - self.mean, authoring.noise(seeds, seen.shape[1:], stream=_VARIED), start)
        steps = self.sampling_steps if sampling_steps is None else sampling_steps
        made = self._way(noisy, start, 0.0, labels, steps=steps) + self.mean
        # of a larger image what the network does not see, its fine detail, is kept
        if self.space is not None:
            return (x + self._shown(made) - self._shown(seen)).clamp(-1.0, 1.0)
        return made.clamp(-1.0, 1.0) if self.size.same else (x + self.size.enlarged(made - seen)).clamp(-1.0, 1.0)

    def encode_batch(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """The noise (n, d) that :meth:`decode_batch` makes ``x`` of, as the network sees it."""
        return self._way(self._seen(x) - self.mean, 0.0, 1.0, labels, steps=_EXACT, solver="heun").flatten(1)

    def decode_batch(self, z: Tensor, labels: Tensor | None) -> Tensor:
        noise = z.unflatten(1, self.shape)
        return self._shown(self._way(noise, 1.0, 0.0, labels, steps=_EXACT, solver="heun") + self.mean)

    def reconstruct_batch(self, x: Tensor, labels: Tensor | None) -> Tensor:
        return self.decode_batch(self.encode_batch(x, labels), labels)

    def interpolate_batch(self, start: Tensor, end: Tensor, labels: Tensor | None, steps: int) -> Tensor:
        """On the sphere of the noise (Shoemake 1985), where a straight line would leave what noise looks like."""
        a, b = self.encode_batch(start, labels), self.encode_batch(end, labels)
        cosine = torch.nn.functional.cosine_similarity(a, b, dim=1).clamp(-0.9999, 0.9999)
        angle = cosine.acos()[:, None]
        path = []
        for t in torch.linspace(0, 1, steps).tolist():
            z = (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)
            path.append(self.decode_batch(z, labels))
        return torch.stack(path, dim=1)

    def _way(
        self,
        x: Tensor,
        start: float,
        end: float,
        labels: Tensor | None,
        *,
        steps: int,
        solver: str = "average",
        guidance: float | None = None,
    ) -> Tensor:
        """``x`` taken from time ``start`` to ``end``, labels exaggerated by ``guidance``; None: as was learnt."""
        network, share = self.for_sampling("averaged"), self._exaggeration(guidance)

        def velocity(z: Tensor, begun: float, ended: float) -> Tensor:
            at = [torch.full_like(z[:, 0, 0, 0], t) for t in (ended, begun)]
            known = torch.ones_like(at[0])
            made = self._velocity(network, z, at[0], at[1], labels, known)
            if share == 1.0 or begun >= self.guided_until:
                return made
            return torch.lerp(self._velocity(network, z, at[0], at[1], labels, torch.zeros_like(known)), made, share)

        return travelled(velocity, x, start, end, steps=steps, solver=solver)

    def _exaggeration(self, guidance: float | None) -> float:
        """How far to go from the velocity without labels towards that with them, which has the guidance of the fit."""
        if guidance is None or guidance == self.guidance:
            return 1.0
        authoring.check_positive(or_zero=True, guidance=guidance)
        if self.spec.labels is None or not self.unlabelled or not self.guidance:
            raise augsynth.ConfigError(
                f"guidance={guidance!r}: it is told by images with their label and without, and this flow was fitted "
                f"with unlabelled={self.unlabelled}, guidance={self.guidance}"
                f"{' and no labels' if self.spec.labels is None else ''}"
            )
        return guidance / self.guidance

    @classmethod
    def presets(cls, spec: authoring.ImageSpec, n: int) -> dict[str, Any]:
        pixels = spec.height * spec.width
        per_class = n / max(1, spec.num_classes)
        steps = 1500 if per_class < 30 else 2500 if per_class < 300 else 6000 if per_class < 3000 else 12_000
        if pixels <= 256:
            steps = min(steps, 2500)
        # of many images there are enough as they are, and what was done to them costs time to learn
        augment = 0.5 if per_class < 300 else 0.0
        made: dict[str, Any] = {"steps": steps, "batch_size": 64, "augment": augment, "resolution": None}
        if (shorter := min(spec.height, spec.width)) > _LARGEST:
            # by the time of an update, half an hour on two CPU cores at 128 pixels
            made |= {"steps": 8000, "batch_size": 16, "width": 64, "resolution": _FULL if shorter > _FULL else None}
        return made

    @classmethod
    def search_space(cls) -> authoring.SearchSpace:
        return {
            "width": authoring.Choice((32, 48, 64)),
            "lr": authoring.FloatRange(3e-4, 3e-3, log=True),
            "guidance": authoring.FloatRange(1.0, 2.5),
            "augment": authoring.FloatRange(0.0, 0.8),
        }
