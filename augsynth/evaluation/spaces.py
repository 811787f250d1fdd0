"""Where samples are compared: the spaces of features, each with its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from augsynth._atomic import atomic_file
from augsynth._optional import import_optional
from augsynth.classifiers import classifier_for, default_steps, train_classifier
from augsynth.classifiers.training import features as classifier_features
from augsynth.errors import ConfigError, DataError
from augsynth.fitting.training_data import TrainingData

Extract = Callable[[Any], Any]  # n samples as generators see them → (n, d), dense or sparse

_COMPONENTS = 64


class Space:
    """A named map from samples to vectors.

    Args:
        name: stands in the names of figures.
        extract: n samples as generators see them → (n, d) array, tensor or sparse matrix.
    """

    def __init__(self, name: str, extract: Extract) -> None:
        self.name, self._extract = name, extract

    def __call__(self, x: Any) -> Any:
        """(n, d) float64 vectors, or a sparse matrix.

        Raises:
            DataError: they are not n finite vectors.
        """
        made = self._extract(x)
        if hasattr(made, "tocsr"):
            return made
        rows = np.asarray(made.cpu() if isinstance(made, Tensor) else made, dtype=np.float64)
        if rows.ndim != 2 or len(rows) != len(x):
            raise DataError(f"features {self.name!r} have shape {rows.shape} for {len(x)} samples: expected (n, d)")
        if bad := int((~np.isfinite(rows)).any(1).sum()):
            raise DataError(
                f"features {self.name!r} of {bad} of {len(x)} samples are NaN or infinite; check the samples, and the "
                "extractor"
            )
        return rows


def distances(a: Any, b: Any) -> np.ndarray:
    """(n, m) Euclidean distances."""
    from sklearn.metrics.pairwise import euclidean_distances

    made: np.ndarray = euclidean_distances(a, b)
    return made


def feature_space(features: Any, data: TrainingData, reference: Any, judge: nn.Module | None) -> Space:
    """The space that ``features`` names.

    Args:
        features: ``"auto"``, ``"classifier"``, ``"pca"``, ``"tfidf-svd"``, ``"inception"``, or a callable.
        data: the training set.
        reference: samples of all sets alike, which PCA and TF-IDF are fitted on: on some of them alone, they would
        render
            these better than the others, and words of the others would be unknown.
        judge: the classifier fitted on it, if there is one.

    Raises:
        ConfigError: no such extractor, or not for this data.
    """
    text = data.spec.modality == "text"
    if callable(features):
        return Space(getattr(features, "__name__", type(features).__name__), features)
    if features == "auto":
        features = "tfidf-svd" if text else "pca" if judge is None else "classifier"
    if features == "classifier" and not text:
        if judge is None:
            raise ConfigError("features='classifier' needs labels; for unlabelled images there is 'pca'")
        # of unit size on average, so that distances of one task can be read beside those of another
        size = float(classifier_features(judge, data.model_x()).double().square().mean().sqrt())
        return Space("classifier", lambda x: classifier_features(judge, x).double() / max(size, 1e-12))
    if features == "pca" and not text:
        return pca_space(reference)
    if features == "tfidf-svd" and text:
        return svd_space(reference)
    if features == "inception" and not text:
        return inception_space()
    there = "'tfidf-svd'" if text else "'classifier', 'pca', 'inception'"
    raise ConfigError(f"features={features!r}: for {data.spec.modality} data there are 'auto', {there}, or a callable")


def detail_space(reference: Any) -> Space:
    """Where copies are looked for: the pixels themselves, or TF-IDF of words and pairs of words."""
    if isinstance(reference, Tensor):
        return Space("pixels", lambda x: x.flatten(1).numpy())
    return Space("tfidf", _tfidf(reference).transform)


def pca_space(reference: Tensor) -> Space:
    """The leading principal components of the images, and the distance from their span: without that, what
    lies off it would be projected among the real images."""
    from sklearn.decomposition import PCA

    pixels = reference.flatten(1).numpy()
    components = min(_COMPONENTS, *pixels.shape)
    fitted = PCA(components, svd_solver="full", random_state=0).fit(pixels)

    def extract(x: Any) -> np.ndarray:
        rows = x.flatten(1).numpy()
        scores = fitted.transform(rows)
        rest = np.linalg.norm(rows - fitted.inverse_transform(scores), axis=1, keepdims=True)
        return np.concatenate([scores, rest], axis=1)

    return Space("pca", extract)


def svd_space(reference: Any) -> Space:
    """TF-IDF of words and pairs, reduced by a truncated SVD (latent semantic analysis, Deerwester et al. 1990)."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    weights = _tfidf(reference)
    rows = weights.transform(reference)
    components = max(2, min(_COMPONENTS, min(rows.shape) - 1))
    reduced = make_pipeline(TruncatedSVD(components, random_state=0), Normalizer()).fit(rows)
    return Space("tfidf-svd", lambda x: reduced.transform(weights.transform(x)))


def inception_space(weights: str | Path | None = None) -> Space:
    """The 2048 features of Inception v3 as FID uses them, by torch-fidelity.

    Args:
        weights: a file of its weights; None takes what torch-fidelity finds or downloads.
    """
    module = import_optional(
        "torch_fidelity.feature_extractor_inceptionv3", extra="inception", purpose="features of Inception"
    )
    try:
        network = module.FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=None if weights is None else str(weights)
        ).eval()
    except OSError as error:
        raise ConfigError(
            f"the weights of Inception cannot be had ({error}): download "
            f"weights-inception-2015-12-05-6726825d.pth from "
            "torch-fidelity's releases into torch.hub's cache, or use another extractor"
        ) from error

    def extract(x: Tensor) -> Tensor:
        eight_bit = ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        colour = eight_bit.expand(-1, 3, -1, -1) if x.shape[1] == 1 else eight_bit[:, :3]
        with torch.no_grad():
            return torch.cat([network(part)[0] for part in colour.split(64)])

    return Space("inception", extract)


def judge_of(data: TrainingData, *, steps: int | None, seed: int, device: str) -> nn.Module | None:
    """The built-in classifier, fitted on the training images; None for texts, or without labels.

    It is kept in the user's cache folder by the fingerprint of the data, so that a second evaluation is quick.
    """
    if data.spec.modality == "text" or data.classes is None or len(data.spec.labels) < 2:
        return None
    from safetensors.torch import load_file, save_file

    steps = steps or default_steps(len(data), "image")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    file = Path(base) / "augsynth" / "judges" / f"{data.fingerprint}-{steps}-{seed}.safetensors"
    model = classifier_for(data.spec)
    if file.is_file():
        try:
            model.load_state_dict(load_file(str(file)))
        except Exception:  # torn, or of another version: it is only a cache
            file.unlink(missing_ok=True)
        else:
            return model.eval().to(device)
    fitted = train_classifier(_Pairs(data), data.spec, steps=steps, seed=seed, device=device)
    try:
        with atomic_file(file) as draft:
            save_file({k: v.cpu().contiguous() for k, v in fitted.state_dict().items()}, str(draft))
    except OSError:
        pass  # a cache that cannot be written is no reason to fail
    return fitted


def text_judge(data: TrainingData) -> Any:
    """TF-IDF and logistic regression, fitted on the training texts; None without labels."""
    if data.classes is None or len(data.spec.labels) < 2:
        return None
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    weights = _tfidf(data.raw)
    # C=10: short texts have few words each, and the default of 1 keeps their weights near zero
    head = LogisticRegression(C=10.0, max_iter=1000).fit(weights.transform(data.raw), data.classes.numpy())
    return make_pipeline(weights, head)


class _Pairs:
    """(image, label) of a training set in memory, as its dataset yielded them."""

    def __init__(self, data: TrainingData) -> None:
        labels = data.spec.labels
        self.images = data.spec.yielded(data.raw)
        self.targets = [labels.values[c] for c in data.classes.tolist()]  # type: ignore[union-attr]

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.images[index], self.targets[index]


def _tfidf(texts: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+").fit(texts)
    except ValueError as error:
        raise DataError(f"the texts have no words to compare by: {error}") from error
