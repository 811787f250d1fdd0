"""A conditional recurrent language model with tied embeddings and variational dropout."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

_LARGEST_TABLE = 2**24  # numbers, 64 MiB
State = list[tuple[Tensor, Tensor]]  # (h, c), each (n, hidden), of every layer


class LanguageModel(nn.Module):
    """Tokens to the logits of the next ones, given conditions: a class, a topic, or both.

    The sum of their vectors is part of the input of every step, and shifts the output. Input and output embeddings are
    one matrix (Press & Wolf 2017). Dropout is variational (Gal & Ghahramani 2016): one mask a sequence for the words,
    the inputs of a layer, its state and its output.

    Args:
        vocabulary: number of tokens.
        conditions: number of classes and topics together.
        embedding: size of token and condition vectors.
        hidden: size of a layer's state.
        layers: number of layers.
        dropout: share that is dropped of inputs and outputs; half of it of the state, and a quarter of the words of
            the vocabulary, for a whole batch.
    """

    def __init__(
        self, vocabulary: int, conditions: int, *, embedding: int, hidden: int, layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, embedding)
        self.condition = nn.Embedding(max(conditions, 1), embedding)
        sizes = [2 * embedding] + [hidden] * layers
        self.cells = nn.ModuleList([nn.LSTMCell(a, b) for a, b in pairwise(sizes)])
        self.project = nn.Linear(hidden, embedding)
        self.shift = nn.Embedding(max(conditions, 1), embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.hidden, self.dropout = hidden, dropout
        nn.init.normal_(self.embed.weight, std=embedding**-0.5)
        nn.init.normal_(self.condition.weight, std=embedding**-0.5)
        nn.init.zeros_(self.shift.weight)

    def start(self, n: int) -> State:
        """The state before the first token."""
        zeros = self.bias.new_zeros(n, self.hidden)
        return [(zeros, zeros) for _ in self.cells]

    def step(self, tokens: Tensor, conditions: Tensor, state: State) -> tuple[Tensor, State]:
        """One step without dropout: tokens (n,), conditions (n, m) to logits (n, vocabulary) and the next state."""
        h = torch.cat([self.embed(tokens), self.condition(conditions).sum(1)], dim=1)
        after: State = []
        for cell, before in zip(self.cells, state, strict=True):
            h, c = cell(h, before)
            after.append((h, c))
        return self._logits(h, self.shift(conditions).sum(1)), after

    def forward(self, tokens: Tensor, conditions: Tensor, wanted: Tensor) -> Tensor:
        """tokens (n, t), conditions (n, m) to logits (k, vocabulary) at the k places that ``wanted`` (n, t) says; with
        dropout while training. Half of a batch may be padding, and the logits are most of the work."""
        n, length = tokens.shape
        words = self.embed(tokens) * self._mask(len(self.bias), 1, self.dropout / 4)[tokens]
        given = self.condition(conditions).sum(1)[:, None]  # (n, 1, embedding)
        x = torch.cat([words, given.expand(-1, length, -1)], dim=2)
        for cell in self.cells:
            x = self._mask(n, x.shape[2], self.dropout)[:, None] * x
            x = _unrolled(cell, x, self._mask(n, self.hidden, self.dropout / 2))  # (n, t, hidden)
        x = self._mask(n, self.hidden, self.dropout)[:, None] * x
        shift = self.shift(conditions).sum(1)[:, None].expand(-1, length, -1)
        return self._logits(x[wanted], shift[wanted])

    def _logits(self, h: Tensor, shift: Tensor) -> Tensor:
        return nn.functional.linear(self.project(h) + shift, self.embed.weight, self.bias)

    def inference_form(self) -> nn.Module:
        """What samples twice as fast, where the vocabulary is not too large for a table."""
        hidden = 4 * self.hidden * len(self.bias)
        return SamplingModel(self) if hidden <= _LARGEST_TABLE else self

    def _mask(self, n: int, size: int, rate: float) -> Tensor:
        if not self.training or rate <= 0:
            return self.bias.new_ones(n, size)
        return torch.empty(n, size, device=self.bias.device).bernoulli_(1 - rate).div_(1 - rate)


class SamplingModel(nn.Module):
    """A language model whose first layer looks up what a token and a condition contribute to its gates, rather than
    multiplying their vectors at every step: half of the work of a batch."""

    def __init__(self, model: LanguageModel) -> None:
        super().__init__()
        self.model = model
        w_in, w_state, b_in, b_state = (p.detach() for p in model.cells[0].parameters())
        from_word, from_condition = w_in.split(w_in.shape[1] // 2, dim=1)
        # (tokens or conditions, 4 hidden), in the order of torch.nn.LSTMCell: input, forget, cell, output
        self.register_buffer("words", model.embed.weight.detach() @ from_word.t() + b_in + b_state)
        self.register_buffer("given", model.condition.weight.detach() @ from_condition.t())
        self.register_buffer("w_state", w_state.t().contiguous())

    def start(self, n: int) -> State:
        return self.model.start(n)

    def step(self, tokens: Tensor, conditions: Tensor, state: State) -> tuple[Tensor, State]:
        """As :meth:`LanguageModel.step`."""
        h, c = state[0]
        given = self.words[tokens] + self.given[conditions].sum(1)  # type: ignore[index]
        i, f, g, o = torch.addmm(given, h, self.w_state).chunk(4, dim=1)  # type: ignore[arg-type]
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        after: State = [(h, c)]
        for cell, before in zip(list(self.model.cells)[1:], state[1:], strict=True):
            h, c = cell(h, before)
            after.append((h, c))
        return self.model._logits(h, self.model.shift(conditions).sum(1)), after


def _unrolled(cell: nn.Module, x: Tensor, keep: Tensor) -> Tensor:
    """Outputs (n, t, hidden) of an LSTMCell over inputs (n, t, d), its state masked by ``keep`` (n, hidden) at every
    step. The inputs of all steps are multiplied at once, which takes half the time of calling the cell t times."""
    # (t, n, 4 hidden), in the order input, forget, cell, output of torch.nn.LSTMCell
    w_in, w_state, b_in, b_state = cell.parameters()
    given = nn.functional.linear(x.transpose(0, 1), w_in, b_in + b_state)
    h, c = torch.zeros_like(keep), torch.zeros_like(keep)
    outputs = []
    for step in given.unbind(0):
        i, f, g, o = torch.addmm(step, h * keep, w_state.t()).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs, dim=1)
