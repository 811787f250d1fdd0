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
        authoring.check_whole(tries=tries)
        self.transform, self.classifier, self.tries = transform, classifier, tries
        self._embed = None if low is None and high is None else authoring.SentenceEmbeddings(model)

    def apply(self, text: str, seed: int) -> str:
        return self.apply_many([text], [seed])[0]

    def apply_many(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        made, left = list(texts), list(range(len(texts)))
        wanted = self._seen(texts)
        for attempt in range(self.tries):
            own = [int(authoring.derive(seeds[i], _AGAIN + attempt)) if attempt else seeds[i] for i in left]
            tried = self.transform.many([texts[i] for i in left], own)
            other = [k for k, i in enumerate(left) if tried[k] != texts[i] and tried[k].strip()]
            good = self._alike(self._seen([tried[k] for k in other]), wanted, [left[k] for k in other])
            passed = {left[k]: tried[k] for k, kept in zip(other, good, strict=True) if kept}
            for i, text in passed.items():
                made[i] = text
            left = [i for i in left if i not in passed]
            if not left:
                break
        return made

    def _seen(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """What the checks look at: (n,) classes and (n, d) embeddings, of no columns where they are not asked for."""
        given, n = list(texts), len(texts)
        classes = np.zeros(n, int) if self.classifier is None or not n else np.asarray(self.classifier(given)).argmax(1)
        return classes, np.zeros((n, 0)) if self._embed is None or not n else self._embed(given)

    def _alike(
        self, made: tuple[np.ndarray, np.ndarray], wanted: tuple[np.ndarray, np.ndarray], rows: list[int]
    ) -> list[bool]:
        """Whether each result is like the original at its row."""
        if not rows:
            return []
        kept = made[0] == wanted[0][rows]
        if self._embed is not None:
            near = (made[1] * wanted[1][rows]).sum(1)
            kept &= (near >= self.band[0]) & (near <= self.band[1])
        found: list[bool] = kept.tolist()
        return found
