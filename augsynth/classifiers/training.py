"""Train a small classifier for a fixed number of steps on whatever a dataset yields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses
from torch.utils.data import DataLoader

from augsynth._rng_guard import seeded_globals
from augsynth.classifiers.images import ImageClassifier
from augsynth.classifiers.texts import TextClassifier
from augsynth.errors import DataError
from augsynth.label_spec import LabelSpec
from augsynth.seeding import derive
from augsynth.space import Space
from augsynth.structure import Structure
from augsynth.text_spec import Texts

BATCH = {"image": 64, "text": 32}
_PART = {"cpu": 64, "cuda": 4096}  # what the caches of a CPU hold; five times as fast as 1024


def default_steps(n: int, modality: str) -> int:
    """Updates for ``n`` training samples: thirty passes, between 600 and 2000."""
    return max(600, min(2000, 30 * n // BATCH[modality]))


def classifier_for(spec: Space) -> ImageClassifier | TextClassifier:
    """An untrained classifier of the classes of ``spec``.

    Raises:
        DataError: there are no labels, or fewer than two classes.
    """
    if spec.labels is None or len(spec.labels) < 2:
        raise DataError("a classifier needs labels of at least two classes; the data has none")
    if spec.modality == "text":
        return TextClassifier(len(spec.labels))
    return ImageClassifier(spec, len(spec.labels))  # type: ignore[arg-type]


def train_classifier(
    dataset: Any,
    spec: Space,
    *,
    steps: int,
    seed: int,
    batch_size: int | None = None,
    device: str | torch.device = "cpu",
    watch: Callable[[int, nn.Module], None] | None = None,
) -> nn.Module:
    """Train from scratch, with AdamW and a cosine schedule, for ``steps`` updates.

    Args:
        dataset: map-style; yields samples of ``spec`` with labels, or with probabilities (classes,) in place of a
            label. ``set_epoch`` is called if it has it.
        spec: the space of the samples, with labels.
        steps: number of updates.
        seed: of weights, order and dropout; no global RNG is left changed.
        batch_size: samples a step; None takes 64 for images and 32 for texts, less if there are fewer.
        device: where to.
        watch: called with the step and the classifier, twenty times.

    Returns:
        The classifier, in evaluation mode.
    """
    structure = Structure.of(dataset[0])
    if spec.labels is None or not structure.labelled:
        raise DataError("a classifier needs labels, and the dataset yields none")
    labels = spec.labels
    size = min(batch_size or BATCH[spec.modality], len(dataset))

    def collate(samples: list[Any]) -> tuple[Any, Tensor]:
        form: Any = spec  # of either modality
        raw = form.stacked([form.to_raw(structure.x_of(sample)) for sample in samples])
        return raw, targets_of([structure.y_of(sample) for sample in samples], labels)

    with seeded_globals(int(derive(seed, 1))):
        model = classifier_for(spec).to(device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        order = torch.Generator().manual_seed(int(derive(seed, 2)))
        loader = DataLoader(dataset, batch_size=size, shuffle=True, drop_last=True, generator=order, collate_fn=collate)
        step, epoch, every = 0, 0, max(1, steps // 20)
        while step < steps:
            if hasattr(dataset, "set_epoch"):
                dataset.set_epoch(epoch)
            epoch += 1
            for raw, y in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(seen(spec, raw, device)), y.to(device)).backward()
                optimizer.step()
                schedule.step()
                step += 1
                if watch is not None and (step % every == 0 or step == steps):
                    watch(step, model.eval())
                    model.train()
                if step == steps:
                    break
    return model.eval()


def targets_of(labels: list[Any], known: LabelSpec) -> Tensor:
    """(n,) int64 class positions, or (n, classes) where the labels are probabilities."""
    first = labels[0]
    if isinstance(first, Tensor) and first.ndim == 1 and first.is_floating_point():
        return torch.stack(labels).float()
    return known.indices(labels)


def seen(spec: Any, raw: Any, device: str | torch.device) -> Any:
    """What classifiers see of raw samples: (n, C, H, W) in [-1, 1] on ``device``, or texts."""
    return spec.raw_to_model(raw.to(device) if isinstance(raw, Tensor) else raw)


def probabilities(model: nn.Module, x: Any) -> Tensor:
    """(n, classes) float32 on the CPU, of n samples as generators see them."""
    return _in_parts(model, x, lambda part: model(part).softmax(1))


def features(model: Any, x: Any) -> Tensor:
    """(n, d) float32 on the CPU, of n samples as generators see them."""
    return _in_parts(model, x, model.features)


def _in_parts(model: nn.Module, x: Any, of: Callable[[Any], Tensor]) -> Tensor:
    device = next(model.parameters()).device
    size = _PART.get(device.type, 1024)
    parts = (x[i : i + size] for i in range(0, len(x), size))
    with torch.no_grad():
        return torch.cat([of(part.to(device) if isinstance(part, Tensor) else Texts(part)).cpu() for part in parts])
