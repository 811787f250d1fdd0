"""A causal transformer over the codes of an image, read line by line."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth import authoring

State = list[tuple[Tensor, Tensor]]  # keys and values of each layer, (n, heads, positions, d)


class Layer(nn.Module):
    """Attention to what came before, and a perceptron: pre-norm (Radford et al. 2019)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.into, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.body = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(n, t, width) → the same, and the keys and values of these positions and of the ``past``."""
        n, t, width = x.shape
        parts = self.into(self.norm1(x)).view(n, t, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)  # each (n, heads, t, d)
        if past is not None:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        found = F.scaled_dot_product_attention(query, key, value, is_causal=past is None)
        x = x + self._dropped(self.out(found.transpose(1, 2).reshape(n, t, width)))
        return x + self._dropped(self.body(self.norm2(x))), (key, value)

    def _dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


class Prior(nn.Module):
    """The next code of an image, given those before and what it shows.

    Args:
        codes: number of different codes.
        grid: (h, w) of the codes of an image.
        width, depth, heads: of the transformer.
        dropout: share dropped of embeddings and of what each layer adds.
        classes, condition: as of :func:`augsynth.authoring.condition_embedding`.
    """

    def __init__(
        self,
        codes: int,
        grid: tuple[int, int],
        *,
        width: int,
        depth: int,
        heads: int,
        dropout: float,
        classes: int,
        condition: int,
    ) -> None:
        super().__init__()
        self.grid, self.dropout = grid, dropout
        self.token = nn.Embedding(codes, width)
        self.rows, self.columns = nn.Embedding(grid[0], width), nn.Embedding(grid[1], width)
        self.start = nn.Parameter(torch.zeros(width))
        self.embed = authoring.condition_embedding(classes, condition)
        self.label = nn.Linear(32, width) if self.embed is not None else None
        self.layers = nn.ModuleList([Layer(width, heads, dropout) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, codes)
        for table in (self.token, self.rows, self.columns):
            nn.init.normal_(table.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, codes: Tensor, labels: Tensor | None, known: Tensor) -> Tensor:
        """Codes (n, h·w) → logits (n, h·w, codes) of each of them, given those before.

        Args:
            known: (n,), 1 where the label is told, 0 where it is kept back.
        """
        told = self.told(labels, known)
        entered = torch.cat([self.start.expand(len(codes), 1, -1), self.token(codes[:, :-1])], dim=1)
        x = F.dropout(entered + self._places(0, codes.shape[1]) + told[:, None], self.dropout, self.training)
        for layer in self.layers:
            x, _ = layer(x)
        out: Tensor = self.head(self.norm(x))
        return out

    def step(self, last: Tensor | None, position: int, told: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Logits (n, codes) at a position, given the code (n,) before it (None for the first) and the state there."""
        entered = self.start.expand(len(told), -1) if last is None else self.token(last)
        x = (entered + self._places(position, 1) + told)[:, None]
        kept = []
        for depth, layer in enumerate(self.layers):
            x, own = layer(x, None if state is None else state[depth])
            kept.append(own)
        return self.head(self.norm(x[:, 0])), kept

    def told(self, labels: Tensor | None, known: Tensor) -> Tensor:
        """(n, width), what is known of each image."""
        if self.label is None or self.embed is None or labels is None:
            return torch.zeros(len(known), len(self.start), device=known.device)
        out: Tensor = self.label(self.embed(labels)) * known[:, None]
        return out

    def _places(self, start: int, count: int) -> Tensor:
        """(count, width), which row and column a position is in."""
        position = torch.arange(start, start + count, device=self.start.device)
        out: Tensor = self.rows(position // self.grid[1]) + self.columns(position % self.grid[1])
        return out


def write(
    prior: Prior,
    labels: Tensor | None,
    numbers: Tensor,
    *,
    temperature: float,
    top_p: float | None,
    guidance: float,
    given: Tensor | None = None,
    kept: Tensor | None = None,
) -> Tensor:
    """Codes (n, h·w), one after the other.

    Args:
        numbers: (n, h·w) uniform in (0, 1): row i decides image i alone.
        temperature, top_p: as of :func:`augsynth.authoring.choose_by_logits`.
        guidance: how far labels are exaggerated (Ho & Salimans 2022): 1 is not at all, and half the work.
        given, kept: (n, h·w) codes, and whether each stays as it is.
    """
    n, length = numbers.shape
    guided = guidance != 1.0 and labels is not None and prior.label is not None
    known = torch.ones(n, device=numbers.device)
    told = prior.told(labels, known)
    if guided:
        told = torch.cat([told, torch.zeros_like(told)])
    made = torch.zeros(n, length, dtype=torch.int64, device=numbers.device)
    state: State | None = None
    last: Tensor | None = None
    for position in range(length):
        logits, state = prior.step(last, position, told, state)
        if guided:
            with_label, without = logits.chunk(2)
            logits = torch.lerp(without, with_label, guidance)
        chosen = authoring.choose_by_logits(logits, numbers[:, position], temperature=temperature, top_p=top_p)
        if given is not None and kept is not None:
            chosen = torch.where(kept[:, position], given[:, position], chosen)
        made[:, position] = chosen
        last = chosen.repeat(2) if guided else chosen
    return made
