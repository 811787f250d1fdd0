"""Sentences as points of a continuous space: a sequence autoencoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

import augsynth
from augsynth import authoring
from augsynth_lstm import tokenizer as tokens
from augsynth_lstm.model import LSTM
from augsynth_lstm.network import LanguageModel
from augsynth_lstm.sampling import generate

_POSTERIOR, _DROPPED, _TOKEN = 71, 72, 73  # streams of the noise


class SentenceEncoder(nn.Module):
    """Tokens (n, t) and what is known of them (n, condition) → (n, out), by an LSTM read both ways."""

    def __init__(self, vocabulary: int, condition: int, *, embedding: int, hidden: int, out: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, embedding)
        self.read = nn.LSTM(embedding, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(4 * hidden + condition, out)
        nn.init.normal_(self.embed.weight, std=embedding**-0.5)

    def forward(self, ids: Tensor, told: Tensor) -> Tensor:
        mask = ids != tokens.PAD
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embed(ids), mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        seen, _ = self.read(packed)
        seen, _ = nn.utils.rnn.pad_packed_sequence(seen, batch_first=True, total_length=ids.shape[1])
        # the largest and the mean over what is there: (n, 2 · hidden) each
        largest = seen.masked_fill(~mask[..., None], -torch.inf).amax(1)
        mean = seen.sum(1) / mask.sum(1, keepdim=True)
        out: Tensor = self.head(torch.cat([largest, mean, told], dim=1))
        return out


class SentenceDecoder(LanguageModel):
    """A language model whose conditions are vectors (n, 1, d) rather than classes."""

    def __init__(self, vocabulary: int, told: int, *, embedding: int, hidden: int, dropout: float) -> None:
        super().__init__(vocabulary, 1, embedding=embedding, hidden=hidden, layers=1, dropout=dropout)
        condition, shift = nn.Linear(told, embedding), nn.Linear(told, embedding)
        nn.init.zeros_(shift.weight)
        nn.init.zeros_(shift.bias)
        self.condition, self.shift = condition, shift  # type: ignore[assignment]

    def inference_form(self) -> nn.Module:
        """Itself: there is no table of vectors."""
        return self


class LSTMAutoencoder(authoring.LatentGenerator):
    """A variational autoencoder of sentences (Bowman et al., "Generating sentences from a continuous space", 2016).

    Words that the decoder sees are dropped, so that it has to look at the latent; the KL term is warmed up and has free
    bits (Kingma et al. 2016). A Gaussian mixture per class, fitted on the latents afterwards, is what sentences are
    sampled from (Ghosh et al. 2020).
    """

    modality = "text"
    conditions = frozenset({"label"})
    micro_batch = {"cpu": 256}  # noqa: RUF012 - a constant of the class

    def build(
        self,
        spec: authoring.TextSpec,
        *,
        tokenizer: str = "",
        longest: int = 64,
        level: str = "",
        vocabulary: int = 8000,
        min_count: int = 0,
        latent_dim: int = 32,
        embedding: int = 96,
        hidden: int = 192,
        dropout: float = 0.3,
        word_dropout: float = 0.4,
        kl_warmup: float = 0.3,
        free_bits: float = 0.25,
        kl_weight: float = 0.2,
        components: int = 5,
        lr: float = 2e-3,
        weight_decay: float = 0.01,
    ) -> None:
        """
        Args:
            tokenizer: JSON of the tokenizer; fitted on the data.
            longest: tokens of the longest text that is sampled; found in the data.
            level, vocabulary, min_count: as of the LSTM; found in the data.
            latent_dim: size of a latent.
            embedding: size of token vectors.
            hidden: size of the states of encoder and decoder.
            dropout: share dropped of the decoder's inputs and outputs.
            word_dropout: share of the words that the decoder does not see while it is fitted.
            kl_warmup: share of the fit over which the KL weight rises from 0.
            free_bits: nats of each latent dimension that cost nothing.
            kl_weight: of the KL term, once risen. Below 1 the latent keeps more of a sentence, and the mixture takes
                the place of the prior that it departs from (Higgins et al. 2017 for weights).
            components: largest number of mixture components of a class.
            lr, weight_decay: of AdamW; the learning rate falls to 0 over the last third of the fit.
        """
        if not tokenizer:
            raise augsynth.ConfigError("tokenizer is empty: a generator of texts is made by augsynth.fit or .load")
        authoring.check_whole(latent_dim=latent_dim, embedding=embedding, hidden=hidden, components=components)
        authoring.check_positive(lr=lr)
        authoring.check_positive(or_zero=True, weight_decay=weight_decay, free_bits=free_bits, kl_weight=kl_weight)
        authoring.check_shares(below_one=True, dropout=dropout, word_dropout=word_dropout)
        authoring.check_shares(kl_warmup=kl_warmup)
        self.tokenizer = tokens.load(tokenizer)
        size = self.tokenizer.get_vocab_size()
        self.classes = spec.num_classes
        self.encoder = SentenceEncoder(size, self.classes, embedding=embedding, hidden=hidden, out=2 * latent_dim)
        self.decoder = SentenceDecoder(
            size, latent_dim + self.classes, embedding=embedding, hidden=hidden, dropout=dropout
        )
        self.register_buffer("edges", tokens.edge_masks(self.tokenizer, level), persistent=False)
        self.build_mixture(spec, components, latent_dim)
        self.longest, self.latent_dim, self.word_dropout = longest, latent_dim, word_dropout
        self.kl_warmup, self.free_bits, self.kl_weight = kl_warmup, free_bits, kl_weight
        self.rate, self.weight_decay = lr, weight_decay

    @classmethod
    def settings_from(cls, data: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        found = LSTM.settings_from(data, config)
        del found["rare"]
        return found

    @classmethod
    def presets(cls, spec: authoring.TextSpec, n: int) -> dict[str, Any]:
        steps = 800 if n < 300 else 1500 if n < 2000 else 4000
        return {"steps": steps, "batch_size": 32, "validation": 0.0, "latent_dim": 16 if n < 300 else 32}

    @classmethod
    def search_space(cls) -> authoring.SearchSpace:
        return {
            "latent_dim": authoring.IntRange(8, 64, log=True),
            "word_dropout": authoring.FloatRange(0.0, 0.7),
            "kl_weight": authoring.FloatRange(0.05, 1.0, log=True),
        }

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        own = [*self.encoder.parameters(), *self.decoder.parameters()]
        return {"model": torch.optim.AdamW(own, lr=self.rate, weight_decay=self.weight_decay)}

    def training_step(self, batch: authoring.TrainingBatch) -> Mapping[str, Tensor]:
        weight = 1.0 if self.kl_warmup <= 0 else min(1.0, batch.progress / self.kl_warmup)
        ids = self._ids(batch.x)  # (n, t)
        mean, deviation = self._posterior(ids, batch.y)
        z = mean + deviation * authoring.noise(batch.seeds, (self.latent_dim,), stream=_POSTERIOR)
        dropped = authoring.uniform(batch.seeds, (ids.shape[1],), stream=_DROPPED) < self.word_dropout
        dropped[:, 0] = False
        shown = torch.where(dropped, tokens.UNKNOWN, ids)
        target = ids[:, 1:]
        mask = target != tokens.PAD
        logits = self.decoder(shown[:, :-1], self._told(z, batch.y), mask)
        words = F.cross_entropy(logits, target[mask], reduction="sum") / len(ids)
        kl = 0.5 * (mean.square() + deviation.square() - 2 * deviation.log() - 1)  # (n, d)
        kept = kl.mean(0).clamp(min=self.free_bits).sum()
        length = mask.sum() / len(ids)  # so that long texts do not move faster than short ones
        return {"loss": (words + self.kl_weight * weight * kept) / length, "words": words, "kl": kept}

    def to_latent(self, x: Any, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        return self._posterior(self._ids(x), labels)

    def from_latent(self, z: Tensor, labels: Tensor | None) -> Any:
        """The likeliest word after word."""
        return self._written(z, labels, None, temperature=0.0)

    def draw(
        self,
        labels: Tensor | None,
        seeds: Tensor,
        *,
        temperature: float,
        truncation: float | None,
        top_p: float = 0.8,
    ) -> Any:
        """
        Args:
            temperature: factor on the spread of the latents, and on that of the words.
            truncation: bound on the latents' noise in standard deviations.
            top_p: choose among the likeliest words that together have this probability (Holtzman et al. 2020).
        """
        classes = seeds * 0 if labels is None else labels
        z = self.mixture.draw(classes, seeds, temperature=temperature, truncation=truncation)
        return self._written(z, labels, seeds, temperature=temperature, top_p=authoring.checked_top_p(top_p))

    def vary_batch(
        self,
        x: Any,
        labels: Tensor | None,
        seeds: Tensor,
        *,
        strength: float,
        method: str = "interpolate",
        temperature: float = 0.5,
    ) -> Any:
        """What is written from latents near those of ``x``.

        Option ``method`` is that of image generators with a latent space: ``"interpolate"``, half of the way to another
        sentence of the class at strength 1, or half of the step of ``"transfer"``, ``"pooled"`` or ``"jitter"``.
        """
        if strength == 0.0:
            return list(x)
        mean, deviation = self.to_latent(x, labels)
        step = self.latent_step(mean, deviation, labels, seeds, method)
        return self._written(mean + strength / 2 * step, labels, seeds, temperature=temperature, top_p=0.8)

    def interpolate_batch(self, start: Any, end: Any, labels: Tensor | None, steps: int) -> Any:
        a, b = self.to_latent(start, labels)[0], self.to_latent(end, labels)[0]
        path = [self.from_latent(torch.lerp(a, b, float(t)), labels) for t in torch.linspace(0, 1, steps)]
        return [list(texts) for texts in zip(*path, strict=True)]

    # ------------------------------------------------------------------ private

    def _ids(self, texts: Sequence[str]) -> Tensor:
        """(n, t) ids that begin with BOS and end with EOS, padded; longer texts are cut."""
        rows = [encoding.ids[: self.longest] for encoding in self.tokenizer.encode_batch(list(texts))]
        return tokens.padded([[tokens.BOS, *row, tokens.EOS] for row in rows], self.device)

    def _posterior(self, ids: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        told = self._classes(labels, len(ids))
        mean, log_deviation = self.encoder(ids, told).float().chunk(2, dim=1)
        return mean, log_deviation.clamp(-7.0, 3.0).exp()

    def _classes(self, labels: Tensor | None, n: int) -> Tensor:
        """(n, classes), 1 at the class of each; of no columns without labels."""
        if labels is None:
            return torch.zeros(n, 0, device=self.device)
        return F.one_hot(labels, self.classes).float()

    def _told(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """(n, 1, latent_dim + classes), what the decoder is told."""
        return torch.cat([z, self._classes(labels, len(z))], dim=1)[:, None]

    def _written(
        self, z: Tensor, labels: Tensor | None, seeds: Tensor | None, *, temperature: float, top_p: float | None = None
    ) -> Any:
        numbers = torch.full((len(z), self.longest), 0.5, device=z.device)
        if seeds is not None:
            numbers = authoring.uniform(seeds, (self.longest,), stream=_TOKEN)
        made = generate(
            self.for_sampling("decoder"),
            self._told(z, labels),
            numbers,
            (),
            self.edges,  # type: ignore[arg-type]
            temperature=temperature,
            top_k=None,
            top_p=top_p,
            repetition_penalty=1.0,
            no_repeat_window=32,
            min_length=1,
        )
        texts: list[str] = self.tokenizer.decode_batch(made)
        return [text.strip() for text in texts]
