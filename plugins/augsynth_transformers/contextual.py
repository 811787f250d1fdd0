"""Words by others that suit their place, as a masked language model sees it."""

from __future__ import annotations

import re
from typing import Any

import torch

import augsynth
from augsynth import authoring
from augsynth_transformers import base

_WORD = re.compile(r"\w+", re.UNICODE)
_PLACE, _TOKEN = 77, 78  # streams


class Contextual(authoring.TextTransform):
    """Some words by others that a masked language model finds likely in their place, one after the other (Kobayashi,
    "Contextual augmentation", NAACL 2018, with a pretrained model as of Wu et al., "Conditional BERT contextual
    augmentation", 2019).

    A likely word may turn a label round ("good" → "bad"): hold it against a judge, see the transform ``checked``.

    Args:
        model: a masked language model (BERT, RoBERTa and their like): a folder as of ``save_pretrained``, or a name on
            the Hugging Face Hub.
        ratio: share of the words that change, at least one.
        top_k: choose among so many words.
        temperature: divides the logits; 0 takes the likeliest other word.
        dtype, device: of the weights.

    Raises:
        ConfigError: an argument cannot be used, or the folder holds no such model.
        MissingDependencyError: the extra ``transformers`` is not installed.
    """

    def __init__(
        self,
        *,
        model: str,
        ratio: float = 0.15,
        top_k: int = 20,
        temperature: float = 1.0,
        dtype: str = "float32",
        device: str = "cpu",
    ) -> None:
        authoring.check_shares(ratio=ratio)
        authoring.check_whole(top_k=top_k)
        base.check_settings(dtype, temperature)
        self.folder, self.ratio, self.top_k, self.temperature = str(base.find(model)), ratio, top_k, temperature
        self.dtype, self.device = dtype, device
        if base.tokenizer_of(self.folder).mask_token_id is None:
            raise augsynth.ConfigError(f"{self.folder}: its tokenizer has no mask, so it fills in no words")
        base.loaded(self.folder, dtype, "MaskedLM")

    def apply(self, text: str, seed: int) -> str:
        spans = [found.span() for found in _WORD.finditer(text)]
        if not spans:
            return text
        count = min(len(spans), max(1, round(self.ratio * len(spans))))
        own = torch.tensor([seed])
        ranks = authoring.uniform(own, (len(spans),), stream=_PLACE)[0]
        numbers = authoring.uniform(own, (count,), stream=_TOKEN)[0]
        # from the right, so that a word of another length does not move the places of the others
        for number, i in zip(numbers, sorted(ranks.topk(count).indices.tolist(), reverse=True), strict=True):
            start, end = spans[i]
            text = text[:start] + self._other(text, start, end, number) + text[end:]
        return text

    @torch.no_grad()
    def _other(self, text: str, start: int, end: int, number: Any) -> str:
        """A word in place of the one from ``start`` to ``end``; itself where the model knows none."""
        tokenizer, model = base.loaded(self.folder, self.dtype, "MaskedLM")
        model.to(self.device)
        word = text[start:end]
        given = tokenizer(text[:start] + tokenizer.mask_token + text[end:], return_tensors="pt", truncation=True)
        at = (given["input_ids"][0] == tokenizer.mask_token_id).nonzero().flatten()
        if len(at) == 0:  # further on than the model sees
            return word
        logits = model(**given.to(self.device)).logits[0, at[0]].float().cpu()
        allowed = []
        for token in logits.argsort(descending=True)[: 4 * self.top_k].tolist():
            written = tokenizer.decode([token]).strip()
            whole = not tokenizer.convert_ids_to_tokens(token).startswith("##")
            if whole and _WORD.fullmatch(written) and written.lower() != word.lower():
                allowed.append((token, written))
            if len(allowed) == self.top_k:
                break
        if not allowed:
            return word
        own = logits[[token for token, _ in allowed]][None]
        chosen = authoring.choose_by_logits(own, number[None].to(own), temperature=self.temperature)
        return _cased(allowed[int(chosen)][1], word)


def _cased(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word
