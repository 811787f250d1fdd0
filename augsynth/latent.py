"""Generators with a latent space: sampling from a mixture fitted on it, and variation of real samples in it."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from augsynth.errors import ConfigError
from augsynth.generator.generator import Generator
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import noise, uniform

_COMPONENT, _SCALE, _OTHER_CLASS, _TARGET = 11, 12, 13, 14  # streams of the draws below


class LatentMixture(nn.Module):
    """A Gaussian mixture per class over latents, and the covariance within each class.

    Fitting a density on the latents after training, and sampling from it rather than from the prior, is the ex-post
    density estimation of Ghosh et al., "From variational to deterministic autoencoders", ICLR 2020. Covariances are
    shrunk towards the one pooled over the classes (Friedman, "Regularized discriminant analysis", JASA 1989), so that
    ten samples of a class are enough; a component stands for at least twenty samples, so that none is a copy of one.

    Args:
        classes: number of classes, 1 when unconditional.
        components: largest number of components of a class (10 as in the paper).
        dim: size of a latent.
        condition: length of a vector of labels or numbers, 0 for none. What it tells of a latent is then found by ridge
            regression, and the mixture is that of what is left, alike for all.
    """

    slope: Tensor
    weights: Tensor
    means: Tensor
    factors: Tensor
    within: Tensor
    pooled: Tensor
    counts: Tensor
    _SAMPLES_PER_COMPONENT: ClassVar[int] = 20

    def __init__(self, classes: int, components: int, dim: int, condition: int = 0) -> None:
        super().__init__()
        self.register_buffer("weights", torch.full((classes, components), 1.0 / components))
        self.register_buffer("means", torch.zeros(classes, components, dim))
        self.register_buffer("factors", torch.eye(dim).repeat(classes, components, 1, 1))
        self.register_buffer("within", torch.eye(dim).repeat(classes, 1, 1))
        self.register_buffer("pooled", torch.eye(dim))
        self.register_buffer("counts", torch.zeros(classes))
        if condition:
            self.register_buffer("slope", torch.zeros(condition + 1, dim))

    def fit(self, z: Tensor, labels: Tensor) -> None:
        """Fit on latents (n, d) of classes (n,) int64, or of vectors (n, condition). Deterministic."""
        from sklearn.mixture import GaussianMixture  # a second to import: only who fits pays

        if labels.is_floating_point():
            design = _with_one(labels.double().cpu())
            ridge = torch.eye(design.shape[1], dtype=torch.float64)
            told = torch.linalg.solve(design.T @ design + ridge, design.T @ z.double().cpu())
            self.slope.copy_(told)
            z, labels = z.double().cpu() - design @ told, torch.zeros(len(z), dtype=torch.int64)
        points, classes = z.double().cpu().numpy(), labels.cpu().numpy()
        dim = points.shape[1]
        residuals = np.concatenate([points[classes == c] - points[classes == c].mean(0) for c in np.unique(classes)])
        pooled = residuals.T @ residuals / max(len(residuals) - 1, 1) + 1e-6 * np.eye(dim)
        self.pooled.copy_(torch.linalg.cholesky(torch.from_numpy(pooled)))
        for c in range(len(self.counts)):
            members = points[classes == c]
            self.counts[c] = len(members)
            if len(members) == 0:
                continue
            centred = members - members.mean(0)
            own = self._shrunk(centred.T @ centred / max(len(members) - 1, 1), len(members), pooled)
            self.within[c].copy_(_factor(own))
            k = max(1, min(self.weights.shape[1], len(members) // self._SAMPLES_PER_COMPONENT))
            self.weights[c].zero_()
            if k == 1:
                self.weights[c, 0] = 1.0
                self.means[c, 0].copy_(torch.from_numpy(members.mean(0)))
                self.factors[c, 0].copy_(_factor(own))
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # not converged after 100 iterations is good enough here
                mixture = GaussianMixture(k, covariance_type="diag", reg_covar=1e-3, random_state=0).fit(members)
            shares = mixture.predict_proba(members)
            for j in range(k):
                size = shares[:, j].sum()
                offset = members - mixture.means_[j]
                covariance = (shares[:, j, None] * offset).T @ offset / max(size, 1.0)
                self.weights[c, j] = float(mixture.weights_[j])
                self.means[c, j].copy_(torch.from_numpy(mixture.means_[j]))
                # towards the class's own covariance, scaled to this component's size
                target = own * (np.trace(covariance) / np.trace(own))
                self.factors[c, j].copy_(_factor(self._shrunk(covariance, size, target)))

    def draw(
        self, labels: Tensor, seeds: Tensor, *, temperature: float, truncation: float | None, stream: int = 0
    ) -> Tensor:
        """(n, d) latents. Temperature 0 gives the mean of a component."""
        told: Tensor | float = 0.0
        if labels.is_floating_point():
            told, labels = _with_one(labels) @ self.slope, torch.zeros_like(seeds)
        cumulative = self.weights[labels].cumsum(1)
        u = uniform(seeds, stream=_COMPONENT + 100 * stream) * cumulative[:, -1]
        component = (cumulative < u[:, None]).sum(1).clamp(max=cumulative.shape[1] - 1)
        spread = noise(seeds, (self.means.shape[-1],), stream=stream, truncation=truncation) * temperature
        return (
            told + self.means[labels, component] + torch.einsum("nij,nj->ni", self.factors[labels, component], spread)
        )

    def transfer(self, labels: Tensor, seeds: Tensor, *, pooled: bool = False) -> Tensor:
        """(n, d) differences of two samples of one other class, drawn from its covariance.

        The other class is drawn in proportion to its number of samples, so that variation goes from frequent classes
        to rare ones (the idea of Antoniou et al., "Data augmentation generative adversarial networks", 2017). With
        ``pooled``, or when there is no other class, the covariance pooled over the classes serves.
        """
        step = noise(seeds, (self.means.shape[-1],), stream=_SCALE) * 2**0.5
        if pooled or labels.is_floating_point() or (self.counts > 0).sum() < 2:
            return step @ self.pooled.T
        others = self.counts.repeat(len(labels), 1)
        others[torch.arange(len(labels), device=labels.device), labels] = 0
        cumulative = others.cumsum(1)
        u = uniform(seeds, stream=_OTHER_CLASS) * cumulative[:, -1]
        other = (cumulative <= u[:, None]).sum(1).clamp(max=len(self.counts) - 1)
        return torch.einsum("nij,nj->ni", self.within[other], step)

    @staticmethod
    def _shrunk(covariance: np.ndarray, n: float, target: np.ndarray) -> np.ndarray:
        own = n / (n + len(covariance))  # equal parts when there are as many samples as dimensions
        return own * covariance + (1 - own) * target


def _factor(covariance: np.ndarray) -> Tensor:
    jitter = 1e-6 * max(float(np.trace(covariance)) / len(covariance), 1e-12)
    return torch.linalg.cholesky(torch.from_numpy(covariance + jitter * np.eye(len(covariance)))).float()


class LatentGenerator(Generator):
    """A generator that encodes into and decodes from a latent space.

    A subclass writes ``build`` (calling :meth:`build_mixture`), ``training_step``, :meth:`to_latent` and
    :meth:`from_latent`; it gets sampling, ``encode``, ``decode``, ``reconstruct``, ``interpolate`` and ``vary``.
    """

    conditions: ClassVar[frozenset[str]] = frozenset({"label", "multilabel", "number"})
    mixture: LatentMixture

    def build_mixture(self, spec: SampleSpec, components: int, dim: int) -> None:
        """Make room for the density over latents: of each class, of all samples where there are none, or around what
        several labels or numbers tell of a latent."""
        self.mixture = LatentMixture(max(spec.num_classes, 1), components, dim, spec.condition_size)

    def student_settings(self) -> dict[str, Any]:
        """A decoder of a quarter of the channels, of generators that have the settings ``width`` and
        ``decoder_width``."""
        if "decoder_width" not in self.config:
            return {}
        own = self.config["decoder_width"] or self.config["width"]
        return {"decoder_width": max(8, own // 4)} if own > 8 else {}

    def to_latent(self, x: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, each (n, d), of the latents of samples (n, C, H, W)."""
        raise NotImplementedError

    def from_latent(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Samples (n, C, H, W) of latents (n, d)."""
        raise NotImplementedError

    def outlier_score(self, x: Any, y: Any = None) -> Tensor:
        """(n,) mean squared error of reconstruction of n inputs in the dataset's form, on the scale [-1, 1]. A sample
        far above the others is unlike what the generator was fitted on."""
        inputs = self._fitted_spec().inputs(x)
        return (self._map("reconstruct", inputs, y) - inputs).square().flatten(1).mean(1)

    def finish(self, data: Any) -> None:
        """Fit the mixture on the latents of all samples; without any, after a private fit, it is the normal prior."""
        if not len(data):
            return
        parts = []
        for index in self.parts(len(data)):
            labels = None if data.classes is None else data.classes[index].to(self.device)
            parts.append(self.to_latent(self._placed(data.model_x(index)), labels)[0].cpu())
        z = torch.cat(parts)
        self.mixture.fit(z, torch.zeros(len(z), dtype=torch.int64) if data.classes is None else data.classes)

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Tensor:
        z = self.mixture.draw(_or_zero(labels, seeds), seeds, temperature=temperature, truncation=truncation)
        return self.from_latent(z, labels)

    def encode_batch(self, x: Tensor, labels: Tensor | None) -> Tensor:
        return self.to_latent(x, labels)[0]

    def decode_batch(self, z: Tensor, labels: Tensor | None) -> Tensor:
        return self.from_latent(z, labels)

    def reconstruct_batch(self, x: Tensor, labels: Tensor | None) -> Tensor:
        return self.from_latent(self.to_latent(x, labels)[0], labels)

    def interpolate_batch(self, start: Tensor, end: Tensor, labels: Tensor | None, steps: int) -> Tensor:
        a, b = self.to_latent(start, labels)[0], self.to_latent(end, labels)[0]
        path = [self.from_latent(torch.lerp(a, b, float(t)), labels) for t in torch.linspace(0, 1, steps)]
        return torch.stack(path, dim=1)

    def vary_batch(
        self, x: Tensor, labels: Tensor | None, seeds: Tensor, *, strength: float, method: str = "transfer"
    ) -> Tensor:
        """x + dec(z + δ, y) - dec(z, y): the change that a step in latent space makes, on the real image itself.

        So the sharpness of ``x`` is kept, however soft the decoder. Option ``method`` says how the step δ is drawn:

        - ``"transfer"`` (default): ``strength`` times the difference of two samples of one other class;
        - ``"pooled"``: the same with the covariance pooled over all classes;
        - ``"interpolate"``: ``strength`` of the way to another sample of the class;
        - ``"jitter"``: ``strength`` times the posterior's standard deviation.
        """
        mean, deviation = self.to_latent(x, labels)
        step = self.latent_step(mean, deviation, labels, seeds, method)
        # one pass over both, so that a strength of 0 gives x back to the last bit
        moved, still = self.from_latent(
            torch.cat([mean + strength * step, mean]), None if labels is None else torch.cat([labels, labels])
        ).chunk(2)
        return (x + moved - still).clamp(-1.0, 1.0)

    def latent_step(
        self, mean: Tensor, deviation: Tensor, labels: Tensor | None, seeds: Tensor, method: str = "transfer"
    ) -> Tensor:
        """(n, d) steps of :meth:`vary_batch` at strength 1, from latents of the given ``mean`` and ``deviation``
        (n, d); ``method`` is that of :meth:`vary_batch`."""
        classes = _or_zero(labels, seeds)
        if method == "transfer":
            return self.mixture.transfer(classes, seeds)
        if method == "pooled":
            return self.mixture.transfer(classes, seeds, pooled=True)
        if method == "interpolate":
            return self.mixture.draw(classes, seeds, temperature=1.0, truncation=None, stream=_TARGET) - mean
        if method == "jitter":
            return deviation * noise(seeds, (mean.shape[1],), stream=_TARGET)
        raise ConfigError(f"method={method!r}: expected 'transfer', 'pooled', 'interpolate' or 'jitter'")


def _with_one(labels: Tensor) -> Tensor:
    return torch.cat([labels, torch.ones_like(labels[:, :1])], dim=1)


def _or_zero(labels: Tensor | None, seeds: Tensor) -> Tensor:
    return torch.zeros_like(seeds) if labels is None else labels
