"""There and back: a text through another language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from augsynth import authoring
from augsynth_transformers import base

_THERE, _BACK = 79, 80  # streams
_LONGEST = 2  # times the tokens of the text, and some


class BackTranslation(authoring.TextTransform):
    """A text translated and translated back (Sennrich et al. 2016; as augmentation of classifiers: Xie et al.,
    "Unsupervised data augmentation for consistency training", 2020), drawn from what each model finds likely, rather
    than searched for, which keeps it diverse (Edunov et al., "Understanding back-translation at scale", 2018).

    Args:
        there, back: models that translate, one a direction, such as MarianMT (``opus-mt-en-de``, ``opus-mt-de-en``): a
            folder as of ``save_pretrained``, or a name on the Hugging Face Hub. MarianMT needs ``sentencepiece``, too.
        temperature: divides the logits; 0 takes the likeliest word after word. 0.8 is within what Xie et al. used.
        top_p: choose among the likeliest tokens that together have this probability.
        dtype, device: of the weights.

    Raises:
        ConfigError: an argument cannot be used, or a folder holds no such model.
        MissingDependencyError: the extra ``transformers`` is not installed.
    """

    def __init__(
        self,
        *,
        there: str,
        back: str,
        temperature: float = 0.8,
        top_p: float = 0.95,
        dtype: str = "float32",
        device: str = "cpu",
    ) -> None:
        base.check_settings(dtype, temperature)
        authoring.checked_top_p(top_p)
        self.there, self.back = (str(base.find(one)) for one in (there, back))
        self.temperature, self.top_p, self.dtype, self.device = temperature, top_p, dtype, device
        for folder in (self.there, self.back):
            base.loaded(folder, dtype, "Seq2SeqLM")

    def apply(self, text: str, seed: int) -> str:
        return self.apply_many([text], [seed])[0]

    def apply_many(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        # of which nothing comes, stays as it was
        own = torch.tensor(list(seeds))
        foreign = self._translated(self.there, list(texts), own, _THERE)
        again = self._translated(self.back, [a or b for a, b in zip(foreign, texts, strict=True)], own, _BACK)
        return [a or b for a, b in zip(again, texts, strict=True)]

    @torch.no_grad()
    def _translated(self, folder: str, texts: list[str], seeds: Tensor, stream: int) -> list[str]:
        tokenizer, model = base.loaded(folder, self.dtype, "Seq2SeqLM")
        model.to(self.device)
        given = tokenizer(texts, return_tensors="pt", padding=True, truncation=True).to(self.device)
        read = model.get_encoder()(**{key: given[key] for key in ("input_ids", "attention_mask")})
        longest = _LONGEST * given["input_ids"].shape[1] + 8
        made = decode(
            model,
            read,
            given["attention_mask"],
            authoring.uniform(seeds, (longest,), stream=stream),
            self.temperature,
            self.top_p,
        )
        return [text.strip() for text in tokenizer.batch_decode(made, skip_special_tokens=True)]


def decode(model: Any, read: Any, mask: Tensor, numbers: Tensor, temperature: float, top_p: float) -> list[list[int]]:
    """Token ids that an encoder-decoder writes, one after the other.

    Args:
        read: what its encoder says of n texts.
        mask: (n, t) where these are no padding.
        numbers: (n, longest) uniform in (0, 1): row i decides text i alone.
        temperature, top_p: as of :func:`augsynth.authoring.choose_by_logits`.
    """
    config = model.generation_config
    ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    start = config.decoder_start_token_id
    tokens = torch.full(
        (len(mask), 1), model.config.decoder_start_token_id if start is None else start, device=mask.device
    )
    barred = [one for one in (config.pad_token_id,) if one is not None and one not in ends]
    made: list[list[int]] = [[] for _ in range(len(mask))]
    over, cache = torch.zeros(len(mask), dtype=torch.bool), None
    for t in range(numbers.shape[1]):
        said = model(
            encoder_outputs=read, attention_mask=mask, decoder_input_ids=tokens, past_key_values=cache, use_cache=True
        )
        cache, logits = said.past_key_values, said.logits[:, -1].float()
        logits[:, barred] = -torch.inf
        chosen = authoring.choose_by_logits(
            logits, numbers[:, t].to(logits), temperature=temperature, top_k=None, top_p=top_p
        )
        for row, token in enumerate(chosen.tolist()):
            if not over[row]:
                over[row] = token in ends
                if not over[row]:
                    made[row].append(token)
        if bool(over.all()):
            break
        tokens = chosen[:, None]
    return made
