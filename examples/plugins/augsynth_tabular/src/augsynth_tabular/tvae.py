"""The TVAE of SDV's ctgan, behind augsynth's contract."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

import augsynth
from augsynth import authoring
from augsynth_tabular.columns import Column, as_number, missing

try:
    from ctgan.data_transformer import DataTransformer
    from ctgan.synthesizers.tvae import Decoder, Encoder, _loss_function
    from rdt.transformers import ClusterBasedNormalizer
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("ctgan", "rdt"):
        raise
    raise augsynth.MissingDependencyError(
        "tvae needs ctgan, which is not installed (its licence, BUSL-1.1, does not allow every use): "
        "pip install 'augsynth-tabular[tvae]'",
        name=error.name,
    ) from error

_GAP = 1  # stream of the noise


class TVAE(authoring.Generator):
    """Mode-specific normalisation, a VAE, and its loss, as of Xu et al., "Modeling tabular data using conditional GAN",
    NeurIPS 2019; the networks, the loss and the modes are those of ctgan. The label is a further input of encoder and
    decoder, so that rows can be asked for by it. Missing values are a category of their own.
    """

    modality = "tabular"

    def build(
        self, spec, *, modes: Any = None, embedding: int = 64, width: int = 128, lr: float = 1e-3, factor: float = 2.0
    ):
        """
        Args:
            modes: means and deviations of the modes of each column, found in the data; plain lists.
            embedding: size of a latent.
            width: of the two hidden layers.
            lr: learning rate of Adam.
            factor: weight of the reconstruction, as in ctgan.
        """
        self.modes = modes or {}
        self.spans = [span for column in spec.columns for span in _spans(column, self.modes)]
        size = sum(span.dim for span in self.spans)
        self.classes, self.embedding, self.factor = spec.num_classes, embedding, factor
        self.encoder = Encoder(size + self.classes, (width, width), embedding)
        self.decoder = Decoder(embedding + self.classes, (width, width), size)

    @classmethod
    def settings_from(cls, data, config):
        """The modes of each numeric column, by ctgan's transformer."""
        import pandas as pd

        modes = {}
        for column in data.spec.columns:
            if column.kind == "category":
                continue
            there = [as_number(row[column.name]) for row in data.raw if not missing(row[column.name])]
            fitted = DataTransformer()
            with authoring.seeded_globals(0):
                fitted.fit(pd.DataFrame({"x": there}))
            one = fitted._column_transform_info_list[0].transform
            kept = one.valid_component_indicator
            means, spread = one._bgm_transformer.means_.ravel()[kept], one._bgm_transformer.covariances_.ravel()[kept]
            modes[column.name] = [means.tolist(), (spread**0.5).clip(1e-6).tolist()]
        return {"modes": modes}

    def training_step(self, batch):
        x, given = self._encoded(batch.x), self._given(batch.y, len(batch.seeds))
        mean, deviation, log_variance = self.encoder(torch.cat([x, given], dim=1))
        z = mean + deviation * authoring.noise(batch.seeds, (self.embedding,), stream=_GAP)
        made, sigma = self.decoder(torch.cat([z, given], dim=1))
        told, kl = _loss_function(made, x, sigma.clamp(0.01, 1.0), mean, log_variance, [self.spans], self.factor)
        return {"loss": told + kl, "reconstruction": told, "kl": kl}

    def draw(self, labels, seeds, *, temperature, truncation):
        z = authoring.noise(seeds, (self.embedding,), truncation=truncation) * temperature
        made, _ = self.decoder(torch.cat([z, self._given(labels, len(seeds))], dim=1))
        picks = authoring.uniform(seeds, (len(self.spans),), stream=2).to(made.device)
        columns, start = [], 0
        for i, span in enumerate(self.spans):
            part = made[:, start : start + span.dim]
            start += span.dim
            if span.activation_fn == "tanh":
                columns.append(torch.tanh(part[:, 0]).tolist())
            elif temperature == 0:
                columns.append(part.argmax(1).tolist())
            else:
                edges = (part / max(temperature, 1e-3)).softmax(1).cumsum(1)
                columns.append((edges < picks[:, i : i + 1]).sum(1).clamp(max=span.dim - 1).tolist())
        return authoring.Items(self._row(list(values)) for values in zip(*columns, strict=True))

    def _row(self, values):
        row = {}
        for column in self.spec.columns:
            if column.kind == "category":
                at = values.pop(0)
                row[column.name] = column.values[at] if at < len(column.values) else None
                continue
            level, mode = values.pop(0), values.pop(0)
            means, spread = self.modes[column.name]
            if mode == len(means):
                row[column.name] = None
            else:
                factor = ClusterBasedNormalizer.STD_MULTIPLIER
                row[column.name] = column.value(means[mode] + factor * level * spread[mode])
        return row

    def _encoded(self, rows) -> torch.Tensor:
        made = [
            [v for column in self.spec.columns for v in _encoded(column, self.modes, row[column.name])] for row in rows
        ]
        return torch.tensor(made, dtype=torch.float32, device=self.device)

    def _given(self, labels, n):
        if labels is None or not self.classes:
            return torch.zeros(n, self.classes, device=self.device)
        return F.one_hot(labels, self.classes).float()

    @classmethod
    def presets(cls, spec, n):
        return {"steps": 1500 if n < 2000 else 4000, "batch_size": 200}

    @classmethod
    def search_space(cls):
        return {"embedding": authoring.IntRange(16, 128, log=True), "lr": authoring.FloatRange(3e-4, 3e-3, log=True)}


def _spans(column: Column, modes: Any):
    from ctgan.data_transformer import SpanInfo

    if column.kind == "category":
        return [SpanInfo(len(column.values) + column.gaps, "softmax")]
    return [SpanInfo(1, "tanh"), SpanInfo(len(modes[column.name][0]) + column.gaps, "softmax")]


def _encoded(column: Column, modes: Any, value: Any) -> list[float]:
    gap = missing(value)
    if column.kind == "category":
        return [float(not gap and value == one) for one in column.values] + [float(gap)] * column.gaps
    means, spread = modes[column.name]
    number = means[0] if gap else as_number(value)
    near = min(range(len(means)), key=lambda i: abs(number - means[i]) / spread[i])
    level = 0.0 if gap else (number - means[near]) / (ClusterBasedNormalizer.STD_MULTIPLIER * spread[near])
    chosen = [float(not gap and i == near) for i in range(len(means))]
    return [max(-0.99, min(0.99, level)), *chosen, *([float(gap)] * column.gaps)]
