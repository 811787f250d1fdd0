"""A small convolutional classifier of texts."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

_BUCKETS, _EMBEDDING, _FILTERS, _SIZES = 2**14, 100, 64, (2, 3, 4)
_LONGEST = 128  # words that are read


class TextClassifier(nn.Module):
    """Filters of two to four words, pooled over the text (Kim 2014), on hashed words: no vocabulary to fit.

    Args:
        classes: number of classes.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(_BUCKETS, _EMBEDDING, padding_idx=0)
        self.filters = nn.ModuleList([nn.Conv1d(_EMBEDDING, _FILTERS, size, padding=size - 1) for size in _SIZES])
        self.head = nn.Linear(len(_SIZES) * _FILTERS, classes)

    def features(self, texts: Sequence[str]) -> Tensor:
        """n texts to (n, 192), what the last layer sees."""
        ids = hashed(texts).to(self.head.weight.device)  # (n, t)
        x = F.dropout(self.embed(ids), 0.2, self.training).transpose(1, 2)  # (n, 100, t)
        return torch.cat([F.relu(conv(x)).amax(2) for conv in self.filters], dim=1)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """n texts to logits (n, classes)."""
        logits: Tensor = self.head(F.dropout(self.features(texts), 0.5, self.training))
        return logits


def hashed(texts: Sequence[str]) -> Tensor:
    """(n, t) int64 buckets of lower-cased words, from 1 up; 0 where a text has ended."""
    rows = [[1 + zlib.crc32(word.encode()) % (_BUCKETS - 1) for word in text.lower().split()] for text in texts]
    ids = torch.zeros(len(rows), min(_LONGEST, max([1, *map(len, rows)])), dtype=torch.int64)
    for target, row in zip(ids, rows, strict=True):
        words = row[:_LONGEST]
        target[: len(words)] = torch.tensor(words, dtype=torch.int64)
    return ids
