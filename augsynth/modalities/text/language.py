"""Figures of text: how predictable the samples are, what a model of them knows of real text, and how varied they
are."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from augsynth.evaluation.figures import Figure, resampled_mean, spread
from augsynth.modality import Extra

_ORDER = 2
_BLEU = 100  # texts; it is slow


def words(text: str) -> list[str]:
    """Lower-cased words."""
    return text.lower().split()


class WordModel:
    """An interpolated bigram model of words (Witten & Bell 1991, by NLTK): small, and good enough to tell likely from
    unlikely text.

    Args:
        texts: what to fit it on.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        from nltk.lm import Vocabulary, WittenBellInterpolated
        from nltk.lm.preprocessing import pad_both_ends
        from nltk.util import everygrams

        rows = [list(pad_both_ends(words(text), n=_ORDER)) for text in texts]
        vocabulary = Vocabulary([word for row in rows for word in row], unk_cutoff=1)
        self._model = WittenBellInterpolated(_ORDER, vocabulary=vocabulary)
        self._model.fit([everygrams(row, max_len=_ORDER) for row in rows])
        self._known = set(vocabulary)
        self._floor = 1.0 / (10 * max(len(self._known), 1))

    def surprise(self, text: str) -> float:
        """Mean −log probability of a word, in nats. A word never seen gets a tenth of an even share."""
        row = ["<s>", *words(text), "</s>"]
        total = 0.0
        for before, word in pairwise(row):
            known = word in self._known
            p = self._model.score(word, [before]) if known else 0.0
            total -= math.log(max(p, self._floor))
        return total / (len(row) - 1)


def measured(gen: Any, sets: Any, rows: list[np.ndarray], seed: int) -> Extra:
    """The part "language" of an evaluation; arguments as of :meth:`Modality.measurements`."""
    figures, surprises = measure_language(sets.made.x, sets.train.x, sets.held.x, seed)
    if "log_prob" in getattr(gen, "capabilities", ()):
        figures.insert(0, own_perplexity(_log_probs(gen, sets, sets.held), _log_probs(gen, sets, sets.train), rows))
    # plausible: no more surprising than all but a twentieth of one half of the held-out texts; the other half is
    # the floor
    cut = float(np.quantile(surprises[::2, 1], 0.95))
    return Extra(figures, {"a bigram model": (surprises[:, 0] <= cut, surprises[1::2, 1] <= cut)})


def _log_probs(gen: Any, sets: Any, one: Any) -> tuple[np.ndarray, np.ndarray]:
    """Log-probability of each text for the generator, and its number of words."""
    labels = sets.data.spec.labels
    known = labels is not None and getattr(gen, "conditional", False)
    y = [labels.values[c] for c in one.classes.tolist()] if known else None
    found = np.asarray(gen.log_prob(list(one.x), y).cpu(), dtype=np.float64)
    return found, np.array([len(text.split()) + 1 for text in one.x])


def measure_language(
    made: Sequence[str], train: Sequence[str], held: Sequence[str], seed: int
) -> tuple[list[Figure], np.ndarray]:
    """Figures of n generated beside n real texts; and (n, 2) surprises of generated and held-out texts for a model of
    the training texts."""
    rng = random.Random(seed)
    of_train, of_made = WordModel(train), WordModel(made)
    surprises = np.array([[of_train.surprise(a), of_train.surprise(b)] for a, b in zip(made, held, strict=True)])
    reverse = np.stack([[of_made.surprise(text) for text in held], surprises[:, 1]], axis=1)
    figures = [
        _perplexity("perplexity[bigram of real]", surprises, "near the floor", "of the generated texts"),
        _perplexity(
            "reverse_perplexity[bigram of generated]",
            reverse,
            "lower",
            "of held-out texts, by a model of the generated ones",
        ),
    ]
    for n in (1, 2, 3):
        value, floor = distinct_n(made, n), distinct_n(held, n)
        note = f"distinct runs of {n} word{'s' * (n > 1)} over all such runs"
        parts = [_distinct_interval(texts, n, seed) for texts in (made, held)]
        figures.append(Figure(f"distinct_{n}", value, parts[0], floor, parts[1], len(made), "near the floor", note))
    values, floors = self_bleu(_some(made, _BLEU, rng)), self_bleu(_some(held, _BLEU, rng))
    (value, about), (floor, about_floor) = resampled_mean(values), resampled_mean(floors)
    note = "BLEU of a text against the others (Zhu et al. 2018); high is repetitive"
    figures.append(Figure("self_bleu", value, about, floor, about_floor, len(values), "near the floor", note))
    return figures, surprises


def own_perplexity(
    held: tuple[np.ndarray, np.ndarray], train: tuple[np.ndarray, np.ndarray], rows: list[np.ndarray]
) -> Figure:
    """Perplexity of held-out texts for the generator itself, by word.

    Args:
        held, train: (n,) log-probabilities of texts, and (n,) words in them, the end counted as one.
        rows: half-samples.
    """

    def of(texts: tuple[np.ndarray, np.ndarray], part: np.ndarray) -> float:
        return math.exp(-float(texts[0][part].sum() / texts[1][part].sum()))

    whole = np.arange(len(held[0]))
    value, floor = of(held, whole), of(train, whole)
    about, about_floor = (spread(lambda part, t=t: of(t, part), rows, v) for t, v in ((held, value), (train, floor)))  # type: ignore[misc]
    note = "perplexity of held-out texts for the generator, by word; the floor is that of its training texts"
    return Figure("held_out_perplexity", value, about, floor, about_floor, len(whole), "near the floor", note)


def distinct_n(texts: Sequence[str], n: int) -> float:
    """Distinct runs of n words over all of them (Li et al. 2016)."""
    runs = [tuple(row[i : i + n]) for row in map(words, texts) for i in range(len(row) - n + 1)]
    return len(set(runs)) / max(len(runs), 1)


def self_bleu(texts: Sequence[str]) -> np.ndarray:
    """(n,) BLEU of each text with the others as references, by NLTK, smoothed (its method 1)."""
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    rows, smooth = [words(text) for text in texts], SmoothingFunction().method1
    weights = (1 / 3, 1 / 3, 1 / 3)
    return np.array(
        [sentence_bleu(rows[:i] + rows[i + 1 :], row, weights, smoothing_function=smooth) for i, row in enumerate(rows)]
    )


def _perplexity(name: str, surprises: np.ndarray, better: str, what: str) -> Figure:
    (value, about), (floor, about_floor) = (resampled_mean(surprises[:, i]) for i in (0, 1))
    note = f"exp of the mean surprise {what}, in words; not comparable with other models' figures"
    e = math.exp
    return Figure(
        name,
        e(value),
        (e(about[0]), e(about[1])),
        e(floor),
        (e(about_floor[0]), e(about_floor[1])),
        len(surprises),
        better,
        note,
    )


def _distinct_interval(texts: Sequence[str], n: int, seed: int) -> tuple[float, float]:
    """Deviations of half-samples from their mean, around the value on all texts."""
    rng = random.Random(seed + n)
    value = distinct_n(texts, n)
    halves = [distinct_n(rng.sample(list(texts), len(texts) // 2), n) for _ in range(40)]
    low, high = np.quantile(np.array(halves) - np.mean(halves), [0.025, 0.975])
    return float(value - high), float(value - low)


def _some(texts: Sequence[str], n: int, rng: random.Random) -> list[Any]:
    return list(texts) if len(texts) <= n else rng.sample(list(texts), n)
