"""A pretrained language model that goes on with a list of real examples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

import augsynth
from augsynth import authoring
from augsynth_transformers.prefixes import Prompt, padded
from augsynth_transformers.pretrained import Pretrained
from augsynth_transformers.rewriting import Rewriter
from augsynth_transformers.template import says_nothing

_CHOICE, _SHOWN = 73, 74  # streams
_SCORED = 32  # texts that are scored at once
_KEPT = 64  # real texts of a class and topic that prompts are made of, at most


class Prompted(Pretrained):
    """Texts in the way of a few real ones (in-context learning, Brown et al. 2020; as augmentation: GPT3Mix, Yoo et al.
    2021). Nothing is trained.

    Each sample follows one of a few prompts of its class and topic, by its seed; what the model has read of a prompt is
    kept, and repeated over a batch. A checkpoint holds the real texts that prompts are made of, and says so.
    """

    keeps_samples = True

    def build(
        self,
        spec: authoring.TextSpec,
        *,
        model: str = "",
        examples: int = 6,
        prompts: int = 4,
        template: Mapping[str, str] | None = None,
        descriptions: Mapping[str, str] | None = None,
        longest: int = 64,
        dtype: str = "float32",
        digest: str = "",
        texts: Sequence[str] = (),
        classes: Sequence[int] = (),
        topics: Sequence[int] = (),
    ) -> None:
        """
        Args:
            model: a folder, a GGUF file, or a name on the Hugging Face Hub.
            examples: real texts in a prompt; 0 leaves it to the descriptions.
            prompts: different prompts of each class and topic.
            template: parts of :class:`augsynth_transformers.template.Template` that are to be others.
            descriptions: class → what it is, in words that end "examples of ...", such as "questions about a person".
            longest: tokens of the longest text; found in the data.
            dtype: of the model's weights.
            digest: of the model; found.
            texts, classes, topics: the real texts that prompts are made of, with their positions; found in the data.
        """
        authoring.check_whole(0, examples=examples)
        authoring.check_whole(prompts=prompts)
        self.use(
            spec,
            model=model,
            digest=digest,
            dtype=dtype,
            longest=longest,
            template=template,
            descriptions=descriptions,
        )
        unsaid = [name for name in self.names if says_nothing(name) and name not in self.descriptions]
        if unsaid:
            message = (
                f"the name of class {unsaid[0]!r} says nothing to a language model: give descriptions="
                f"{{{unsaid[0]!r}: 'what it is, in words'}}"
            )
            if not examples:
                raise augsynth.ConfigError(f"{message}, since there are no examples")
            warnings.warn(message, augsynth.FitWarning, stacklevel=2)
        self.examples, self.prompts = examples, prompts
        self.pool: dict[tuple[int, int], list[str]] = {}
        for i, text in enumerate(texts):
            key = (classes[i] if classes else -1, topics[i] if topics else -1)
            self.pool.setdefault(key, []).append(text)

    @classmethod
    def settings_from(cls, data: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        found = cls.found_in(data, config)
        groups: dict[tuple[int, int], list[int]] = {}
        for i in range(len(data)):
            key = tuple(-1 if one is None else int(one[i]) for one in (data.classes, data.topics))
            groups.setdefault(key, []).append(i)  # type: ignore[arg-type]
        rows = sorted(i for own in groups.values() for i in own[:_KEPT])
        found["texts"] = [data.raw[i] for i in rows]
        for name, given in (("classes", data.classes), ("topics", data.topics)):
            found[name] = [] if given is None else [int(given[i]) for i in rows]
        return found

    def learn(self, data: Any) -> None:
        self.check_context()
        used = sum(map(len, self.pool.values()))
        self.fit_info["prompts"] = {"base": self.folder.name, "sha256": self.config["digest"], "real texts": used}

    def prompts_of(self, label: int, topic: int) -> Sequence[Prompt]:
        return [self._prompt(label, topic, number)[0] for number in range(self.prompts)]

    def prompts_for(self, labels: Tensor | None, topics: Tensor | None, seeds: Tensor) -> list[tuple[Prompt, str, Any]]:
        which = (authoring.uniform(seeds, stream=_CHOICE) * self.prompts).long().clamp(max=self.prompts - 1).tolist()
        pairs = self.positions(labels, topics, len(seeds))
        return [self._prompt(c, t, k) for (c, t), k in zip(pairs, which, strict=True)]

    def vary_batch(
        self,
        x: Sequence[str],
        labels: Tensor | None,
        seeds: Tensor,
        *,
        strength: float,
        top_k: int | None = 50,
        top_p: float = 0.95,
    ) -> Any:
        """
        The same in other words, by the model and a few pairs that it is shown (see
        :mod:`augsynth_transformers.rewriting`). ``strength`` 1 divides the logits by 0.5, and 2 by 1: the freer, the
        further from the text. Whether the label still holds a filter has to tell.
        """
        if strength == 0.0:
            return list(x)
        if "rewriter" not in self._own or self._own["rewriter"].model is not self.network:
            self._own["rewriter"] = Rewriter(self.network, self.tokenizer)
        return self._own["rewriter"](
            x, seeds, temperature=strength / 2, top_k=top_k, top_p=authoring.checked_top_p(top_p)
        )

    def log_prob_batch(self, x: Sequence[str], labels: Tensor | None, topics: Tensor | None = None) -> Tensor:
        """(n,) log-probability of the texts in nats, the end included: over all tokens, each prompt of a class as
        likely, and nothing drawn anew."""
        pairs = self.positions(labels, topics, len(x))
        bodies = [self.continued(text) for text in x]
        said = [self._likelihood([self._prompt(c, t, k)[0] for c, t in pairs], bodies) for k in range(self.prompts)]
        return torch.stack(said).logsumexp(0) - math.log(self.prompts)

    def _likelihood(self, prompts: Sequence[Prompt], bodies: Sequence[Prompt]) -> Tensor:
        """(n,) log-probability of tokens after prompts."""
        found = []
        for start in range(0, len(bodies), _SCORED):
            part = slice(start, start + _SCORED)
            own = bodies[part]
            cache, first, mask = self.prefixes.of(prompts[part])
            longest = max(map(len, own))
            logits = self.prefixes.follow(cache, mask, own, last=longest)[1][:, :-1]
            ids = padded(own, longest, logits.device)[0]
            # (n, longest): what the prompt says of the first token, and each token of the next
            known = torch.arange(longest, device=logits.device) >= longest - torch.tensor(
                [[len(one)] for one in own], device=logits.device
            )
            log_p = torch.zeros(known.shape, device=logits.device)
            # not log_softmax, which would be a second copy of all logits
            log_p[:, 1:] = logits.gather(2, ids[:, 1:, None]).squeeze(2) - logits.logsumexp(2)
            for row, one in enumerate(own):
                log_p[row, longest - len(one)] = first[row].log_softmax(0)[one[0]]
            found.append(log_p.masked_fill(~known, 0.0).sum(1))
        return torch.cat(found)

    def _prompt(self, label: int, topic: int, number: int) -> tuple[Prompt, str, list[str]]:
        made: dict[tuple[int, int, int], Any] = self._own.setdefault("prompts", {})
        if (label, topic, number) not in made:
            own = self.pool.get((label, topic), [])
            if not own and topic >= 0:  # no real text of both: those of the label, whatever their topic
                own = [text for (c, _), texts in sorted(self.pool.items()) if c == label for text in texts]
            seed = authoring.derive(_SHOWN, label + 1, topic + 1, number)
            order = torch.randperm(len(own), generator=torch.Generator().manual_seed(int(seed) % 2**63)).tolist()
            shown = [own[i] for i in order[: self.examples]]
            head = self.head(label, topic)
            made[label, topic, number] = (self.ids(self.template.prompt(head, shown)), head, own)
        found: tuple[Prompt, str, list[str]] = made[label, topic, number]
        return found
