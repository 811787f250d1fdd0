"""The same in other words, as a transform."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from augsynth import authoring
from augsynth_transformers import base
from augsynth_transformers.rewriting import PAIRS, Rewriter


class Paraphrase(authoring.TextTransform):
    """A text in other words, by a causal language model that goes on with a few pairs. What does not come out as a
    rewriting stays as it was. Whether the label still holds is not known to the model: see the transform ``checked``.

    Args:
        model: a folder, a GGUF file, or a name on the Hugging Face Hub.
        pairs: of texts and the same in other words, which the model is shown. The default is English, of questions,
            news and opinions; give such pairs in the language and the manner of your texts.
        temperature: divides the logits; 0 takes the likeliest word after word.
        top_p: choose among the likeliest tokens that together have this probability.
        dtype, device: of the weights.

    Raises:
        ConfigError: an argument cannot be used, or the folder holds no such model.
        MissingDependencyError: the extra ``transformers`` is not installed.
    """

    def __init__(
        self,
        *,
        model: str,
        pairs: Sequence[Sequence[str]] = PAIRS,
        temperature: float = 0.5,
        top_p: float = 0.95,
        dtype: str = "float32",
        device: str = "cpu",
    ) -> None:
        base.check_settings(dtype, temperature)
        authoring.checked_top_p(top_p)
        self.folder, self.temperature, self.top_p = str(base.find(model)), temperature, top_p
        self.dtype, self.device, self.pairs = dtype, device, list(pairs)
        self._made: Rewriter | None = None
        self._rewriter()

    def apply(self, text: str, seed: int) -> str:
        return self.apply_many([text], [seed])[0]

    @torch.no_grad()
    def apply_many(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        own = torch.tensor(list(seeds), device=self.device)
        return self._rewriter()(texts, own, temperature=self.temperature, top_p=self.top_p)

    def _rewriter(self) -> Rewriter:
        if self._made is None:
            tokenizer, model = base.loaded(self.folder, self.dtype)
            self._made = Rewriter(model.to(self.device), tokenizer, self.pairs)
        return self._made

    def __getstate__(self) -> dict[str, object]:
        """Without the model, which another process reads by itself."""
        return {**self.__dict__, "_made": None}
