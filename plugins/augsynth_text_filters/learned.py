"""Judges of generated texts by models: each says of every text by itself whether it may pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

import augsynth
from augsynth import authoring

_STREAM = 0xD157


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


class RoundTrip:
    """Texts that come back to their label: of all labels, the one that a text was written for makes it likeliest.

    The generator is its own judge here, by Bayes with every label as frequent (as question generation is checked by
    answering, Alberti et al., "Synthetic QA corpora generation with roundtrip consistency", ACL 2019). A judge that was
    fitted on real texts (``confidence``) is stricter where the generator takes one label for another.

    Args:
        gen: a generator with ``log_prob``, fitted on labels: ``transformers``, ``lora``, ``lstm``.
        margin: nats that the label must be ahead of the next.

    Raises:
        ConfigError: ``gen`` has no labels, or ``margin`` is negative.
    """

    modality = "text"

    def __init__(self, *, gen: Any, margin: float = 0.0) -> None:
        if not 0.0 <= margin < float("inf"):
            raise augsynth.ConfigError(f"margin={margin!r}: expected a number of nats from 0 up")
        if not gen.conditional:
            raise augsynth.ConfigError(
                "round_trip: gen was fitted without labels, so that no text has one to return to"
            )
        self.gen, self.margin = gen, margin

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        if batch.classes is None:
            raise augsynth.ConfigError("round_trip: these samples have no labels")
        texts, names = list(batch.model_x), self.gen.spec.labels.values
        scores = torch.stack([self.gen.log_prob(texts, [name] * len(texts)).cpu() for name in names], dim=1)
        own = batch.classes.cpu()[:, None]
        other = scores.scatter(1, own, -torch.inf).max(1).values
        return scores.gather(1, own).squeeze(1) >= other + self.margin


class Distinct:
    """Thins out what a generator writes again and again: a text passes with the probability 1 / (1 + n), where n texts
    of ``number`` drawn once are nearly the same.

    A text is judged by itself, and not by what happened to be written before it, which would make it depend on its
    batch.

    Args:
        gen: the generator whose texts are judged.
        number: texts of it to look among.
        alike: share of words and pairs of words in common from which on two texts are nearly the same.
        seed: of those texts.
        sampling: passed to ``gen.sample``, as texts will be sampled: ``temperature``, options.

    Raises:
        ConfigError: a number that cannot be used.
    """

    modality = "text"

    def __init__(self, *, gen: Any, number: int = 500, alike: float = 0.8, seed: int = 0, **sampling: Any) -> None:
        authoring.check_whole(number=number)
        if not 0.0 < alike <= 1.0:
            raise augsynth.ConfigError(f"alike={alike!r}: expected a share in (0, 1]")
        self.alike = alike
        made = gen.sample(number, seed=seed, **sampling)
        self._known = [(row["seed"], text) for row, text in zip(made.meta, made.model_x, strict=True)]

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        seeds = [row["seed"] for row in batch.meta]
        # the very sample, drawn again, is no second one
        near = [
            sum(seed != own and authoring.shared_words(text, other) >= self.alike for seed, other in self._known)
            for own, text in zip(seeds, batch.model_x, strict=True)
        ]
        u = authoring.uniform(torch.tensor(seeds, dtype=torch.int64), stream=_STREAM)
        return u.double() < 1.0 / (1.0 + torch.tensor(near, dtype=torch.float64))
