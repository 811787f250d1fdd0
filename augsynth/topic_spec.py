"""The topics that a generator of text knows: their names, the words that tell them, and how frequent each is."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from augsynth._one_or_many import check_in_order, is_one
from augsynth.errors import ConfigError, TopicMatchWarning, UnknownTopicError

_SIMILAR = 0.8  # of the letters: "footballers" finds "football"
_WORD = re.compile(r"\w\w+")


@dataclass(frozen=True)
class TopicSpec:
    """What the topics of a dataset are.

    Args:
        names: one for each topic, all different.
        words: the words that tell each topic, with weights that sum to 1, most telling first; may be empty.
        counts: (classes, topics) number of real texts; one row when unlabelled.
    """

    names: tuple[str, ...]
    words: tuple[Mapping[str, float], ...]
    counts: tuple[tuple[int, ...], ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> TopicSpec | None:
        """The inverse of :meth:`to_json`; None stays None."""
        if data is None:
            return None
        return cls(tuple(data["names"]), tuple(data["words"]), tuple(tuple(row) for row in data["counts"]))

    def to_json(self) -> dict[str, Any]:
        """A form that JSON can hold."""
        return asdict(self)

    def __len__(self) -> int:
        return len(self.names)

    def display(self, index: int) -> str:
        """The name of topic ``index``."""
        return self.names[int(index)]

    def counted(self, topics: Tensor, classes: Tensor | None, num_classes: int) -> TopicSpec:
        """With the counts of n texts of the given ``topics`` (n,) and, if labelled, ``classes`` (n,)."""
        rows = topics * 0 if classes is None else classes
        table = torch.zeros(max(num_classes, 1), len(self), dtype=torch.int64)
        table.index_put_((rows, topics), torch.ones_like(topics), accumulate=True)
        return replace(self, counts=tuple(map(tuple, table.tolist())))

    def renamed(self, names: Mapping[Any, str]) -> TopicSpec:
        """With other names, ``{name or id: new name}``.

        Raises:
            UnknownTopicError: there is no such topic.
            ConfigError: two topics would have the same name.
        """
        made = list(self.names)
        for topic, name in names.items():
            if not isinstance(name, str) or not name.strip():
                raise ConfigError(f"rename: {topic!r} to {name!r}: expected a name")
            made[self.named(topic)] = name
        if len(set(made)) < len(made):
            raise ConfigError(f"rename: two topics would have the same name: {', '.join(map(repr, sorted(made)))}")
        return replace(self, names=tuple(made))

    def named(self, topic: Any) -> int:
        """Position of a topic given by id or by its very name.

        Raises:
            UnknownTopicError: there is none; lists those there are.
        """
        if isinstance(topic, (int, np.integer)) and not isinstance(topic, bool) and 0 <= topic < len(self):
            return int(topic)
        if isinstance(topic, str):
            for name in (str.__str__, str.casefold):
                for i, own in enumerate(self.names):
                    if name(own) == name(topic):
                        return i
            if topic.isdecimal() and int(topic) < len(self):
                return int(topic)
        listed = "; ".join(f"{i} ({name})" for i, name in enumerate(self.names))
        raise UnknownTopicError(f"there is no topic {topic!r}. The topics are: {listed}")

    def index(self, topic: Any) -> int:
        """Position of a topic given by id, name, or free words, which are matched to the topic that they tell most.

        Words that match no name are a guess: a :class:`TopicMatchWarning` says which topic was taken.

        Raises:
            UnknownTopicError: no such id, or no topic knows any of the words; lists the topics.
        """
        try:
            return self.named(topic)
        except UnknownTopicError:
            found = self.nearest(topic) if isinstance(topic, str) and not topic.lstrip("-").isdecimal() else None
            if found is None:
                raise
        warnings.warn(
            f"{topic!r} is the name of no topic; taken for topic {found}, {self.names[found]!r}",
            TopicMatchWarning,
            stacklevel=2,
        )
        return found

    def indices(self, topics: Any, n: int) -> Tensor:
        """(n,) int64 positions of one topic for all, or of n topics. Raises as :meth:`index`."""
        check_in_order("topics", topics)
        if is_one(topics):
            return torch.full((n,), self.index(topics))
        known: dict[Any, int] = {}
        listed = topics.tolist() if isinstance(topics, (Tensor, np.ndarray)) else list(topics)
        for topic in listed:
            if topic not in known:
                known[topic] = self.index(topic)
        return torch.tensor([known[topic] for topic in listed], dtype=torch.int64)

    def nearest(self, text: str, *, similar: bool = True) -> int | None:
        """The topic that the words of ``text`` tell most, or None if no topic knows any of them.

        Each word votes for the topics in proportion to its weight in them, and a little for those that it weighs
        most in, which decides ties.

        Args:
            text: a few words, or a whole text.
            similar: take a word that no topic knows for the one that is written most like it.
        """
        votes = torch.zeros(len(self), dtype=torch.float64)
        for word in _WORD.findall(text.lower()):
            if word not in self._weights and similar:
                word = next(iter(difflib.get_close_matches(word, self._weights, n=1, cutoff=_SIMILAR)), word)
            if word in self._weights:
                weights = self._weights[word]
                votes += weights / weights.sum() + 0.01 * weights
        return int(votes.argmax()) if bool(votes.any()) else None

    def drawn(self, classes: Tensor | None, u: Tensor) -> Tensor:
        """(n,) topics, drawn as frequent as they are among the real texts, of the given ``classes`` (n,) if labelled.

        Args:
            classes: positions of the labels, or None.
            u: (n,) uniform numbers in [0, 1).
        """
        counts = torch.tensor(self.counts, dtype=torch.float64)  # (classes, topics)
        if classes is None:
            counts = counts.sum(0, keepdim=True)
        edges = counts.cumsum(1) / counts.sum(1, keepdim=True)
        rows = edges[torch.zeros_like(u, dtype=torch.int64) if classes is None else classes.cpu()]
        drawn = torch.searchsorted(rows, u.double()[:, None], right=True).squeeze(1)
        last = len(self) - 1 - (counts > 0).flip(1).int().argmax(1)  # rounding must not draw what never occurs
        return torch.minimum(drawn, last[0 if classes is None else classes.cpu()])

    @cached_property
    def _weights(self) -> dict[str, Tensor]:
        """Of each word, its weight in every topic, (topics,)."""
        table: dict[str, Tensor] = {}
        for i, words in enumerate(self.words):
            for word, weight in words.items():
                table.setdefault(word, torch.zeros(len(self), dtype=torch.float64))[i] = weight
            for word in _WORD.findall(self.names[i].lower()):  # a name tells its topic as well as its first word does
                told = table.setdefault(word, torch.zeros(len(self), dtype=torch.float64))
                told[i] = max([*words.values(), float(told[i])], default=1.0)
        return table


def distinct_topics(topics: Sequence[Any]) -> tuple[tuple[str, ...], Tensor]:
    """The names of the topics that the user gives, one for each of n texts, and their (n,) int64 positions.

    Raises:
        ConfigError: one is neither str nor int, or both 3 and "3" are there.
    """
    plain = [topic.item() if isinstance(topic, (Tensor, np.generic)) else topic for topic in topics]
    wrong = [topic for topic in plain if isinstance(topic, bool) or not isinstance(topic, (int, str))]
    if wrong:
        raise ConfigError(
            f"topics: {wrong[0]!r} of type {type(wrong[0]).__name__}: expected a str or an int for each sample"
        )
    if len({type(topic) for topic in plain}) > 1:
        raise ConfigError("topics: some are numbers and some are names; use one kind")
    distinct = sorted(set(plain))
    place = {topic: i for i, topic in enumerate(distinct)}
    return tuple(map(str, distinct)), torch.tensor([place[topic] for topic in plain], dtype=torch.int64)
