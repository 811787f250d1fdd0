"""What authors of plugins need: base classes, what plugins say about themselves, and tools.

Users need none of it. Errors are where users find them, in :mod:`augsynth`. Names are imported at first use.
"""

from __future__ import annotations

from augsynth._lazy import homes_of, importer

_EXPORTS = {
    "augsynth._atomic": ("atomic_file", "atomic_folder"),
    "augsynth._cache": ("cache_folder",),
    "augsynth._embedded": ("embedded_bytes", "embedded_picture"),
    "augsynth._cells": ("plain_cell", "safe_cell"),
    "augsynth._names": ("file_name",),
    "augsynth._optional": ("import_optional", "import_torchvision"),
    "augsynth._progress": ("progress_bar",),
    "augsynth._rng_guard": ("seeded_globals",),
    "augsynth._numbers": ("check_positive", "check_shares", "check_whole"),
    "augsynth._wrapped": ("attributes_of",),
    "augsynth.averaging": ("averaged",),
    "augsynth.batch": ("SampleBatch",),
    "augsynth.callbacks": ("Callback",),
    "augsynth.checkpoint.format": ("file_digest",),
    "augsynth.choosing": ("checked_top_p", "choose_by_logits"),
    "augsynth.datasets.folder_reader": ("FolderReader", "is_named_as"),
    "augsynth.datasets.options": ("refuse_options",),
    "augsynth.evaluation.figures": ("Figure",),
    "augsynth.evaluation.judge": ("Judge",),
    "augsynth.features": ("ClassifierFeatures", "PrincipalComponents"),
    "augsynth.generator.authored": ("TrainingBatch",),
    "augsynth.generator.generator": ("Generator",),
    "augsynth.hooks": ("hookimpl",),
    "augsynth.joint": ("Joint",),
    "augsynth.labels.classes": ("LabelSpec",),
    "augsynth.labels.multilabel": ("MultiLabelSpec",),
    "augsynth.labels.numbers": ("NumberSpec",),
    "augsynth.latent": ("LatentGenerator",),
    "augsynth.modalities.image.codec": (
        "ImageCodec",
        "PatchDiscriminator",
        "discriminator_loss",
        "perceived_loss",
        "usual_factor",
    ),
    "augsynth.modalities.image.codec_fit": ("codec_optimizers", "codec_step", "shared_crop"),
    "augsynth.modalities.image.grids": ("image_grid",),
    "augsynth.modalities.image.networks": (
        "ConvDecoder",
        "ConvEncoder",
        "DoublingConv",
        "base_size",
        "condition_embedding",
        "doubling_kernel",
        "halving_kernel",
    ),
    "augsynth.modalities.image.presets": ("latent_presets",),
    "augsynth.modalities.image.spec": ("ImageSpec",),
    "augsynth.modalities.image.transform": ("Transform",),
    "augsynth.modalities.text.overlap": ("plain_words", "shared_words"),
    "augsynth.modalities.text.sentences": ("SentenceEmbeddings",),
    "augsynth.modalities.text.spec": ("TextSpec",),
    "augsynth.modalities.text.transform": ("TextTransform",),
    "augsynth.modalities.image.working_size": ("WorkingSize", "resolution_remark", "usual_resolution"),
    "augsynth.modality": ("Extra", "Extract", "Modality", "Reader"),
    "augsynth.plugin_specs": (
        "CallbackSpec",
        "FilterSpec",
        "GeneratorSpec",
        "MetricSpec",
        "ModalitySpec",
        "TransformSpec",
    ),
    "augsynth.privacy.gaussian": ("Mechanism",),
    "augsynth.recognition": ("modality_of",),
    "augsynth.sample_files": ("write_each",),
    "augsynth.sample_spec": ("Items", "ListSpec", "SampleSpec"),
    "augsynth.search_space": ("Choice", "FloatRange", "IntRange", "SearchSpace"),
    "augsynth.seeding": ("child_seed", "derive", "noise", "uniform"),
    "augsynth.topic_spec": ("TopicSpec",),
    "augsynth.transforms.named": ("transforms_of",),
    "augsynth.transforms.seeded": ("SeededTransform",),
    "augsynth.variational": ("VariationalGenerator", "evidence"),
}
_HOME = homes_of(_EXPORTS)
__all__ = sorted(_HOME)
__getattr__ = importer(__name__, globals(), _HOME)


def __dir__() -> list[str]:
    return list(__all__)
