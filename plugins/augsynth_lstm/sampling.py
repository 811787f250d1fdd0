"""From logits to tokens: temperature, top-k, top-p and repetition, each sequence by its own numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from augsynth.authoring import choose_by_logits
from augsynth_lstm.network import LanguageModel
from augsynth_lstm.tokenizer import BOS, EOS, PAD, UNKNOWN


def generate(
    network: LanguageModel,
    conditions: Tensor,
    numbers: Tensor,
    prompt: Sequence[int],
    edges: Tensor,
    *,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    repetition_penalty: float,
    no_repeat_window: int,
    min_length: int,
) -> list[list[int]]:
    """Token ids of n sequences, without the special ones.

    All sequences advance together, each with its own state; finished ones leave the batch.

    Args:
        conditions: (n, m) int64, the class and topic of each, or (n, 1, d) of a network that is told by vectors.
        numbers: (n, longest) uniform in (0, 1): row i decides sequence i alone.
        prompt: token ids that all begin with.
        edges: (2, vocabulary) bool: none of the second row may follow one of the first.
        repetition_penalty: what logits of tokens used within the last ``no_repeat_window`` are divided by when
            positive, and multiplied with when negative (Keskar et al. 2019); 1 for none.
        min_length: no end before so many tokens.
    """
    n, longest = numbers.shape
    device = numbers.device
    made = torch.full((n, longest), PAD, dtype=torch.int64, device=device)
    active = torch.arange(n, device=device)
    state = network.start(n)
    tokens = torch.full((n,), BOS, dtype=torch.int64, device=device)
    forced = torch.tensor(list(prompt), dtype=torch.int64, device=device)
    for t in range(longest):
        logits, state = network.step(tokens, conditions, state)
        if t < len(forced):
            tokens = forced[t].expand(len(active))
            made[active, t] = tokens
            continue
        logits[:, [PAD, BOS, UNKNOWN]] = -torch.inf
        logits = logits.masked_fill(edges[0][tokens][:, None] & edges[1], -torch.inf)
        if t < min_length:
            logits[:, EOS] = -torch.inf
        if repetition_penalty != 1.0 and t > 0:
            used = made[active, max(0, t - no_repeat_window) : t]
            scores = logits.gather(1, used)
            scores = torch.where(scores > 0, scores / repetition_penalty, scores * repetition_penalty)
            logits = logits.scatter(1, used, scores)
        tokens = choose_by_logits(logits, numbers[active, t], temperature=temperature, top_k=top_k, top_p=top_p)
        going = tokens != EOS
        made[active[going], t] = tokens[going]
        if not bool(going.all()):
            active, tokens, conditions = active[going], tokens[going], conditions[going]
            state = [(h[going], c[going]) for h, c in state]
            if not len(active):
                break
    return [[token for token in row if token != PAD] for row in made.tolist()]
