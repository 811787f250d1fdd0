"""All that is special about texts, in one place; each part in a module of its own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from html import escape
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from augsynth.errors import DataError, FitWarning
from augsynth.modalities.text.classifier import TextClassifier
from augsynth.modalities.text.embedding_classifier import EmbeddingClassifier
from augsynth.modalities.text.language import measured
from augsynth.modalities.text.near import near_duplicates
from augsynth.modalities.text.readers import Table
from augsynth.modalities.text.runs import text_copies
from augsynth.modalities.text.sentences import SentenceEmbeddings
from augsynth.modalities.text.spec import TextSpec
from augsynth.modalities.text.tiny import TinyTexts
from augsynth.modalities.text.words import ReducedWords, WordJudge, tfidf
from augsynth.modalities.text.writing import write
from augsynth.modality import Extra, Extract, Modality, Reader
from augsynth.registry import create
from augsynth.topic_spec import TopicSpec

_SHOWN, _LONGEST = 6, 400


class TextModality(Modality):
    """Texts: strings."""

    spec_type: ClassVar[type[TextSpec]] = TextSpec
    batch_size: ClassVar[int] = 32
    readable: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".jsonl")
    forms: ClassVar[tuple[str, ...]] = ("str",)

    def readers(self) -> Sequence[Reader]:
        return (Table(),)

    def topics_for(self, raw: Any, topics: Any, seed: int) -> tuple[TopicSpec, Tensor]:
        from augsynth.modalities.text.topics.finding import topics_for

        return topics_for(raw, topics, seed)

    def classifier(self, spec: TextSpec, outputs: int) -> nn.Module:
        return TextClassifier(outputs)

    def judge(self, data: Any) -> WordJudge:
        return WordJudge(data)

    def annotator(self, spec: Any) -> EmbeddingClassifier:
        return EmbeddingClassifier()

    def classic_candidates(self, spec: TextSpec) -> dict[str, Any]:
        # 16 and 0.05 are Wei & Zou's advice for up to 500 texts
        settings: dict[str, dict[str, Any]] = {"eda": {"n_aug": 16, "alpha": 0.05}, "aeda": {}}
        made = {}
        for name, own in settings.items():
            transform = create("transform", name, **own)
            try:
                transform("a word or two", seed=0)
            except DataError as error:  # a dictionary that is not on this machine
                warnings.warn(f"{name} is left out of classic augmentation: {error}", FitWarning, stacklevel=3)
            else:
                made[name] = transform
        return made

    def spread(self, spec: Any, x: Sequence[str]) -> float:
        """Mean share of their words that two texts do not have in common (Jaccard)."""
        words = [set(text.split()) for text in x]
        pairs = list(combinations(words, 2))
        return sum(1.0 - len(a & b) / max(len(a | b), 1) for a, b in pairs) / len(pairs) if pairs else 0.0

    def features(self) -> dict[str, Callable[[Any, Any, Any], Extract]]:
        return {
            "tfidf-svd": lambda data, reference, judge: ReducedWords(reference),
            "embeddings": lambda data, reference, judge: SentenceEmbeddings(),
        }

    def default_features(self, judge: Any) -> str:
        return "tfidf-svd"

    def detail(self, spec: Any, reference: Any) -> tuple[str, Extract]:
        return "tfidf", tfidf(reference).transform

    def copies(self, spec: Any, made: Any, held: Any, train: Any) -> list[Any]:
        return text_copies(made, held, train)

    def measurements(self, gen: Any, sets: Any, rows: Any, seed: int) -> dict[str, Callable[[], Extra]]:
        return {"language": partial(measured, gen, sets, rows, seed)}

    def near_duplicates(self, spec: Any, raw: Any, other: Any) -> tuple[list[tuple[int, int, str]], str | None]:
        return near_duplicates(list(raw), None if other is None else list(other))

    def outlier_scores(self, data: Any, *, seed: int, device: str, progress: bool) -> Tensor | None:
        return None  # what is far too long, or repeats itself, is told by augsynth.clean

    def html(self, spec: Any, x: Sequence[str], *, large: bool = False) -> str:
        shown = (text if len(text) <= _LONGEST else text[:_LONGEST] + " …" for text in x[:_SHOWN])
        return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in shown) + "</ul>"

    def lines(self, spec: Any, x: Sequence[str]) -> list[str]:
        return list(x)

    def write(self, spec: TextSpec, batch: Any, out: Path) -> list[Path]:
        return write(batch, out)

    def tiny(self, n: int, *, classes: int = 3, form: str | None = None, seed: int = 0) -> TinyTexts:
        return TinyTexts(n, classes=classes, seed=seed)

    def spoilt(self, x: Any, seed: int) -> Any:
        bad = (lambda text: f"{text} the the the", lambda text: text.split()[0])
        return type(x)(bad[i % 2](text) for i, text in enumerate(x))

    def canaries(self, spec: Any, n: int, seed: int) -> list[str]:
        """Sentences with twelve random digits (Carlini et al. 2019)."""
        generator = torch.Generator().manual_seed(seed)
        digits = torch.randint(0, 10, (n, 12), generator=generator).tolist()
        return ["my secret number is " + " ".join(map(str, row)) for row in digits]

    def blank(self) -> Iterable[str]:
        return ("", "  ", "\n")

    def smallest(self) -> Iterable[str]:
        return ("a", "Schön", "你好", "👩‍🚀", "it's")
