"""A text with a phrase of another one of its class in it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from math import log
from typing import Any

import torch
from torch import Tensor

import augsynth
from augsynth import authoring

_TEXT, _OTHER, _PLACE = 91, 92, 93  # streams
_LEAST = 3  # words of a text into which a phrase is put


class PhraseMix(authoring.Generator):
    """Real texts in which the phrase that says least about the class gives way to the one of another text of that class
    that says most about it.

    That is span mixing by saliency (SSMix, Yoon, Kim & Park, "SSMix: Saliency-based span mixup for text
    classification", Findings of ACL 2021), within a class, so that labels stay hard and right; and the saliency of a
    word is how much more frequent it is in the class than elsewhere (log-odds), where the paper takes the gradients of
    the classifier that is being trained. Without labels all words count alike, and places are random.

    Nothing is trained. A checkpoint holds the real texts, and its card says so.
    """

    modality = "text"
    conditions = frozenset({"label"})
    keeps_samples = True
    micro_batch = {"cpu": 1024}  # noqa: RUF012 - a constant of the class

    count: Tensor

    def build(
        self,
        spec: authoring.TextSpec,
        *,
        share: float = 0.3,
        texts: Sequence[str] = (),
        classes: Sequence[int] = (),
    ) -> None:
        """
        Args:
            share: of the words that give way, at least one. The paper tries 0.1 to 0.5.
            texts, classes: the real texts and the positions of their classes; found in the data.
        """
        if not 0.0 < share < 1.0:
            raise augsynth.ConfigError(f"share={share!r}: expected a share in (0, 1)")
        if not texts:
            raise augsynth.ConfigError("texts is empty: a generator of texts is made by augsynth.fit or .load")
        self.share = share
        own = list(classes) or [-1] * len(texts)
        self.words = [text.split() for text in texts]
        self.of_class: dict[int, list[int]] = {}
        for i, c in enumerate(own):
            self.of_class.setdefault(c, []).append(i)
        self.weights = _log_odds(self.words, own)
        # a checkpoint has a tensor, and a device
        self.register_buffer("count", torch.tensor([len(texts)]))

    @classmethod
    def settings_from(cls, data: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        classes = [] if data.classes is None else [int(c) for c in data.classes]
        return {"texts": list(data.raw), "classes": classes}

    def learn(self, data: Any) -> None:
        single = [c for c, rows in self.of_class.items() if len({tuple(self.words[i]) for i in rows}) < 2]
        if len(single) == len(self.of_class):
            raise augsynth.DataError("no class has two different texts: there is no other one to take a phrase of")
        if single:
            names = ", ".join(repr(self.spec.classes.display(c)) for c in single)
            warnings.warn(
                f"classes of a single text, which stays as it is, since there is no other to take a phrase of: {names}",
                augsynth.FitWarning,
                stacklevel=2,
            )
        self.fit_info["texts"] = int(self.count)

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Any:
        """
        A real text of the class, drawn by seed, with a phrase of another one. ``temperature`` scales how many words
        give way; ``truncation`` changes nothing.
        """
        classes = self._classes(labels, len(seeds))
        u = authoring.uniform(seeds, stream=_TEXT).tolist()
        rows = [self.of_class[c][int(share * len(self.of_class[c]))] for c, share in zip(classes, u, strict=True)]
        return self._mixed([self.words[i] for i in rows], classes, seeds, self.share * temperature)

    def vary_batch(self, x: Sequence[str], labels: Tensor | None, seeds: Tensor, *, strength: float) -> Any:
        """Given texts, each with a phrase of another text of its class; at strength 1 ``share`` of the words."""
        if strength == 0.0:
            return list(x)
        words = [text.split() for text in x]
        made = self._mixed(words, self._classes(labels, len(seeds)), seeds, self.share * strength)
        # with nothing put in, it keeps its spaces
        return [text if new.split() == own else new for text, new, own in zip(x, made, words, strict=True)]

    # ------------------------------------------------------------------ private

    def _classes(self, labels: Tensor | None, n: int) -> list[int]:
        return [-1] * n if labels is None else labels.tolist()

    def _mixed(self, texts: list[list[str]], classes: list[int], seeds: Tensor, share: float) -> list[str]:
        other = authoring.uniform(seeds, stream=_OTHER).tolist()
        ties = authoring.uniform(seeds, (2,), stream=_PLACE).tolist()
        return [
            " ".join(self._with_phrase(words, c, which, places, share))
            for words, c, which, places in zip(texts, classes, other, ties, strict=True)
        ]

    def _with_phrase(self, words: list[str], c: int, other: float, ties: list[float], share: float) -> list[str]:
        known = [i for i in self.of_class.get(c, ()) if self.words[i] != words]
        if len(words) < _LEAST or not known or share <= 0:
            return words
        giver = self.words[known[int(other * len(known))]]
        length = min(max(1, round(share * len(words))), len(words) - 1, len(giver))
        start = _span(self._saliency(words, c), length, ties[0], most=False)
        taken = _span(self._saliency(giver, c), length, ties[1], most=True)
        return [*words[:start], *giver[taken : taken + length], *words[start + length :]]

    def _saliency(self, words: list[str], c: int) -> list[float]:
        own = self.weights.get(c, {})
        return [own.get(word.lower(), 0.0) for word in words]


def _span(saliency: list[float], length: int, tie: float, *, most: bool) -> int:
    """Where the span of ``length`` words begins that has the largest or smallest sum; one of several by ``tie``."""
    sums = [round(sum(saliency[i : i + length]), 6) for i in range(len(saliency) - length + 1)]
    best = max(sums) if most else min(sums)
    places = [i for i, value in enumerate(sums) if value == best]
    return places[int(tie * len(places))]


def _log_odds(texts: list[list[str]], classes: list[int]) -> dict[int, dict[str, float]]:
    """Class → word → how much more frequent it is there than elsewhere, smoothed by one; nothing for a single class."""
    counts: dict[int, Counter[str]] = {}
    for words, c in zip(texts, classes, strict=True):
        counts.setdefault(c, Counter()).update(word.lower() for word in words)
    if len(counts) < 2:
        return {}
    everything: Counter[str] = sum(counts.values(), Counter())
    total, many = sum(everything.values()), len(everything)
    made = {}
    for c, own in counts.items():
        inside = sum(own.values())
        made[c] = {
            word: log((own[word] + 1) / (inside + many)) - log((n - own[word] + 1) / (total - inside + many))
            for word, n in everything.items()
        }
    return made
