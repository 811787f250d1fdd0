"""TensorBoard as a callback."""

from collections.abc import Iterator

from augsynth.authoring import CallbackSpec, hookimpl


@hookimpl
def augsynth_callbacks() -> Iterator[CallbackSpec]:
    yield CallbackSpec(
        name="tensorboard",
        factory="augsynth_tensorboard.logger:TensorBoard",
        modality="any",
        summary="Losses, samples and verdicts in TensorBoard",
        extra="tensorboard",
    )
