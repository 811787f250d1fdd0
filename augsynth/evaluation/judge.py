"""What is known of real data, for judging samples one by one: filters and soft labels stand on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from augsynth._device import chosen_device
from augsynth.errors import ConfigError
from augsynth.evaluation.feature_spaces import detail_space, distances, feature_space
from augsynth.evaluation.label_judge import judge_of
from augsynth.fitting.training_data import TrainingData

_MOST = 5000


class Judge:
    """A classifier and two spaces of features, fitted on real data.

    It takes samples as generators see them: ``SampleBatch.model_x`` of what was generated.

    Args:
        real: the training set, map-style. At most 5,000 samples, the first ones, are kept for distances.
        features, judge: as of :func:`evaluate`.
        steps: updates of the built-in classifier; None takes thirty passes. It is kept in the user's cache by the
            fingerprint of the data.
        seed: everything random follows it.
        device: of the classifier.

    Raises:
        DataError: the data is not understood.
    """

    def __init__(
        self,
        real: Any,
        *,
        features: Any = "auto",
        judge: Any = None,
        steps: int | None = None,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ) -> None:
        data = TrainingData.read(real, show=False)
        self.spec = data.spec
        some = data.subset(torch.arange(min(len(data), _MOST)))
        x = some.model_x()
        self._classifier = judge_of(data, steps=steps, seed=seed, device=chosen_device(device), given=judge)
        self._features = feature_space(features, data, x, self._classifier)
        self._detail = detail_space(data, x)
        self.real_features, self.real_detail = self._features(x), self._detail(x)

    def probabilities(self, x: Any) -> Tensor:
        """(n, classes) float32: what the classifier says, in the order of the labels of the data.

        Raises:
            ConfigError: the data has no labels.
        """
        if self._classifier is None:
            raise ConfigError("a judge of labels needs labelled data of at least two classes")
        said: Tensor = self._classifier.probabilities(x)
        return said

    def probabilities_of(self, inputs: Sequence[Any]) -> Tensor:
        """The same of inputs as the dataset yields them."""
        return self.probabilities(self.spec.inputs(list(inputs)))

    def features(self, x: Any) -> Any:
        """(n, d) vectors in the space of features."""
        return self._features(x)

    def detail(self, x: Any) -> Any:
        """(n, d) vectors of the samples themselves: where copies are looked for."""
        return self._detail(x)

    def to_features(self, x: Any) -> np.ndarray:
        """(n, real) distances to the real samples in the space of features."""
        return distances(self._features(x), self.real_features)

    def to_detail(self, x: Any) -> np.ndarray:
        """(n, real) distances to the real samples themselves."""
        return distances(self._detail(x), self.real_detail)

    def to_features_of_real(self) -> np.ndarray:
        """(real, real) distances among the real samples in the space of features."""
        return distances(self.real_features, self.real_features)

    def to_detail_of_real(self) -> np.ndarray:
        """(real, real) distances among the real samples themselves."""
        return distances(self.real_detail, self.real_detail)

    def between(self, a: Any, b: Any) -> np.ndarray:
        """(n, m) distances between vectors of one space."""
        return distances(a, b)
