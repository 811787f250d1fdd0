"""The judge of labels: the built-in classifier, fitted on real data and kept, or what the kind of data brings."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from augsynth._atomic import atomic_file
from augsynth._cache import cache_folder
from augsynth.classifiers.given import class_probabilities, named_judge
from augsynth.classifiers.training import classifier_for, default_steps, train_classifier
from augsynth.errors import ConfigError
from augsynth.features import probabilities
from augsynth.fitting.training_data import TrainingData
from augsynth.recognition import modality_of


class TrainedJudge:
    """A classifier that was trained on real data.

    Args:
        model: in evaluation mode.
    """

    name = "classifier"

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def probabilities(self, x: Any) -> Tensor:
        """(n, classes) float32 of n samples as generators see them."""
        return probabilities(self.model, x)

    def features(self, x: Any) -> Tensor:
        """(n, d): what the last layer sees."""
        made: Tensor = self.model.features(x)  # type: ignore[operator]
        return made


class GivenJudge:
    """A classifier of the user's, fitted on real data.

    Args:
        judge: with ``fit(inputs, labels)`` (which returns itself), ``labels`` and ``probabilities(inputs)``.
        data: the training set, with labels.

    Raises:
        ConfigError: it has not these.
    """

    def __init__(self, judge: Any, data: TrainingData) -> None:
        if not (callable(getattr(judge, "fit", None)) and callable(getattr(judge, "probabilities", None))):
            raise ConfigError(
                f"judge={judge!r}: expected an object with fit(inputs, labels), labels and probabilities(inputs), such "
                "as augsynth.EmbeddingClassifier()"
            )
        known: Any = data.spec.classes
        self.name = str(getattr(judge, "name", type(judge).__name__))
        self.spec = data.spec
        inputs = list(data.spec.yielded(data.raw))
        self.judge = judge.fit(inputs, [known.values[c] for c in data.classes.tolist()])  # type: ignore[union-attr]

    def probabilities(self, x: Any) -> Tensor:
        """(n, classes) float32 of n samples as generators see them, 0 of a class that the judge does not know."""
        inputs = list(self.spec.yielded(self.spec.model_to_raw(x)))
        return torch.from_numpy(class_probabilities(self.judge, self.spec.classes, inputs)).float()


def judge_of(data: TrainingData, *, steps: int | None, seed: int, device: str, given: Any = None) -> Any:
    """A judge fitted on the training samples; None without labels of at least two classes.

    Args:
        given: a classifier to fit, ``"embeddings"`` for the one on frozen embeddings where the kind of data has one, or
            None.

    The built-in classifier is kept in the user's cache folder by the fingerprint of the data, so that a second
    evaluation is quick.
    """
    if data.classes is None or data.spec.num_classes < 2:
        return None
    if given is not None:
        return GivenJudge(named_judge(given, data.spec), data)
    own = modality_of(data.spec).judge(data)
    return own if own is not None else TrainedJudge(_trained(data, steps, seed, device))


def _trained(data: TrainingData, steps: int | None, seed: int, device: str) -> nn.Module:
    from safetensors.torch import load_file, save_file

    steps = steps or default_steps(len(data), data.spec)
    file = cache_folder("judges", f"{data.fingerprint}-{steps}-{seed}.safetensors")
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


class _Pairs:
    """(input, label) of a training set in memory, as its dataset yielded them."""

    def __init__(self, data: TrainingData) -> None:
        labels = data.spec.classes
        self.inputs = data.spec.yielded(data.raw)
        self.targets = [labels.values[c] for c in data.classes.tolist()]  # type: ignore[union-attr]

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.inputs[index], self.targets[index]
