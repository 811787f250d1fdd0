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
from augsynth._optional import import_optional, import_torchvision
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
        reference: samples of all sets alike, which PCA and TF-IDF are fitted on: fitted on one set alone, they would
            render it better than the others.
        judge: the classifier fitted on the training set, if there is one.

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
        return Space("classifier", ClassifierFeatures(judge, data.model_x()))
    if features == "pca" and not text:
        return Space("pca", PrincipalComponents(reference))
    if features == "tfidf-svd" and text:
        return Space("tfidf-svd", ReducedWords(reference))
    if features == "inception" and not text:
        return Space("inception", Inception())
    there = "'tfidf-svd'" if text else "'classifier', 'pca', 'inception'"
    raise ConfigError(f"features={features!r}: for {data.spec.modality} data there are 'auto', {there}, or a callable")


def detail_space(reference: Any) -> Space:
    """Where copies are looked for: the pixels themselves, or TF-IDF of words and pairs of words."""
    if isinstance(reference, Tensor):
        return Space("pixels", pixels)
    return Space("tfidf", tfidf(reference).transform)


# Extractors are classes and functions, not closures: filters that hold one go to spawned workers.


def pixels(x: Tensor) -> np.ndarray:
    """(n, C·H·W) of images (n, C, H, W)."""
    rows: np.ndarray = x.cpu().flatten(1).numpy()
    return rows


class ClassifierFeatures:
    """What the last layer of a fitted classifier sees, of unit size on average over ``images``, so that distances of
    one task can be read beside those of another."""

    def __init__(self, model: nn.Module, images: Tensor) -> None:
        self.model = model
        self.size = max(float(classifier_features(model, images).double().square().mean().sqrt()), 1e-12)

    def __call__(self, x: Tensor) -> Tensor:
        return classifier_features(self.model, x).double() / self.size


class PrincipalComponents:
    """The leading principal components of ``images``, and the distance from their span: without that, what lies off it
    would be projected among the real images."""

    def __init__(self, images: Tensor) -> None:
        from sklearn.decomposition import PCA

        rows = pixels(images)
        self.fitted = PCA(min(_COMPONENTS, *rows.shape), svd_solver="full", random_state=0).fit(rows)

    def __call__(self, x: Tensor) -> np.ndarray:
        rows = pixels(x)
        scores = self.fitted.transform(rows)
        rest = np.linalg.norm(rows - self.fitted.inverse_transform(scores), axis=1, keepdims=True)
        return np.concatenate([scores, rest], axis=1)


class ReducedWords:
    """TF-IDF of words and pairs, reduced by a truncated SVD (latent semantic analysis, Deerwester et al. 1990)."""

    def __init__(self, texts: Any) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import Normalizer

        self.weights = tfidf(texts)
        rows = self.weights.transform(texts)
        components = max(2, min(_COMPONENTS, min(rows.shape) - 1))
        self.reduced = make_pipeline(TruncatedSVD(components, random_state=0), Normalizer()).fit(rows)

    def __call__(self, texts: Any) -> np.ndarray:
        made: np.ndarray = self.reduced.transform(self.weights.transform(texts))
        return made


class Inception:
    """The 2048 features of Inception v3 as FID uses them, by torch-fidelity.

    Args:
        weights: a file of its weights; None takes what torch-fidelity finds or downloads.

    Raises:
        ConfigError: they cannot be had.
    """

    def __init__(self, weights: str | Path | None = None) -> None:
        import_torchvision()
        module = import_optional(
            "torch_fidelity.feature_extractor_inceptionv3", extra="inception", purpose="features of Inception"
        )
        path = None if weights is None else str(weights)
        try:
            self.network = module.FeatureExtractorInceptionV3(
                "inception-v3-compat", ["2048"], feature_extractor_weights_path=path
            ).eval()
        except OSError as error:
            raise ConfigError(
                f"the weights of Inception cannot be had ({error}): download weights-inception-2015-12-05-6726825d.pth "
                "from torch-fidelity's releases into torch.hub's cache, or use another extractor"
            ) from error

    def __call__(self, x: Tensor) -> Tensor:
        eight_bit = ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        colour = eight_bit.expand(-1, 3, -1, -1) if x.shape[1] < 3 else eight_bit[:, :3]
        with torch.no_grad():
            return torch.cat([self.network(part)[0] for part in colour.split(64)])


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

    weights = tfidf(data.raw)
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


def tfidf(texts: Any) -> Any:
    """TF-IDF of words and pairs of words, fitted on texts. Raises DataError where they have none."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+").fit(texts)
    except ValueError as error:
        raise DataError(f"the texts have no words to compare by: {error}") from error
