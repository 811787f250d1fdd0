"""A pretrained language model with a small adapter, fitted on the data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth import authoring
from augsynth_transformers import base, heads
from augsynth_transformers.prefixes import Prefixes, Prompt, padded, positions
from augsynth_transformers.pretrained import Pretrained

_SCORED = 32  # texts that are scored at once


class LoRA(Pretrained):
    """Texts by label and topic, of a model whose layers have low-rank additions (LoRA, Hu et al. 2022; by peft).

    The prompt is the first line of the template alone: no real text is in it, and none in a checkpoint, which holds the
    adapter and the name of its base. Of the weights those of the lowest perplexity on held-out texts are kept.
    """

    def build(
        self,
        spec: authoring.TextSpec,
        *,
        model: str = "",
        rank: int = 8,
        alpha: float = 16.0,
        lr: float = 5e-4,
        weight_decay: float = 0.0,
        template: Mapping[str, str] | None = None,
        descriptions: Mapping[str, str] | None = None,
        longest: int = 64,
        dtype: str = "float32",
        digest: str = "",
    ) -> None:
        """
        Args:
            model: a folder, a GGUF file, or a name on the Hugging Face Hub.
            rank, alpha: of the additions, in all linear layers but the last (as in QLoRA, Dettmers et al. 2023).
            lr, weight_decay: of AdamW.
            template, descriptions: as of :class:`augsynth_transformers.prompted.Prompted`.
            longest: tokens of the longest text; found in the data.
            dtype: of the base model's weights.
            digest: of the base model; found.
        """
        authoring.check_whole(rank=rank)
        authoring.check_positive(alpha=alpha, lr=lr)
        authoring.check_positive(or_zero=True, weight_decay=weight_decay)
        self.use(
            spec,
            model=model,
            digest=digest,
            dtype=dtype,
            longest=longest,
            template=template,
            descriptions=descriptions,
        )
        self.rank, self.alpha, self.lr, self.weight_decay = rank, alpha, lr, weight_decay
        self.adapter = nn.ParameterDict()
        self.adapter.update(dict(_additions(self._loaded()[1])))
        self.check_context()

    @classmethod
    def settings_from(cls, data: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        return cls.found_in(data, config)

    @classmethod
    def presets(cls, spec: authoring.TextSpec, n: int) -> dict[str, Any]:
        # four times through the data, as long as that is few; early stopping ends it before
        return {"steps": min(2000, max(60, n // 2)), "batch_size": 8, "validation": 0.1 if n >= 100 else 0.0}

    @classmethod
    def search_space(cls) -> authoring.SearchSpace:
        return {"rank": authoring.IntRange(2, 32, log=True), "lr": authoring.FloatRange(1e-4, 2e-3, log=True)}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"adapter": torch.optim.AdamW(self.adapter.parameters(), lr=self.lr, weight_decay=self.weight_decay)}

    def training_step(self, batch: authoring.TrainingBatch) -> Mapping[str, Tensor]:
        losses, mask = self._losses(batch.x, batch.y, batch.topics)
        return {"loss": losses.sum() / mask.sum()}

    def sample_losses(self, batch: authoring.TrainingBatch) -> Tensor:
        losses, mask = self._losses(batch.x, batch.y, batch.topics)
        return losses.sum(1) / mask.sum(1)

    def trained_module(self) -> nn.Module:
        return self.network

    @classmethod
    def private_presets(cls, spec: authoring.TextSpec, n: int) -> dict[str, Any]:
        # twice through the data: a language model is dear, and knows the language
        size = max(min(n, 64), min(256, n // 20))
        return {"rank": 4, "batch_size": size, "steps": max(1, round(2 * n / size))}

    def validation_loss(self, batch: authoring.TrainingBatch) -> Tensor:
        losses, mask = self._losses(batch.x, batch.y, batch.topics)
        return losses.sum() / mask.sum()

    def log_prob_batch(self, x: Sequence[str], labels: Tensor | None, topics: Tensor | None = None) -> Tensor:
        """(n,) log-probability of the texts in nats, the end included."""
        found = []
        for start in range(0, len(x), _SCORED):
            part = slice(start, start + _SCORED)
            given = [None if one is None else one[part] for one in (labels, topics)]
            found.append(-self._losses(x[part], *given)[0].sum(1))
        return torch.cat(found)

    def assess(self, data: Any) -> dict[str, Any]:
        nats, count = 0.0, 0
        for start in range(0, len(data), _SCORED):
            part = slice(start, start + _SCORED)
            given = [None if one is None else one[part].to(self.device) for one in (data.classes, data.topics)]
            losses, mask = self._losses(data.raw[part], *given)
            nats, count = nats + float(losses.sum()), count + int(mask.sum())
        return {"perplexity": {"all": round(math.exp(nats / count), 2)}, "base": self.folder.name}

    @property
    def prefixes(self) -> Prefixes:
        # what was read with other weights is of no use
        stamp = (id(self.network), *(parameter._version for parameter in self.adapter.parameters()))
        if self._own.get("stamp") != stamp:
            self._own |= {"stamp": stamp, "prefixes": Prefixes(self.network, self.width)}
        made: Prefixes = self._own["prefixes"]
        return made

    def prompts_of(self, label: int, topic: int) -> Sequence[Prompt]:
        return [self._prompt(label, topic)[0]]

    def prompts_for(self, labels: Tensor | None, topics: Tensor | None, seeds: Tensor) -> list[tuple[Prompt, str, Any]]:
        return [(*self._prompt(c, t), ()) for c, t in self.positions(labels, topics, len(seeds))]

    # ------------------------------------------------------------------ private

    def _prompt(self, label: int, topic: int) -> tuple[Prompt, str]:
        made: dict[tuple[int, int], Any] = self._own.setdefault("prompts", {})
        if (label, topic) not in made:
            head = self.head(label, topic)
            made[label, topic] = (self.ids(self.template.prompt(head, ())), head)
        found: tuple[Prompt, str] = made[label, topic]
        return found

    def _losses(self, texts: Sequence[str], labels: Tensor | None, topics: Tensor | None) -> tuple[Tensor, Tensor]:
        """Negative log-likelihood (n, t) of each token of the texts and their ends, 0 where padded, and where they are.

        The shapes: ids (n, prompt + t), of which the last t are of texts.
        """
        prompts = [self._prompt(c, t)[0] for c, t in self.positions(labels, topics, len(texts))]
        bodies = [self.continued(text) for text in texts]
        rows = [(*prompt, *body) for prompt, body in zip(prompts, bodies, strict=True)]
        ids, mask = padded(rows, max(map(len, rows)), self.device)
        longest = max(map(len, bodies))
        own = torch.tensor([[i >= longest - len(body) for i in range(longest)] for body in bodies], device=ids.device)
        said = {"input_ids": ids, "attention_mask": mask, "position_ids": positions(mask), "use_cache": False}
        before = torch.cat([own, own.new_zeros(len(own), 1)], dim=1)  # a token is foretold at the one before it
        with heads.only(self.network, before):
            logits = self.network(**said, logits_to_keep=longest + 1).logits[0]
        losses = F.cross_entropy(logits.float(), ids[:, -longest:][own], reduction="none")
        return torch.zeros(own.shape, device=ids.device).masked_scatter(own, losses), own

    def _loaded(self) -> tuple[Any, Any]:
        if "base" not in self._own:
            peft = authoring.import_optional("peft", extra="transformers", purpose="fitting an adapter")
            tokenizer, model = base.load_anew(str(self.folder), self.dtype)
            config = peft.LoraConfig(
                r=self.rank, lora_alpha=self.alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
            )
            model = peft.inject_adapter_in_model(config, model)
            for name, _ in list(_additions(model)) if len(self.adapter) else ():
                # the very parameters that are fitted and saved
                *path, last = name.split("/")
                model.get_submodule(".".join(path)).register_parameter(last, self.adapter[name])
            self._own["base"] = (tokenizer, model)
        made: tuple[Any, Any] = self._own["base"]
        return made


def _additions(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """The parameters of the adapter, by names that a ParameterDict takes."""
    return [(name.replace(".", "/"), one) for name, one in model.named_parameters() if "lora_" in name]
