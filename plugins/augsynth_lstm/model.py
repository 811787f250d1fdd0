"""The generator: training, sampling and scoring of texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

import augsynth
from augsynth import authoring
from augsynth_lstm import tokenizer as tokens
from augsynth_lstm.network import LanguageModel
from augsynth_lstm.sampling import generate

_UNKNOWN_STREAM, _TOKEN_STREAM = 61, 62
_ENOUGH = 2000  # texts: from here on, a word seen once can be spared
_SCORED, _SHORT = 256, 400  # so many texts of so many characters are scored at once


class LSTM(augsynth.Generator):
    """Recurrent language model of all classes, conditioned on the label, the topic, or both at every step.

    Tied embeddings (Press & Wolf 2017), variational dropout (Gal & Ghahramani 2016), AdamW, and the weights of the
    lowest perplexity on held-out texts.
    """

    modality = "text"
    conditions = frozenset({"label", "topic"})
    micro_batch = {"cpu": 256}  # noqa: RUF012 - a constant of the class

    def build(
        self,
        spec: authoring.TextSpec,
        *,
        tokenizer: str = "",
        rare: Sequence[int] = (),
        longest: int = 64,
        level: str = "",
        vocabulary: int = 8000,
        min_count: int = 0,
        embedding: int = 128,
        hidden: int = 256,
        layers: int = 1,
        dropout: float = 0.4,
        lr: float = 2e-3,
        weight_decay: float = 0.01,
        unknown: float = 0.3,
    ) -> None:
        """
        Args:
            tokenizer: JSON of the tokenizer; fitted on the data.
            rare: ids of the tokens seen once; found in the data.
            longest: tokens of the longest text that is sampled; found in the data.
            level: ``"word"``, ``"bpe"`` or ``"char"``; by the amount and script of the data.
            vocabulary: largest number of tokens.
            min_count: how often a word or character must occur to be in the vocabulary; by the amount of data: 1 below
                2,000 texts, where nearly all words are rare, else 2. More keeps names of persons out of the
                checkpoint and of the samples.
            embedding: size of token and class vectors.
            hidden: size of a layer's state.
            layers: number of layers.
            dropout: share dropped of inputs and outputs, half of it of the state.
            lr, weight_decay: of AdamW; the learning rate falls to 0 over the fit.
            unknown: how often a token seen once is replaced by the one for unknown tokens while fitting, so that
                words never seen have a probability.
        """
        if not tokenizer:
            raise augsynth.ConfigError("tokenizer is empty: an LSTM is made by augsynth.fit or augsynth.load")
        authoring.check_whole(embedding=embedding, hidden=hidden, layers=layers)
        authoring.check_positive(lr=lr)
        authoring.check_positive(or_zero=True, weight_decay=weight_decay)
        authoring.check_shares(below_one=True, dropout=dropout)
        authoring.check_shares(unknown=unknown)
        self.tokenizer = tokens.load(tokenizer)
        self.network = LanguageModel(
            self.tokenizer.get_vocab_size(),
            spec.num_classes + spec.num_topics,
            embedding=embedding,
            hidden=hidden,
            layers=layers,
            dropout=dropout,
        )
        singles = torch.zeros(self.tokenizer.get_vocab_size(), dtype=torch.bool)
        singles[torch.tensor(list(rare), dtype=torch.int64)] = True
        self.register_buffer("singles", singles, persistent=False)
        edges = tokens.edge_masks(self.tokenizer, level)
        self.register_buffer("edges", edges, persistent=False)  # tokens that end in, and that begin with a word
        self.longest, self.unknown = longest, unknown
        self.rate, self.weight_decay = lr, weight_decay

    @classmethod
    def settings_from(cls, data: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        texts = list(data.raw)
        level = config.get("level") or tokens.suitable_level(texts)
        if level not in tokens.LEVELS:
            raise augsynth.ConfigError(f"level={level!r}: expected one of {', '.join(map(repr, tokens.LEVELS))}")
        size = int(config.get("vocabulary") or (8000 if level == "bpe" else 20_000))
        least = int(config.get("min_count") or (1 if len(texts) < _ENOUGH else 2))
        made = config.get("tokenizer") or tokens.train(texts, level, size, least)
        lengths = sorted(len(encoding.ids) for encoding in tokens.load(made).encode_batch(texts))
        # a few very long texts must not set the pace of all
        longest = min(lengths[-1], max(16, 2 * lengths[int(0.95 * (len(lengths) - 1))])) + 1
        return {
            "level": level,
            "vocabulary": size,
            "min_count": least,
            "tokenizer": made,
            "longest": longest,
            "rare": tokens.rare(made, texts) if level == "word" else [],
        }

    @classmethod
    def presets(cls, spec: authoring.TextSpec, n: int) -> dict[str, Any]:
        # Small data is learnt by heart in a few passes, which much dropout delays. Held-out perplexity on TREC-6 (5,452
        # questions): 38.0 at a constant rate (1,000 steps, 256 units, dropout 0.6), 38.5 with the linear decay over
        # 1,500, 36.5 with 320 units and dropout 0.5 as well; on AG News (6,000 texts) 182 and 147.
        # Below 2,000 texts nothing is held out: by held-out perplexity, 600 questions were best learnt after 80 steps,
        # when the model wrote no sentence yet; after 800 most of them can be read.
        if n < 300:
            return {
                "steps": 400,
                "batch_size": 16,
                "validation": 0.0,
                "embedding": 64,
                "hidden": 128,
                "dropout": 0.6,
                "lr": 4e-3,
            }
        if n < _ENOUGH:
            return {
                "steps": 800,
                "batch_size": 32,
                "validation": 0.0,
                "embedding": 96,
                "hidden": 192,
                "dropout": 0.6,
                "lr": 4e-3,
            }
        if n < 20_000:
            return {"steps": 2000, "batch_size": 32, "embedding": 160, "hidden": 320, "dropout": 0.5, "lr": 4e-3}
        return {"steps": 6000, "batch_size": 64, "embedding": 192, "hidden": 384, "dropout": 0.3}

    @classmethod
    def search_space(cls) -> authoring.SearchSpace:
        return {
            "hidden": authoring.IntRange(64, 512, log=True),
            "dropout": authoring.FloatRange(0.1, 0.7),
            "lr": authoring.FloatRange(5e-4, 8e-3, log=True),
            "layers": authoring.IntRange(1, 2),
        }

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        self._adam = torch.optim.AdamW(self.parameters(), lr=self.rate, weight_decay=self.weight_decay)
        return {"model": self._adam}

    def training_step(self, batch: authoring.TrainingBatch) -> Mapping[str, Tensor]:
        # a linear decay to zero; by the progress alone, so that a resumed fit goes on where it was
        for group in self._adam.param_groups:
            group["lr"] = self.rate * (1.0 - batch.progress)
        ids = self._ids(batch.x, self.longest)  # (n, t)
        hidden = authoring.uniform(batch.seeds, (ids.shape[1],), stream=_UNKNOWN_STREAM) < self.unknown
        ids = torch.where(self.singles[ids] & hidden, tokens.UNKNOWN, ids)  # type: ignore[index]
        losses, mask = self._losses(ids, self._conditions(batch.y, batch.topics, len(ids)))
        return {"loss": losses.sum() / mask.sum()}

    def validation_loss(self, batch: authoring.TrainingBatch) -> Tensor:
        ids = self._ids(batch.x, self.longest)
        losses, mask = self._losses(ids, self._conditions(batch.y, batch.topics, len(ids)))
        return losses.sum() / mask.sum()

    def log_prob_batch(self, x: Sequence[str], labels: Tensor | None, topics: Tensor | None = None) -> Tensor:
        """(n,) log-probability of the texts in nats, the end included; unknown tokens count as the one for them."""
        # groups of like length, so that one long text does not pad all others to its own
        order = sorted(range(len(x)), key=lambda i: len(x[i]))
        scores = torch.zeros(len(x), device=self.device)
        conditions = self._conditions(labels, topics, len(x))
        while order:
            group = order[:_SCORED]
            while len(group) > 1 and len(group) * len(x[group[-1]]) > _SCORED * _SHORT:
                group = group[: len(group) // 2]
            order = order[len(group) :]
            ids = self._ids([x[i] for i in group], None)
            rows = torch.tensor(group, device=self.device)
            scores[rows] = -self._losses(ids, conditions[rows])[0].sum(1)
        return scores

    def perplexity(self, texts: Sequence[str], y: Any = None, *, topics: Any = None) -> dict[str, float]:
        """Perplexity by token, the end of a text included, of each class and of ``"all"``; ``topics`` as of
        :meth:`log_prob`."""
        scores = self.log_prob(texts, y, topics=topics).double()
        counts = torch.tensor([len(row.ids) + 1 for row in self.tokenizer.encode_batch(list(texts))])
        classes = self._given_classes(y, len(texts))
        figures = {"all": math.exp(-float(scores.sum()) / int(counts.sum()))}
        if classes is not None:
            for c in classes.unique().tolist():
                own = classes == c
                figures[self.spec.labels.display(c)] = math.exp(-float(scores[own].sum()) / int(counts[own].sum()))
        return figures

    def assess(self, data: Any) -> dict[str, Any]:
        labels = None if data.classes is None else [self.spec.labels.values[c] for c in data.classes.tolist()]
        figures = self.perplexity(data.raw, labels, topics=data.topics)
        return {"perplexity": {key: round(value, 2) for key, value in figures.items()}}

    def draw(
        self,
        labels: Tensor | None,
        seeds: Tensor,
        *,
        temperature: float,
        truncation: float | None,
        topics: Tensor | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        repetition_penalty: float = 1.0,
        max_length: int | None = None,
        min_length: int = 1,
        prompt: str = "",
    ) -> list[str]:
        """
        Args:
            temperature: divides the logits; 0 takes the likeliest token (greedy).
            truncation: the same as ``top_p``, where that is not given: the share of probability to keep.
            top_k: choose among so many tokens.
            top_p: choose among the likeliest tokens that together have this probability (Holtzman et al. 2020).
            repetition_penalty: above 1 makes recent tokens less likely (Keskar et al. 2019).
            max_length, min_length: in tokens.
            prompt: what every text begins with.
        """
        _check(top_k, repetition_penalty, max_length, min_length)
        top_p = authoring.checked_top_p(top_p, truncation)
        start = self._prompt(prompt)
        longest = len(start) + (max_length or self.longest)
        numbers = authoring.uniform(seeds, (longest,), stream=_TOKEN_STREAM)
        made = generate(
            self.for_sampling("network"),
            self._conditions(labels, topics, len(seeds)),
            numbers,
            start,
            self.edges,  # type: ignore[arg-type]
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            repetition_penalty=repetition_penalty,
            no_repeat_window=32,
            min_length=len(start) + min_length,
        )
        texts: list[str] = self.tokenizer.decode_batch(made)
        return [text.strip() for text in texts]

    # ------------------------------------------------------------------ private

    def _ids(self, texts: Sequence[str], limit: int | None) -> Tensor:
        """(n, t) ids that begin with BOS and end with EOS, padded; texts of more than ``limit`` tokens are cut."""
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        limit = max(map(len, rows)) if limit is None else limit
        rows = [[tokens.BOS, *row[:limit], *([tokens.EOS] if len(row) <= limit else [])] for row in rows]
        return tokens.padded(rows, self.device)

    def _conditions(self, labels: Tensor | None, topics: Tensor | None, n: int) -> Tensor:
        """(n, m) rows of the table of classes and, after them, topics."""
        given = [] if labels is None else [labels]
        if topics is not None:
            given.append(topics + self.spec.num_classes)
        return torch.stack(given or [torch.zeros(n, dtype=torch.int64, device=self.device)], dim=1)

    def _losses(self, ids: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Negative log-likelihood (n, t - 1) of the tokens after the first, 0 where padded, and where they are."""
        target = ids[:, 1:]
        mask = target != tokens.PAD
        logits = self.network(ids[:, :-1], conditions, mask)  # (tokens that are there, vocabulary)
        losses = F.cross_entropy(logits, target[mask], reduction="none")
        return torch.zeros_like(target, dtype=losses.dtype).masked_scatter(mask, losses), mask

    def _prompt(self, prompt: str) -> list[int]:
        if not isinstance(prompt, str):
            raise augsynth.ConfigError(f"prompt={prompt!r}: expected a str")
        ids: list[int] = self.tokenizer.encode(prompt).ids if prompt else []
        if tokens.UNKNOWN in ids:
            raise augsynth.ConfigError(
                f"prompt={prompt!r}: the generator has not seen all of its words, and would lose them; use others, or "
                "fit with level='bpe'"
            )
        return ids


def _check(top_k: int | None, repetition_penalty: float, max_length: int | None, min_length: int) -> None:
    authoring.check_whole(or_none=True, top_k=top_k, max_length=max_length)
    if not 0.0 < repetition_penalty < math.inf:
        raise augsynth.ConfigError(f"repetition_penalty={repetition_penalty!r}: expected a positive number; 1 is none")
    if min_length < 0 or (max_length is not None and min_length > max_length):
        raise augsynth.ConfigError(f"min_length={min_length!r}: expected from 0 up to max_length={max_length!r}")
