"""The public names, and what importing them costs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import augsynth
from augsynth import authoring

PUBLIC = [
    "AmbiguousPluginError",
    "Annotation",
    "Audit",
    "AugsynthDeprecationWarning",
    "AugsynthError",
    "AugsynthWarning",
    "BrokenPluginError",
    "Callback",
    "Canaries",
    "CapabilityError",
    "CheckpointError",
    "CleaningReport",
    "CollapseWarning",
    "ConfigError",
    "ConversionWarning",
    "CostWarning",
    "CosineSchedule",
    "DataError",
    "DeviceBlend",
    "EmbeddingClassifier",
    "EpochWarning",
    "Evaluation",
    "Figure",
    "Finding",
    "FilterExhaustedError",
    "FitError",
    "FitWarning",
    "Generator",
    "Judge",
    "LinearSchedule",
    "MissingDependencyError",
    "NotFittedError",
    "PluginError",
    "PluginInfo",
    "PluginNotFoundError",
    "PluginWarning",
    "PoolError",
    "Preparation",
    "Privacy",
    "PrivacyViolationError",
    "PrivacyWarning",
    "Registry",
    "ResizeWarning",
    "SampleBatch",
    "SamplePool",
    "SampleSpec",
    "SpecMismatchError",
    "SyntheticDataset",
    "SyntheticIterableDataset",
    "TopicMatchWarning",
    "Tuning",
    "UnknownLabelError",
    "UnknownTopicError",
    "Uplift",
    "UtilityGate",
    "__version__",
    "annotate",
    "audit",
    "clean",
    "collate",
    "create",
    "distill",
    "evaluate",
    "fit",
    "generate",
    "image_grid",
    "import_torchvision",
    "load",
    "loader",
    "open_dataset",
    "plant_canaries",
    "plugins",
    "prepare",
    "record",
    "recorded",
    "run_recipe",
    "samples_by_class",
    "standard_arms",
    "topics",
    "tune",
    "tune_classic",
    "uplift",
]
AUTHORS = [
    "Callback",
    "CallbackSpec",
    "Choice",
    "ClassifierFeatures",
    "ConvDecoder",
    "ConvEncoder",
    "DoublingConv",
    "Extra",
    "Extract",
    "Figure",
    "FilterSpec",
    "FloatRange",
    "FolderReader",
    "Generator",
    "GeneratorSpec",
    "ImageCodec",
    "ImageSpec",
    "IntRange",
    "Items",
    "Joint",
    "Judge",
    "LabelSpec",
    "LatentGenerator",
    "ListSpec",
    "Mechanism",
    "MetricSpec",
    "Modality",
    "ModalitySpec",
    "MultiLabelSpec",
    "NumberSpec",
    "PatchDiscriminator",
    "PrincipalComponents",
    "Reader",
    "SampleBatch",
    "SampleSpec",
    "SearchSpace",
    "SeededTransform",
    "SentenceEmbeddings",
    "TextSpec",
    "TextTransform",
    "TopicSpec",
    "TrainingBatch",
    "Transform",
    "TransformSpec",
    "VariationalGenerator",
    "WorkingSize",
    "atomic_file",
    "atomic_folder",
    "attributes_of",
    "averaged",
    "base_size",
    "cache_folder",
    "check_positive",
    "check_shares",
    "check_whole",
    "checked_top_p",
    "child_seed",
    "choose_by_logits",
    "codec_optimizers",
    "codec_step",
    "condition_embedding",
    "derive",
    "discriminator_loss",
    "doubling_kernel",
    "embedded_bytes",
    "embedded_picture",
    "evidence",
    "file_digest",
    "file_name",
    "halving_kernel",
    "hookimpl",
    "image_grid",
    "import_optional",
    "import_torchvision",
    "is_named_as",
    "latent_presets",
    "modality_of",
    "noise",
    "perceived_loss",
    "plain_cell",
    "plain_words",
    "progress_bar",
    "refuse_options",
    "resolution_remark",
    "safe_cell",
    "seeded_globals",
    "shared_crop",
    "shared_words",
    "transforms_of",
    "uniform",
    "usual_factor",
    "usual_resolution",
    "write_each",
]


def test_the_public_names_are_pinned():
    assert sorted(augsynth.__all__) == sorted(PUBLIC)
    assert sorted(authoring.__all__) == sorted(AUTHORS)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves(name):
    assert getattr(augsynth, name) is not None


@pytest.mark.parametrize("name", AUTHORS)
def test_every_name_for_authors_resolves(name):
    assert getattr(authoring, name) is not None


def test_what_the_contract_spells_for_authors_is_found_and_not_listed():
    for name in ("hookimpl", "GeneratorSpec", "ModalitySpec", "TransformSpec", "noise", "uniform"):
        assert getattr(augsynth, name) is getattr(authoring, name) and name not in dir(augsynth)


@pytest.mark.parametrize("module", ["augsynth", "authoring"])
def test_the_stub_for_type_checkers_has_the_same_names(module):
    stub = (Path(augsynth.__file__).parent / {"augsynth": "__init__.pyi"}.get(module, f"{module}.pyi")).read_text()
    pairs = re.findall(r"^from (\S+) import (\w+) as \2$", stub, flags=re.MULTILINE)
    named = {name: module for module, name in pairs if name != "__version__"}
    if module == "authoring":
        assert named == authoring._HOME
    else:
        modules = {name: home.rpartition(".")[0] for name, home in augsynth._MODULES.items()}
        assert named == {**augsynth._HOME, **augsynth._UNLISTED, **modules, "authoring": "augsynth"}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        augsynth.nothing


def _modules_after(code):
    script = f"{code}\nimport sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import augsynth",
        "import augsynth; augsynth.plugins()",
        "import sys; sys.argv = ['augsynth', 'plugins', '--json']\nfrom augsynth.cli import main\nmain()",
    ],
)
def test_listing_imports_nothing_heavy(code):
    heavy = {"torch", "torchvision", "numpy", "albumentations", "cv2", "sklearn", "PIL", "lightning_fabric"}
    assert not heavy & _modules_after(code)


def test_importing_everything_for_blending_imports_no_plugin_and_no_fabric():
    loaded = _modules_after("import augsynth; augsynth.SyntheticDataset, augsynth.load, augsynth.fit")
    assert not {name for name in loaded if name.startswith("augsynth_")}
    assert not {"lightning_fabric", "sklearn", "torchvision", "albumentations", "cv2", "jinja2", "matplotlib"} & loaded
