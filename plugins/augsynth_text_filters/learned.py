"""Judges of generated texts by models of language: each says of every text by itself whether it may pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

import augsynth
from augsynth import authoring


class Similarity:
    """Texts that say something like real ones, and not the same: the nearest real text is neither too far nor too near.

    Args:
        texts: the real texts.
        low, high: bounds on the cosine of the embeddings of a text and of the real one nearest to it. With the packaged
            model, below about 0.3 texts have another subject, and above about 0.95 they are one text in other words.
        model: of the embeddings, as of :class:`augsynth.EmbeddingClassifier`.

    Raises:
        ConfigError: bounds that admit nothing, or no texts.
        MissingDependencyError: the extra ``topics`` is not installed.
    """

    modality = "text"

    def __init__(self, *, texts: Iterable[str], low: float = 0.3, high: float = 0.95, model: Any = None) -> None:
        if not -1.0 <= low < high <= 1.0:
            raise augsynth.ConfigError(f"low={low!r}, high={high!r}: expected -1 <= low < high <= 1")
        known = list(texts)
        if not known:
            raise augsynth.ConfigError("texts is empty: expected the real texts")
        self.low, self.high = low, high
        self._embed = authoring.SentenceEmbeddings(model)
        self._known = self._embed(known)

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        nearest = (self._embed(list(batch.model_x)) @ self._known.T).max(1)
        return torch.from_numpy((nearest >= self.low) & (nearest <= self.high))


class Perplexity:
    """Texts about as likely as real ones: neither far likelier, which is bland, nor far less, which is garbled.

    Args:
        gen: a generator of texts with ``log_prob``, fitted on texts and labels like these: ``lstm``, ``lora``.
        real: real texts that ``gen`` was **not** fitted on, with their labels where it has labels; those that it was
            fitted on look likelier to it than any other.
        low, high: shares of the real texts that may lie below and above the band's ends, as quantiles.

    Raises:
        ConfigError: bounds that admit nothing.
        CapabilityError: ``gen`` has no ``log_prob``.
    """

    modality = "text"

    def __init__(self, *, gen: Any, real: Any, low: float = 0.0, high: float = 0.95) -> None:
        if not 0.0 <= low < high <= 1.0:
            raise augsynth.ConfigError(f"low={low!r}, high={high!r}: expected 0 <= low < high <= 1")
        self.gen = gen
        rows = [real[i] for i in range(len(real))]
        if not rows:
            raise augsynth.ConfigError("real is empty: expected real texts")
        pairs = [(row, None) if isinstance(row, str) else (row[0], row[1]) for row in rows]
        known = self._scores([x for x, _ in pairs], [y for _, y in pairs] if gen.conditional else None)
        self.band = tuple(torch.quantile(known, torch.tensor([low, high], dtype=known.dtype)).tolist())

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        labels = None
        if self.gen.conditional:
            if batch.classes is None:
                raise augsynth.ConfigError("perplexity: gen is conditioned on labels, and these samples have none")
            labels = [self.gen.spec.labels.values[c] for c in batch.classes.tolist()]
        scores = self._scores(list(batch.model_x), labels)
        return (scores >= self.band[0]) & (scores <= self.band[1])

    def _scores(self, texts: list[str], labels: Any) -> Tensor:
        """(n,) nats a word, the end of a text included."""
        words = torch.tensor([len(text.split()) + 1 for text in texts], dtype=torch.float64)
        return -self.gen.log_prob(texts, labels).double().cpu() / words
