"""Find the topics of texts, so that unlabelled text can be asked for by topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from augsynth._numbers import check_whole
from augsynth.errors import ConfigError, DataError
from augsynth.modalities.text.reading import read_texts
from augsynth.modalities.text.topics.words import words_by_group
from augsynth.seeding import check_seed
from augsynth.structure import Fields
from augsynth.topic_spec import TopicSpec, distinct_topics

_NAMED_BY = 3  # words
_METHODS = ("nmf", "embeddings")


class Model(Protocol):
    """A fitted method: it assigns texts to topics, and tells the words of each."""

    words: Sequence[Mapping[str, float]]

    def assign(self, texts: Sequence[str]) -> Tensor:
        """(n,) int64 topics of n texts."""


class Topics:
    """Topics of texts, found by :func:`fit`.

    Attributes:
        spec: names, words and counts.
        assigned: (n,) int64, the topic of each text that they were found in.
    """

    def __init__(self, spec: TopicSpec, model: Model, assigned: Tensor) -> None:
        self.spec, self.assigned = spec, assigned
        self._model = model

    def __len__(self) -> int:
        return len(self.spec)

    @property
    def names(self) -> list[str]:
        """The name of each topic: its most telling words, until renamed."""
        return list(self.spec.names)

    @property
    def sizes(self) -> list[int]:
        """How many texts each topic has."""
        return torch.bincount(self.assigned, minlength=len(self)).tolist()

    def words(self, topic: Any, n: int = 10) -> list[str]:
        """The n most telling words of a topic, given by name or id. Raises UnknownTopicError."""
        return list(self.spec.words[self.spec.named(topic)])[:n]

    def rename(self, names: Mapping[Any, str]) -> Topics:
        """The same topics with other names: ``topics.rename({0: "oil", "game team season": "sports"})``.

        Raises:
            UnknownTopicError: there is no such topic.
            ConfigError: two topics would have the same name.
        """
        return Topics(self.spec.renamed(names), self._model, self.assigned)

    def assign(self, texts: Sequence[str]) -> Tensor:
        """(n,) int64 topics of n texts, which need not be those that the topics were found in."""
        if isinstance(texts, str):
            raise ConfigError(f"texts={texts[:60]!r}: expected a list of texts")
        return self._model.assign(list(texts))

    def find(self, topic: Any) -> int:
        """Id of a topic given by id, name or free words; see :meth:`TopicSpec.index`."""
        return self.spec.index(topic)

    def __repr__(self) -> str:
        rows = [
            f"  {i:2} {size:6}  {name}: {', '.join(list(words)[:8])}"
            for i, (name, size, words) in enumerate(zip(self.names, self.sizes, self.spec.words, strict=True))
        ]
        return "\n".join([f"{len(self)} topics of {len(self.assigned)} texts", *rows])


def fit(
    texts: Any,
    k: int = 10,
    *,
    method: str = "nmf",
    model: Any = None,
    stop_words: str | Sequence[str] | None = "english",
    vectorizer: Any = None,
    fields: Fields | None = None,
    seed: int = 0,
) -> Topics:
    """Find ``k`` topics.

    Args:
        texts: a list of texts, or a dataset that yields them, alone, in tuples or in dicts; labels are not read.
        k: number of topics. Texts without any word that tells a topic get one more, "other".
        method: ``"nmf"``, a non-negative factorisation of TF-IDF weights (Lee & Seung 1999), or ``"embeddings"``, the
            clusters (k-means) of sentence embeddings, which tell short texts better and take longer. The latter needs
            the extra ``topics``; the words of its topics are those frequent in them and rare elsewhere (class-based
            TF-IDF, Grootendorst 2022).
        model: for embeddings: path of a sentence-transformers model, or an object with ``encode(list of texts)`` →
            (n, d). None takes all-MiniLM-L6-v2 as the extra installs it; nothing is downloaded.
        stop_words: words that tell no topic: ``"english"``, a list of your own, or None.
        vectorizer: a scikit-learn vectorizer in place of TF-IDF on words, for ``"nmf"``: for Chinese, say,
            ``TfidfVectorizer(analyzer="char", ngram_range=(2, 3))``.
        fields: where the text is in a sample, ``{"x": key, "y": None}``.
        seed: the result is a function of the texts and the seed.

    Raises:
        ConfigError: an argument cannot be used.
        DataError: the texts have too few words in common.
        MissingDependencyError: embeddings without the extra ``topics``.

    Example:
        >>> topics = augsynth.topics.fit(texts, k=8)
        >>> print(topics)
        >>> gen = augsynth.fit("lstm", texts, topics=topics)
        >>> gen.sample(5, topics="oil prices").x
    """
    if method not in _METHODS:
        raise ConfigError(f"method={method!r}: expected one of {', '.join(map(repr, _METHODS))}")
    check_whole(2, k=k)
    if isinstance(texts, str):
        raise ConfigError(f"texts={texts[:60]!r}: expected a list of texts, or a dataset")
    if model is not None and method == "nmf":
        raise ConfigError(f"model={model!r} is for method='embeddings'")
    seed = check_seed(seed)
    read = read_texts(texts, fields)[2]
    if k > len(read):
        raise ConfigError(f"k={k}: there are {len(read)} texts; expected at most as many topics")
    made: Model
    if method == "nmf":
        from augsynth.modalities.text.topics.nmf import Nmf  # scikit-learn takes a second to import

        made = Nmf(read, k, stop_words=stop_words, vectorizer=vectorizer, seed=seed)
    else:
        from augsynth.modalities.text.topics.embeddings import Embeddings

        made = Embeddings(read, k, model=model, stop_words=stop_words, seed=seed)
    assigned = made.assign(read)
    spec = TopicSpec(_names(made.words), tuple(made.words), ()).counted(assigned, None, 0)
    return Topics(spec, made, assigned)


def topics_for(texts: Sequence[str], topics: Any, seed: int) -> tuple[TopicSpec, Tensor]:
    """What ``fit(..., topics=...)`` takes, resolved for its n texts: the topics and their (n,) positions."""
    if isinstance(topics, int) and not isinstance(topics, bool):
        topics = fit(list(texts), topics, seed=seed)
    if isinstance(topics, Topics):
        return replace(topics.spec, counts=()), topics.assign(texts)
    if isinstance(topics, str) or not hasattr(topics, "__len__"):
        raise ConfigError(
            f"topics={topics!r}: expected a number of topics, what augsynth.topics.fit returned, or a topic for each "
            "text"
        )
    if len(topics) != len(texts):
        raise DataError(f"topics has {len(topics)} entries for {len(texts)} texts; expected one for each")
    names, positions = distinct_topics(list(topics))
    return TopicSpec(names, tuple(words_by_group(texts, positions.tolist(), len(names))), ()), positions


def _names(words: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    names: list[str] = []
    for own in words:
        listed = list(own)
        name = " ".join(listed[:_NAMED_BY]) or "other"
        for more in range(_NAMED_BY + 1, len(listed) + 1):
            if name not in names:
                break
            name = " ".join(listed[:more])
        names.append(name if name not in names else f"{name} {len(names)}")
    return tuple(names)
