"""A conditional recurrent language model with tied embeddings and variational dropout."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

State = list[tuple[Tensor, Tensor]]  # (h, c), each (n, hidden), of every layer


class LanguageModel(nn.Module):
    """Tokens to the logits of the next ones, given a class.

    The class is part of the input of every step, and shifts the output. Input and output embeddings are one matrix
    (Press & Wolf 2017). Dropout is variational (Gal & Ghahramani 2016): one mask a sequence for the words, the inputs
    of a layer, its state and its output.

    Args:
        vocabulary: number of tokens.
        classes: 0 without labels.
        embedding: size of token and class vectors.
        hidden: size of a layer's state.
        layers: number of layers.
        dropout: share that is dropped of inputs and outputs; half of it of the state, and a quarter of the words of
            the vocabulary, for a whole batch.
    """

    def __init__(
        self, vocabulary: int, classes: int, *, embedding: int, hidden: int, layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, embedding)
        self.condition = nn.Embedding(max(classes, 1), embedding)
        sizes = [2 * embedding] + [hidden] * layers
        self.cells = nn.ModuleList([nn.LSTMCell(a, b) for a, b in pairwise(sizes)])
        self.project = nn.Linear(hidden, embedding)
        self.shift = nn.Embedding(max(classes, 1), embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.hidden, self.dropout = hidden, dropout
        nn.init.normal_(self.embed.weight, std=embedding**-0.5)
        nn.init.normal_(self.condition.weight, std=embedding**-0.5)
        nn.init.zeros_(self.shift.weight)

    def start(self, n: int) -> State:
        """The state before the first token."""
        zeros = self.bias.new_zeros(n, self.hidden)
        return [(zeros, zeros) for _ in self.cells]

    def step(self, tokens: Tensor, classes: Tensor, state: State) -> tuple[Tensor, State]:
        """One step without dropout: tokens (n,), classes (n,) to logits (n, vocabulary) and the next state."""
        h = torch.cat([self.embed(tokens), self.condition(classes)], dim=1)
        after: State = []
        for cell, before in zip(self.cells, state, strict=True):
            h, c = cell(h, before)
            after.append((h, c))
        return self._logits(h, classes), after

    def forward(self, tokens: Tensor, classes: Tensor) -> Tensor:
        """tokens (n, t), classes (n,) to logits (n, t, vocabulary); with dropout while training."""
        n, length = tokens.shape
        words = self.embed(tokens) * self._mask(len(self.bias), 1, self.dropout / 4)[tokens]
        x = torch.cat([words, self.condition(classes)[:, None].expand(-1, length, -1)], dim=2)
        for cell in self.cells:
            x = self._mask(n, x.shape[2], self.dropout)[:, None] * x
            keep = self._mask(n, self.hidden, self.dropout / 2)
            h, c = self.bias.new_zeros(n, self.hidden), self.bias.new_zeros(n, self.hidden)
            outputs = []
            for t in range(length):
                h, c = cell(x[:, t], (h * keep, c))
                outputs.append(h)
            x = torch.stack(outputs, dim=1)  # (n, t, hidden)
        x = self._mask(n, self.hidden, self.dropout)[:, None] * x
        return self._logits(x, classes[:, None].expand(-1, length))

    def _logits(self, h: Tensor, classes: Tensor) -> Tensor:
        return nn.functional.linear(self.project(h) + self.shift(classes), self.embed.weight, self.bias)

    def _mask(self, n: int, size: int, rate: float) -> Tensor:
        if not self.training or rate <= 0:
            return self.bias.new_ones(n, size)
        return torch.empty(n, size, device=self.bias.device).bernoulli_(1 - rate).div_(1 - rate)
