"""The same in other words, by a language model that has seen how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

import augsynth
from augsynth import authoring
from augsynth_transformers.flaws import flaw_of
from augsynth_transformers.prefixes import Prefixes, Prompt
from augsynth_transformers.template import flat
from augsynth_transformers.writing import ending, text_of, write

_TOKEN, _AGAIN = 75, 76  # streams
_TRIES = 4
_HEADER, _BETWEEN, _STOP = "Each line, and the same said in other words:\n", " => ", "\n"
PAIRS = (
    ("Who was the first person to climb that mountain ?", "Which climber reached the top of that mountain first ?"),
    ("Shares of the carmaker fell 4 percent on Tuesday.", "On Tuesday, the stock of the car company lost 4 percent."),
    ("I did not enjoy the film at all, it is far too long.", "The movie drags on, and I got no pleasure out of it."),
    ("What do you call a young horse ?", "Which name is given to the young of a horse ?"),
    ("Police are searching for two men who robbed a bank.", "Officers look for a pair of bank robbers."),
)
"""What a model is shown, unless others are given."""


class Rewriter:
    """Paraphrases by a causal language model, which goes on with a list of pairs.

    Args:
        model, tokenizer: of transformers.
        pairs: of texts and the same in other words: data, in the language and the manner of the texts to come.

    Raises:
        ConfigError: ``pairs`` are no pairs of texts.
    """

    def __init__(self, model: Any, tokenizer: Any, pairs: Sequence[Sequence[str]] = PAIRS) -> None:
        for pair in pairs:
            if isinstance(pair, str) or len(pair) != 2 or not all(isinstance(one, str) and one.strip() for one in pair):
                raise augsynth.ConfigError(f"pairs: {pair!r} is no pair of a text and the same in other words")
        self.model, self.tokenizer = model, tokenizer
        shown = "".join(f"- {flat(a)}{_BETWEEN}{flat(b)}{_STOP}" for a, b in pairs)
        self.prompt = tuple(tokenizer(_HEADER + shown + "-")["input_ids"])
        self.prefixes = Prefixes(model, len(self.prompt))
        self.ended = ending(tokenizer, model, _STOP)

    def __call__(
        self, texts: Sequence[str], seeds: Tensor, *, temperature: float, top_k: int | None = 50, top_p: float = 0.95
    ) -> list[str]:
        """n texts, each in other words. What comes out empty, in a loop, the same, far shorter or longer, or asks where
        the text tells, or tells where it asks, is written anew, four times at most; then the text stays as it was, as
        does one that the model cannot see in full.

        Args:
            seeds: (n,) int64; text i follows seed i alone.
            temperature, top_k, top_p: as of :func:`augsynth.authoring.choose_by_logits`.
        """
        made = list(texts)
        tails = [self._tail(text) for text in texts]
        context = int(getattr(self.model.config, "max_position_embeddings", 0) or 0) or 2**31
        left = [i for i, tail in enumerate(tails) if len(self.prompt) + 3 * len(tail) <= context]
        for attempt in range(_TRIES):
            if not left:
                break
            longest = max(4 + 2 * len(tails[i]) for i in left)
            own = seeds[left]
            numbers = authoring.uniform(
                authoring.derive(own, _AGAIN + attempt) if attempt else own, (longest,), stream=_TOKEN
            )
            written = write(
                self.prefixes,
                [self.prompt] * len(left),
                numbers,
                self.ended,
                temperature=temperature,
                top_k=top_k,
                top_p=top_p,
                tails=[tails[i] for i in left],
            )
            for i, ids in zip(left, written, strict=True):
                text = text_of(self.tokenizer, ids, _STOP)
                if _serves(text, texts[i]):
                    made[i] = text
            left = [i for i in left if made[i] == texts[i]]
        return made

    def _tail(self, text: str) -> Prompt:
        return tuple(self.tokenizer(f" {flat(text)}{_BETWEEN.rstrip()}", add_special_tokens=False)["input_ids"])


def _serves(text: str, of: str) -> bool:
    """Whether a rewriting is one: other words, and about as many, that still ask or still tell. A small model likes to
    answer a question."""
    before, after = len(of.split()), len(text.split())
    if _BETWEEN.strip() in text or _asks(text) != _asks(of):
        return False
    return flaw_of(text, "", [of]) is None and before <= 2 * after + 2 and after <= 2 * before + 2


def _asks(text: str) -> bool:
    return text.rstrip("\"'»”’) ").endswith(("?", "？", "؟"))
