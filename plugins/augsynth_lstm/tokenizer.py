"""Texts to token ids and back, by word, byte pair or character; plain JSON in the checkpoint.

Words carry the space before them ("▁What", "▁is", "?"), so that decoding gives back the very spaces and quotes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import tokenizers
import torch
from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
from torch import Tensor

import augsynth

PAD, BOS, EOS, UNKNOWN = 0, 1, 2, 3
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
LEVELS = ("word", "bpe", "char")
_WORD = r" ?[\p{L}\p{M}\p{N}_]+| ?[^\s\p{L}\p{M}\p{N}_]|\s"
_CHARACTER = r"(?m:.)"  # in the syntax of Oniguruma: any character, line breaks included
_MANY_WORDS = 400_000  # beyond, a vocabulary of whole words grows large and its rare words stay unlearnt
_LONG_WORDS = 15.0  # characters between spaces: a script that does not write any


def suitable_level(texts: Sequence[str]) -> str:
    """``"char"`` for scripts without spaces, ``"word"`` up to 400,000 words of text, else ``"bpe"``."""
    words = sum(len(text.split()) for text in texts)
    if sum(map(len, texts)) / max(words, 1) > _LONG_WORDS:
        return "char"
    return "word" if words <= _MANY_WORDS else "bpe"


def train(texts: Iterable[str], level: str, vocabulary: int, min_count: int = 1) -> str:
    """Fit a tokenizer; returns its JSON.

    Args:
        texts: to learn the vocabulary from.
        level: ``"word"``, ``"bpe"`` or ``"char"``.
        vocabulary: largest number of tokens; the most frequent ones are kept.
        min_count: how often a word or character must occur to be kept.
    """
    texts = list(texts)
    if level == "bpe":
        made = tokenizers.Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # bytes: any script, without loss
        made.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        made.train_from_iterator(texts, trainer)
        return str(made.to_str())
    pattern = _WORD if level == "word" else _CHARACTER
    counts = Counter(piece for text in texts for piece in _pieces(text, pattern))
    # by count, then by name: the same texts in another order give the same vocabulary
    kept = sorted((p for p in counts if counts[p] >= min_count), key=lambda piece: (-counts[piece], piece))
    kept = kept[: vocabulary - len(SPECIAL)]
    ids = {token: i for i, token in enumerate([*SPECIAL, *kept])}
    made = tokenizers.Tokenizer(models.WordLevel(ids, unk_token=SPECIAL[UNKNOWN]))
    made.pre_tokenizer = _splitter(pattern)
    made.decoder = decoders.Fuse()
    return str(made.to_str())


def load(text: str) -> tokenizers.Tokenizer:
    """The tokenizer of a JSON text. Raises ConfigError if it is none."""
    try:
        return tokenizers.Tokenizer.from_str(text)
    except Exception as error:  # the library raises bare Exception
        raise augsynth.ConfigError(f"tokenizer={text[:60]!r}: expected the JSON of a tokenizer; {error}") from None


def rare(text: str, texts: Sequence[str]) -> list[int]:
    """Ids of the tokens that occur once in ``texts``."""
    made = load(text)
    counts = Counter(i for encoding in made.encode_batch(list(texts)) for i in encoding.ids)
    return sorted(i for i, n in counts.items() if n == 1 and i >= len(SPECIAL))


def word_edges(made: tokenizers.Tokenizer) -> tuple[list[int], list[int]]:
    """Ids of the tokens that end in a letter or digit, and of those that begin with one (no space before it).

    Of the level ``"word"``, one of the latter never follows one of the former: it would be one word.
    """
    words = {token: i for token, i in made.get_vocab().items() if i >= len(SPECIAL)}
    ends = sorted(i for token, i in words.items() if token[-1].isalnum())
    return ends, sorted(i for token, i in words.items() if token[0].isalnum())


def edge_masks(made: tokenizers.Tokenizer, level: str) -> Tensor:
    """(2, vocabulary) bool of :func:`word_edges`, none of them set at other levels than ``"word"``."""
    edges = torch.zeros(2, made.get_vocab_size(), dtype=torch.bool)
    if level == "word":
        for row, ids in zip(edges, word_edges(made), strict=True):
            row[torch.tensor(ids, dtype=torch.int64)] = True
    return edges


def padded(rows: Sequence[Sequence[int]], device: torch.device) -> Tensor:
    """(n, t) ids of rows of different lengths."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[PAD] * (longest - len(row))] for row in rows], device=device)


def _splitter(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Split(Regex(pattern), behavior="isolated")


def _pieces(text: str, pattern: str) -> list[str]:
    return [piece for piece, _ in _splitter(pattern).pre_tokenize_str(text)]
