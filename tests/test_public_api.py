"""The public names, and what importing them costs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import augsynth

PUBLIC = [
    "AmbiguousPluginError",
    "AugsynthError",
    "AugsynthWarning",
    "BrokenPluginError",
    "Callback",
    "CallbackSpec",
    "CapabilityError",
    "CheckpointError",
    "Choice",
    "CleaningReport",
    "CollapseWarning",
    "ConfigError",
    "ConvDecoder",
    "ConvEncoder",
    "CosineSchedule",
    "DataError",
    "DeviceBlend",
    "EpochWarning",
    "Evaluation",
    "Figure",
    "FilterExhaustedError",
    "FilterSpec",
    "FitError",
    "FitWarning",
    "FloatRange",
    "Generator",
    "GeneratorSpec",
    "IntRange",
    "Judge",
    "LatentGenerator",
    "LinearSchedule",
    "MetricSpec",
    "MissingDependencyError",
    "NotFittedError",
    "PluginError",
    "PluginInfo",
    "PluginNotFoundError",
    "PluginWarning",
    "PoolError",
    "Registry",
    "SampleBatch",
    "SamplePool",
    "SampleSpec",
    "SearchSpace",
    "SpecMismatchError",
    "SyntheticDataset",
    "SyntheticIterableDataset",
    "TextSpec",
    "TextTransform",
    "TopicMatchWarning",
    "TopicSpec",
    "TrainingBatch",
    "Transform",
    "TransformSpec",
    "Tuning",
    "UnknownLabelError",
    "UnknownTopicError",
    "Uplift",
    "UtilityGate",
    "__version__",
    "base_size",
    "child_seed",
    "clean",
    "create",
    "derive",
    "evaluate",
    "fit",
    "hookimpl",
    "image_grid",
    "import_optional",
    "import_torchvision",
    "latent_presets",
    "load",
    "noise",
    "plugins",
    "samples_by_class",
    "seeded_globals",
    "standard_arms",
    "topics",
    "transforms_of",
    "tune",
    "tune_classic",
    "uniform",
    "uplift",
]


def test_the_public_names_are_pinned():
    assert sorted(augsynth.__all__) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves(name):
    assert getattr(augsynth, name) is not None


def test_the_stub_for_type_checkers_has_the_same_names():
    stub = (Path(augsynth.__file__).parent / "__init__.pyi").read_text()
    pairs = re.findall(r"^from (\S+) import (\w+) as \2$", stub, flags=re.MULTILINE)
    named = {name: module for module, name in pairs if name != "__version__"}
    assert named == {**augsynth._HOME, **dict.fromkeys(augsynth._MODULES, "augsynth")}


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
