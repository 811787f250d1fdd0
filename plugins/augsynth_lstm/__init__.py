"""A recurrent language model for text, by label and by topic."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="lstm",
        factory="augsynth_lstm.model:LSTM",
        modality="text",
        conditions={"label", "topic"},
        summary="Recurrent language model, one for all classes, by word, byte pair or character",
    )
    yield GeneratorSpec(
        name="lstm_autoencoder",
        factory="augsynth_lstm.autoencoder:LSTMAutoencoder",
        modality="text",
        conditions={"label"},
        summary="Autoencoder of sentences: varies them, and goes from one to another",
    )
