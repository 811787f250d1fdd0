"""A recurrent language model for text, by label and by topic."""

from collections.abc import Iterator

import augsynth


@augsynth.hookimpl
def augsynth_generators() -> Iterator[augsynth.GeneratorSpec]:
    yield augsynth.GeneratorSpec(
        name="lstm",
        factory="augsynth_lstm.model:LSTM",
        modality="text",
        conditions={"label", "topic"},
        summary="Recurrent language model, one for all classes, by word, byte pair or character",
    )
