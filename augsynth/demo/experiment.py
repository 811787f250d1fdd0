"""Run the demonstration and collect every number."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from augsynth._progress import progress_bar
from augsynth.blending.dataset import SyntheticDataset
from augsynth.classifiers.training import train_classifier
from augsynth.datasets.named import has_test_split, open_dataset
from augsynth.errors import ConfigError, DataError
from augsynth.features import probabilities
from augsynth.fitting.fit import fit
from augsynth.fitting.training_data import TrainingData
from augsynth.generator.generator import Generator
from augsynth.seeding import derive
from augsynth.utility.comparison import Comparison, compare

_JUDGED = 200  # generated samples per class that the classifier is asked about
_SPLIT_TEST = 0.3


@dataclass
class Settings:
    """What to run; the defaults are those of ``augsynth demo``."""

    data: str = "digits"
    generator: str = "vae"
    per_class: int | None = 30
    ratio: float = 0.5
    seeds: int = 3
    steps: int | None = None
    classifier_steps: int = 600
    seed: int = 0
    device: str = "auto"
    config: dict[str, Any] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)


@dataclass
class Outcome:
    """All that came of it; see :meth:`to_json` for the numbers."""

    settings: Settings
    generator: Generator
    train: TrainingData
    verdict: Comparison
    curves: dict[str, list[list[tuple[int, float]]]]
    faithfulness: dict[str, float]
    test_size: int
    seconds: dict[str, float]

    @property
    def accuracies(self) -> dict[str, list[float]]:
        """Final test accuracy of each arm, one per seed."""
        return {arm: [curve[-1][1] for curve in curves] for arm, curves in self.curves.items()}

    def to_json(self) -> dict[str, Any]:
        """Every number, as plain data."""
        return {
            "verdict": asdict(self.verdict),
            "accuracy": self.accuracies,
            "curves": self.curves,
            "faithfulness": self.faithfulness,
            "samples": {"train": len(self.train), "test": self.test_size},
            "settings": asdict(self.settings),
            "generator": {"plugin": self.generator.plugin, "config": self.generator.config, **self.generator.fit_info},
            "seconds": self.seconds,
        }


def run(settings: Settings, folder: Path, *, show: bool = True) -> Outcome:
    """Fit a generator, then train a classifier with and without its samples, at equal steps.

    Args:
        settings: what to run.
        folder: the generator's checkpoint goes to ``folder/checkpoint``.
        show: show progress bars on a terminal.
    """
    if settings.seeds < 2:
        raise ConfigError(f"seeds={settings.seeds}: a confidence interval needs at least 2; 3 or more are better")
    if not 0.0 <= settings.ratio <= 1.0:
        raise ConfigError(f"ratio={settings.ratio!r}: expected a number in [0, 1]")
    started = time.perf_counter()
    data, held = _load(settings, show)
    train, test = _InMemory(data), _InMemory(held)
    generator = fit(
        settings.generator,
        train,
        steps=settings.steps,
        seed=settings.seed,
        device=settings.device,
        checkpoint_dir=folder / "checkpoint",
        progress=show,
        **settings.config,
    )
    fitted = time.perf_counter()
    device = str(generator.device)
    spec, labels = generator.spec, generator.spec.labels if generator.spec else None
    if spec is None or labels is None:
        raise DataError(
            f"data {settings.data!r} is unlabelled: the demonstration trains a classifier, which needs labels"
        )
    test_x, test_y = held.model_x(), torch.tensor(test.targets)
    curves: dict[str, list[list[tuple[int, float]]]] = {"real only": [], "real + synthetic": []}
    judge = None
    with progress_bar("training classifiers", 2 * settings.seeds, show=show) as bar:
        for seed in (int(derive(settings.seed, 0xDE30, i)) for i in range(settings.seeds)):
            blended = SyntheticDataset(train, generator, ratio=settings.ratio, seed=seed, progress=show)
            for arm, dataset in zip(curves, (train, blended), strict=True):
                curve: list[tuple[int, float]] = []

                def watch(step: int, model: Any, curve: list[tuple[int, float]] = curve) -> None:
                    predicted = probabilities(model, test_x).argmax(1)
                    curve.append((step, float((predicted == test_y).float().mean())))

                steps = settings.classifier_steps
                model = train_classifier(dataset, spec, steps=steps, seed=seed, device=device, watch=watch)
                curves[arm].append(curve)
                judge = judge or model
                bar.advance()
    trained = time.perf_counter()
    faithfulness = {}
    for c, name in enumerate(labels.displayed):
        made = generator.sample(_JUDGED, labels=labels.values[c], seed=settings.seed)
        if judge is not None:
            faithfulness[name] = float((probabilities(judge, made.model_x).argmax(1) == c).float().mean())
    finals = [[curve[-1][1] for curve in arm] for arm in curves.values()]
    what = f"Blending {settings.ratio:.0%} synthetic samples into {len(train)} real ones"
    seconds = {"fit": round(fitted - started, 1), "classifiers": round(trained - fitted, 1)}
    return Outcome(
        settings, generator, data, compare(finals[0], finals[1], what=what), curves, faithfulness, len(test), seconds
    )


class _InMemory(Dataset[Any]):
    """What the dataset yielded, kept in memory; labels are class positions."""

    def __init__(self, data: TrainingData) -> None:
        self.inputs = data.spec.yielded(data.raw)
        self.targets: list[int] = [] if data.classes is None else data.classes.tolist()
        self.classes = data.spec.labels.displayed

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.inputs[index], self.targets[index]


def _load(settings: Settings, show: bool) -> tuple[TrainingData, TrainingData]:
    """Training and test set."""
    options = {name: value for name, value in settings.reading.items() if value is not None}
    train = _labelled(TrainingData.read(open_dataset(settings.data, **options), show=show))
    if has_test_split(settings.data):
        test = _labelled(TrainingData.read(open_dataset(settings.data, split="test", **options), show=show))
        if differences := train.spec.differences(test.spec):
            raise DataError(f"data {settings.data!r}: training and test set differ: {'; '.join(differences)}")
        if test.spec.labels.values != train.spec.labels.values:
            raise DataError(f"data {settings.data!r}: training and test set differ in their classes")
    else:
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(int(derive(settings.seed, 0x5B117))))
        cut = max(1, int(len(train) * _SPLIT_TEST))
        train, test = train.subset(order[cut:]), train.subset(order[:cut])
    if settings.per_class is not None and train.classes is not None:
        train = train.subset(_first_of_each(train.classes, settings.per_class, settings.seed))
    return train, test


def _labelled(data: TrainingData) -> TrainingData:
    if data.classes is None or data.spec.labels is None:
        raise DataError("the data is unlabelled: the demonstration trains a classifier, which needs labels")
    return data


def _first_of_each(targets: Tensor, n: int, seed: int) -> Tensor:
    """``n`` samples of each class at random, or all there are."""
    if n < 2:
        raise ConfigError(f"per_class={n}: expected at least 2")
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(int(derive(seed, 0x5AB5E7))))
    parts = [order[targets[order] == c][:n] for c in targets.unique().tolist()]
    return torch.cat(parts).sort().values
