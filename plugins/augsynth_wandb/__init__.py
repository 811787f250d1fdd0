"""Weights & Biases as a callback."""

from collections.abc import Iterator

from augsynth.authoring import CallbackSpec, hookimpl


@hookimpl
def augsynth_callbacks() -> Iterator[CallbackSpec]:
    yield CallbackSpec(
        name="wandb",
        factory="augsynth_wandb.logger:WandB",
        modality="any",
        summary="Losses, samples and verdicts in Weights & Biases",
        extra="wandb",
    )
