"""TensorBoard as a callback."""

from collections.abc import Iterator

import augsynth


@augsynth.hookimpl
def augsynth_callbacks() -> Iterator[augsynth.CallbackSpec]:
    yield augsynth.CallbackSpec(
        name="tensorboard",
        factory="augsynth_tensorboard.logger:TensorBoard",
        modality="any",
        summary="Losses, samples and verdicts in TensorBoard",
        extra="tensorboard",
    )
