"""Rewriting that keeps what matters: held against a judge, and against the text it was made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import augsynth
from augsynth import authoring

_AGAIN = 83  # stream


class Checked(authoring.TextTransform):
    """The result of another transform, where a judge gives it the label that it gives the original, and where it says
    something like the original; else another result of it, and after ``tries`` the original.

    Args:
        transform: a transform of texts, or the name of one, or a mapping with ``"name"`` and its settings.
        classifier: n texts → (n, classes) probabilities, such as a fitted :class:`augsynth.EmbeddingClassifier`; None
            does without.
        low, high: bounds on the cosine of the embeddings of result and original; None does without. With the packaged
            model 0.5 to 0.98 keeps the subject and leaves out what is all but the same.
        model: of the embeddings, as of :class:`augsynth.EmbeddingClassifier`.
        tries: how often the transform may try.

    Raises:
        ConfigError: an argument cannot be used, or nothing would be checked.
        MissingDependencyError: embeddings are asked for, and the extra ``topics`` is not installed.
    """

    def __init__(
        self,
        *,
        transform: Any,
        classifier: Callable[[list[str]], Any] | None = None,
        low: float | None = None,
        high: float | None = None,
        model: Any = None,
        tries: int = 3,
    ) -> None:
        if isinstance(transform, (str, Mapping)):
            given = {"name": transform} if isinstance(transform, str) else dict(transform)
            transform = augsynth.create("transform", given.pop("name", ""), **given)
        if not isinstance(transform, authoring.TextTransform):
            raise augsynth.ConfigError(f"transform={transform!r}: expected a transform of texts, or the name of one")
        if classifier is None and low is None and high is None:
            raise augsynth.ConfigError("nothing would be checked: give a classifier, or low or high")
        if classifier is not None and not callable(classifier):
            raise augsynth.ConfigError(f"classifier={classifier!r}: expected n texts → (n, classes) probabilities")
        self.band = (-1.0 if low is None else low, 1.0 if high is None else high)
        if not -1.0 <= self.band[0] < self.band[1] <= 1.0:
            raise augsynth.ConfigError(f"low={low!r}, high={high!r}: expected -1 <= low < high <= 1")
        if isinstance(tries, bool) or not isinstance(tries, int) or tries < 1:
            raise augsynth.ConfigError(f"tries={tries!r}: expected a whole number from 1 up")
        self.transform, self.classifier, self.tries = transform, classifier, tries
        self._embed = None if low is None and high is None else authoring.SentenceEmbeddings(model)

    def apply(self, text: str, seed: int) -> str:
        return self.apply_many([text], [seed])[0]

    def apply_many(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        made, left = list(texts), list(range(len(texts)))
        for attempt in range(self.tries):
            own = [int(authoring.derive(seeds[i], _AGAIN + attempt)) if attempt else seeds[i] for i in left]
            tried = self.transform.apply_many([texts[i] for i in left], own)
            passed = self._pass(tried, [texts[i] for i in left])
            for i, text, good in zip(left, tried, passed, strict=True):
                if good:
                    made[i] = text
            left = [i for i, good in zip(left, passed, strict=True) if not good]
            if not left:
                break
        return made

    def _pass(self, tried: Sequence[str], of: Sequence[str]) -> list[bool]:
        rows = [i for i, (a, b) in enumerate(zip(tried, of, strict=True)) if a != b and a.strip()]
        good = [False] * len(tried)
        if not rows:
            return good
        both = [*(tried[i] for i in rows), *(of[i] for i in rows)]
        kept = np.ones(len(rows), dtype=bool)
        if self.classifier is not None:
            said = np.asarray(self.classifier(both)).argmax(1)
            kept &= said[: len(rows)] == said[len(rows) :]
        if self._embed is not None:
            vectors = self._embed(both)
            near = (vectors[: len(rows)] * vectors[len(rows) :]).sum(1)
            kept &= (near >= self.band[0]) & (near <= self.band[1])
        for i, one in zip(rows, kept.tolist(), strict=True):
            good[i] = one
        return good
