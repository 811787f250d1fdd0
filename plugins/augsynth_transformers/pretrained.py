"""What the generators of pretrained models share: the base, which no checkpoint holds, and how texts are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

import augsynth
from augsynth import authoring
from augsynth_transformers import base
from augsynth_transformers.flaws import flaw_of
from augsynth_transformers.prefixes import Prefixes, Prompt
from augsynth_transformers.template import Template, checked_descriptions
from augsynth_transformers.writing import ending, text_of, write

_TOKEN, _AGAIN = 71, 72  # streams
_TRIES = 5  # of a text that is no text
_MEASURED = 2000  # texts whose lengths are looked at


class Pretrained(augsynth.Generator):
    """Texts by a causal language model that was trained on other data. A subclass says by what prompts.

    The base model stays where it is: a checkpoint names it, with a digest by which another one is noticed.
    """

    modality = "text"
    conditions = frozenset({"label", "topic"})
    micro_batch = {"cpu": 48, "cuda": 256}  # noqa: RUF012 - a constant of the class

    identity: Tensor

    def use(
        self,
        spec: Any,
        *,
        model: str,
        digest: str,
        dtype: str,
        longest: int,
        template: Mapping[str, str] | None,
        descriptions: Mapping[str, str] | None,
    ) -> None:
        """What ``build`` of a subclass calls first, with the settings that all of them have."""
        base.check_settings(dtype)
        authoring.check_whole(longest=longest)
        self.template = Template.of(template, labelled=spec.labels is not None, topics=spec.topics is not None)
        folder = base.find(model)
        found = base.fingerprint(folder)
        if digest and digest != found:
            raise augsynth.CheckpointError(
                f"{folder} is another model than the one that this generator was made with (sha256 {found[:12]}..., "
                f"expected {digest[:12]}...): put that one there, or fit anew"
            )
        self.folder, self.dtype, self.longest = folder, dtype, longest
        self.names = [] if spec.classes is None else spec.classes.displayed
        self.topic_names = () if spec.topics is None else spec.topics.names
        self.descriptions = checked_descriptions(descriptions, self.names)
        self._own: dict[str, Any] = {}  # what is not saved, and made when it is needed
        # which model, in a checkpoint that may hold nothing else
        number = torch.tensor([int(found[i : i + 15], 16) for i in (0, 15, 30, 45)], dtype=torch.int64)
        self.register_buffer("identity", number)

    @classmethod
    def found_in(cls, data: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        """Settings that follow from the model and the data: its digest, the template, how long texts are."""
        folder = base.find(config.get("model", ""))
        template = Template.of(
            config.get("template"), labelled=data.classes is not None, topics=data.topics is not None
        )
        tokenizer = base.tokenizer_of(str(folder))
        lengths = sorted(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in data.raw[:_MEASURED])
        # a few very long texts must not set the pace of all; a private fit shows none, and build() has a default
        usual = lengths and min(lengths[-1], max(16, 2 * lengths[int(0.95 * (len(lengths) - 1))])) + 2
        given = {"digest": base.fingerprint(folder), "template": vars(template), "longest": usual}
        found = {key: config.get(key) or value for key, value in given.items()}
        return {key: value for key, value in found.items() if value} | {"template": vars(template)}

    def prompts_for(self, labels: Tensor | None, topics: Tensor | None, seeds: Tensor) -> list[tuple[Prompt, str, Any]]:
        """For each text: its prompt, the first line of it, and the real texts that it must not copy."""
        raise NotImplementedError

    def prompts_of(self, label: int, topic: int) -> Sequence[Prompt]:
        """All prompts of a label and a topic, by position; -1 where there are none."""
        raise NotImplementedError

    def head(self, label: int, topic: int) -> str:
        """The first line of a prompt, by position; -1 where there are none."""
        return self.template.head(
            None if label < 0 else self.names[label], None if topic < 0 else self.topic_names[topic], self.descriptions
        )

    @staticmethod
    def positions(labels: Tensor | None, topics: Tensor | None, n: int) -> list[tuple[int, int]]:
        """The label and topic of each of n texts, -1 where there are none."""
        both = [[-1] * n if one is None else one.tolist() for one in (labels, topics)]
        return list(zip(*both, strict=True))

    def draw(
        self,
        labels: Tensor | None,
        seeds: Tensor,
        *,
        temperature: float,
        truncation: float | None,
        topics: Tensor | None = None,
        top_k: int | None = 50,
        top_p: float | None = None,
        max_length: int | None = None,
    ) -> list[str]:
        """
        A text that is empty, a loop, its prompt, or a copy of a real text that its prompt was made of is drawn anew, by
        numbers of its own and each time a little more freely; after five times it is an error where it is empty, or a
        copy.

        Args:
            temperature: divides the logits; 0 takes the likeliest token (greedy).
            truncation: the same as ``top_p``, where that is not given; 0.95 where neither is.
            top_k: choose among so many tokens; None for all.
            top_p: choose among the likeliest tokens that together have this probability (Holtzman et al. 2020).
            max_length: in tokens; None for what suits the data.
        """
        top_p = authoring.checked_top_p(top_p, truncation)
        top_p = 0.95 if top_p is None else top_p
        longest = self.longest if max_length is None else max_length
        authoring.check_whole(or_none=True, top_k=top_k, max_length=longest)
        asked, ended = self.prompts_for(labels, topics, seeds), self._ending()
        texts = [""] * len(asked)
        flaws: dict[int, str] = dict.fromkeys(range(len(asked)), "empty")
        for attempt in range(_TRIES):
            rows = list(flaws)
            numbers = authoring.uniform(
                authoring.derive(seeds[rows], _AGAIN + attempt) if attempt else seeds[rows], (longest,), stream=_TOKEN
            )
            made = write(
                self.prefixes,
                [asked[row][0] for row in rows],
                numbers,
                ended,
                temperature=temperature * (1 + attempt / 4) if temperature else attempt / 4,
                top_k=top_k,
                top_p=top_p,
            )
            flaws = {}
            for row, ids in zip(rows, made, strict=True):
                texts[row] = self._text(ids)
                if (flaw := flaw_of(texts[row], *asked[row][1:])) is not None:
                    flaws[row] = flaw
            if not flaws:
                break
        if bad := [flaw for flaw in flaws.values() if flaw in ("empty", "copy")]:
            what = "wrote nothing" if "empty" in bad else "wrote real texts of its prompt again"
            raise augsynth.ConfigError(
                f"{self.folder.name} {what} {_TRIES} times in a row for {len(bad)} of {len(asked)} texts: it is too "
                f"small for this, or does not suit the template, whose examples begin with {self.template.example!r}"
            )
        return texts

    # ------------------------------------------------------------------ the base

    @property
    def tokenizer(self) -> Any:
        return self._loaded()[0]

    @property
    def network(self) -> Any:
        """The language model, on the device of the generator."""
        model = self._loaded()[1]
        if next(model.parameters()).device != self.device:
            model.to(self.device)
        return model

    @property
    def prefixes(self) -> Prefixes:
        if "prefixes" not in self._own or self._own["prefixes"].model is not self.network:
            self._own["prefixes"] = Prefixes(self.network, self.width)
        made: Prefixes = self._own["prefixes"]
        return made

    @property
    def width(self) -> int:
        """Tokens of the longest prompt."""
        if "width" not in self._own:
            labels = range(len(self.names)) if self.names else (-1,)
            topics = range(len(self.topic_names)) if self.topic_names else (-1,)
            self._own["width"] = max(len(one) for c in labels for t in topics for one in self.prompts_of(c, t))
        made: int = self._own["width"]
        return made

    def check_context(self) -> None:
        """Raises ConfigError unless prompt and text fit into what the model can see."""
        context = int(getattr(self.network.config, "max_position_embeddings", 0) or 0)
        if context and self.width + self.longest > context:
            raise augsynth.ConfigError(
                f"the longest prompt has {self.width} tokens and a text up to {self.longest}, and {self.folder.name} "
                f"sees {context}: use fewer or shorter examples, or a smaller longest="
            )

    def _loaded(self) -> tuple[Any, Any]:
        return base.loaded(str(self.folder), self.dtype)

    def ids(self, text: str) -> Prompt:
        """A prompt as token ids, begun as the model is used to."""
        return tuple(self.tokenizer(text)["input_ids"])

    def continued(self, text: str) -> Prompt:
        """The token ids of a text as they follow a prompt, with its end."""
        ids = self.tokenizer(self.template.continuation(text), add_special_tokens=False)["input_ids"]
        return tuple(ids[: self.longest + 2])

    def _ending(self) -> Callable[[list[int]], bool]:
        """Token ids of a text so far → whether it is over."""
        return ending(self.tokenizer, self.network, self.template.stop)

    def _text(self, ids: Sequence[int]) -> str:
        return text_of(self.tokenizer, ids, self.template.stop)

    def __getstate__(self) -> dict[str, Any]:
        """Without the base, which another process finds by itself."""
        return {**self.__dict__, "_own": {}}
