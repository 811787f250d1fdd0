"""Weights & Biases as a callback."""

from collections.abc import Iterator

import augsynth


@augsynth.hookimpl
def augsynth_callbacks() -> Iterator[augsynth.CallbackSpec]:
    yield augsynth.CallbackSpec(
        name="wandb",
        factory="augsynth_wandb.logger:WandB",
        modality="any",
        summary="Losses, samples and verdicts in Weights & Biases",
        extra="wandb",
    )
