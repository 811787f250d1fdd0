"""Train a small classifier for a fixed number of steps on whatever a dataset yields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses
from torch.utils.data import DataLoader

from augsynth._rng_guard import seeded_globals
from augsynth.errors import DataError
from augsynth.labels.classes import LabelSpec
from augsynth.recognition import modality_of
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import derive
from augsynth.structure import Structure


def usual_batch(spec: SampleSpec) -> int:
    """Samples a step that suit the kind of data."""
    return modality_of(spec).batch_size


def default_steps(n: int, spec: SampleSpec) -> int:
    """Updates for ``n`` training samples: thirty passes, between 600 and 2000."""
    return max(600, min(2000, 30 * n // usual_batch(spec)))


def classifier_for(spec: SampleSpec) -> nn.Module:
    """An untrained classifier of the classes of ``spec``.

    Raises:
        DataError: there are no labels, or fewer than two classes.
    """
    if spec.num_classes < 2:
        raise DataError("a classifier needs labels of at least two classes; the data has none")
    return modality_of(spec).classifier(spec, spec.num_classes)


def train_classifier(
    dataset: Any,
    spec: SampleSpec,
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
        batch_size: samples a step; None takes what suits the kind of data, less if there are fewer.
        device: where to.
        watch: called with the step and the classifier, twenty times.

    Returns:
        The classifier, in evaluation mode.
    """
    structure = Structure.of(dataset[0], kinds=[spec])
    labels = spec.classes
    if labels is None or not structure.labelled:
        raise DataError("a classifier needs labels that are classes, and the dataset yields none")
    size = min(batch_size or usual_batch(spec), len(dataset))

    def collate(samples: list[Any]) -> tuple[Any, Tensor]:
        raw = spec.stacked([spec.to_raw(structure.x_of(sample)) for sample in samples])
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
                F.cross_entropy(model(spec.raw_to_model(spec.placed(raw, device))), y.to(device)).backward()
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
