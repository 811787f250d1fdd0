"""For scikit-learn's pipelines: more samples of the rare classes, in the way of imbalanced-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from augsynth._optional import import_optional
from augsynth.blending.source import Filters, LabelledSource
from augsynth.errors import ConfigError, DataError
from augsynth.fitting.fit import fit
from augsynth.seeding import seeds_for

_LARGEST_SEED = 2**31 - 1


class Augment(BaseEstimator):  # type: ignore[misc]
    """Over-sample by samples of a generator that is fitted on the data; stands where SMOTE does.

    In a pipeline of imbalanced-learn it acts on what is fitted on, and never on what is predicted::

        from imblearn.pipeline import make_pipeline

        make_pipeline(MinMaxScaler(), Augment("vae", shape=(1, 8, 8)), LogisticRegression()).fit(X, y)

    Args:
        generator: name of a plugin, a :class:`augsynth.Generator` class, or a fitted generator, which is used as it is.
        sampling_strategy: which classes are filled up, and how far, as of imbalanced-learn: ``"auto"`` fills all but
            the largest up to its size; or ``"minority"``, ``"not minority"``, ``"all"``, a ratio for two classes, a
            mapping class → size, or a callable.
        shape: of a sample, where ``X`` holds flat rows: ``(1, 8, 8)``.
        filters: judges of generated samples, as of :class:`augsynth.SyntheticDataset`.
        fit_options: further options of :func:`augsynth.fit`: ``{"steps": 500, "device": "cpu"}``.
        sample_options: options of sampling: ``{"temperature": 0.8}``.
        random_state: a seed, a NumPy RandomState, or None for another result each time.

    Attributes:
        sampling_strategy_: class → how many samples were added.
        generator_: the fitted generator.
        provenance_: where each added sample came from, in their order.
    """

    def __init__(
        self,
        generator: Any = "vae",
        *,
        sampling_strategy: Any = "auto",
        shape: tuple[int, ...] | None = None,
        filters: Sequence[Any] = (),
        fit_options: Mapping[str, Any] | None = None,
        sample_options: Mapping[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.generator, self.sampling_strategy, self.shape = generator, sampling_strategy, shape
        self.filters, self.fit_options, self.sample_options = filters, fit_options, sample_options
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Augment:  # noqa: N803 (scikit-learn's names)
        """Check the arguments, and find how many samples of each class are to be added."""
        self.sampling_strategy_ = self._wanted(_rows(X), _labels(y))
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:  # noqa: N803
        """The samples given, in their order, and after them the generated ones.

        Args:
            X: n samples: an array (n, ...), a list, or a DataFrame, whose rows become dicts.
            y: (n,) labels, integers or strings.

        Returns:
            X and y of the same types, dtypes and shapes, with more samples.

        Raises:
            ConfigError: an argument cannot be used.
            DataError: the samples are not understood, or X and y differ in length.
            MissingDependencyError: the extra ``imblearn`` is not installed.
        """
        labels = _labels(y)
        wanted = self._wanted(_rows(X), labels)
        samples = self._samples(X)
        seed = int(check_random_state(self.random_state).randint(_LARGEST_SEED))
        self.generator_ = self._fitted(samples, labels, seed)
        self.sampling_strategy_ = wanted
        asked = [label for label, n in wanted.items() for _ in range(n)]
        if not asked:
            self.provenance_: list[dict[str, Any]] = []
            return X, y
        source = LabelledSource(
            self.generator_, dict(self.sample_options or {}), Filters(self.filters, lambda judged, accepted: None)
        )
        drawn = source.draw(asked, seeds_for(len(asked), seed=seed))
        self.provenance_ = list(drawn.meta)
        made = [drawn.inputs[i] for i in range(len(asked))]
        return self._joined(X, made), _with_labels(y, asked)

    def _wanted(self, n: int, labels: list[Any]) -> dict[Any, int]:
        if n != len(labels):
            raise DataError(f"{n} samples and {len(labels)} labels: expected as many")
        imblearn = import_optional("imblearn.utils", extra="imblearn", purpose="augsynth.sklearn")
        try:
            # classes by position: its own checks are for arrays
            values = sorted(set(labels), key=str)
            codes = np.array([values.index(label) for label in labels])
            strategy = self.sampling_strategy
            if isinstance(strategy, Mapping):
                if unknown := [label for label in strategy if label not in values]:
                    raise ConfigError(f"sampling_strategy names {unknown[0]!r}: the classes are {values}")
                strategy = {values.index(label): n for label, n in strategy.items()}
            found = imblearn.check_sampling_strategy(strategy, codes, "over-sampling")
        except ValueError as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(f"sampling_strategy={self.sampling_strategy!r}: {error}") from error
        return {values[code]: int(n) for code, n in found.items()}

    def _samples(self, X: Any) -> list[Any]:  # noqa: N803
        """What a dataset would yield: tensors, dicts or what is in the list."""
        if hasattr(X, "to_dict"):
            return list(X.to_dict("records"))
        if not isinstance(X, np.ndarray) or X.dtype == object:
            return list(X)
        if self.shape is not None:
            if X.ndim != 2 or X.shape[1] != int(np.prod(self.shape)):
                raise ConfigError(f"shape={self.shape!r}: expected rows of that many values, X has shape {X.shape}")
            return [torch.from_numpy(np.array(row)).reshape(self.shape) for row in X]
        if X.ndim == 2:
            raise ConfigError(
                f"X has shape {X.shape}: rows of numbers. If each is a flat sample, say its shape, such as "
                "shape=(1, 28, 28); if they are a table, pass a DataFrame, and a generator for tables"
            )
        return [torch.from_numpy(np.array(one)) for one in X]

    def _fitted(self, samples: list[Any], labels: list[Any], seed: int) -> Any:
        fitted = getattr(self.generator, "spec", None) is not None and not isinstance(self.generator, type)
        if fitted:
            return self.generator
        options = {"progress": False, "seed": seed, **(self.fit_options or {})}
        return fit(self.generator, list(zip(samples, labels, strict=True)), **options)

    def _joined(self, X: Any, made: list[Any]) -> Any:  # noqa: N803
        if hasattr(X, "to_dict"):
            pandas = import_optional("pandas", extra="imblearn", purpose="tables")
            more = pandas.DataFrame(made, columns=list(X.columns)).astype(X.dtypes.to_dict(), errors="ignore")
            return pandas.concat([X, more], ignore_index=True)
        if not isinstance(X, np.ndarray):
            return type(X)([*X, *made]) if isinstance(X, (list, tuple)) else [*X, *made]
        if X.dtype == object:
            return np.concatenate([X, np.array(made, dtype=object)])
        more = np.stack([np.asarray(one) for one in made]).reshape(len(made), *X.shape[1:]).astype(X.dtype)
        return np.concatenate([X, more])


def _rows(X: Any) -> int:  # noqa: N803
    if hasattr(X, "toarray"):
        raise ConfigError(f"X is a sparse {type(X).__name__}: expected samples as they are, before they are vectorised")
    return len(X)


def _labels(y: Any) -> list[Any]:
    return list(y.tolist() if hasattr(y, "tolist") else y)


def _with_labels(y: Any, more: list[Any]) -> Any:
    if hasattr(y, "iloc"):
        pandas = import_optional("pandas", extra="imblearn", purpose="tables")
        return pandas.concat([y, pandas.Series(more, name=y.name, dtype=y.dtype)], ignore_index=True)
    if isinstance(y, np.ndarray):
        return np.concatenate([y, np.array(more, dtype=y.dtype)])
    return [*y, *more]
