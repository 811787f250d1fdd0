"""Who may import whom. The floors of the core are checked by import-linter, in make check."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.name.startswith("augsynth_"))
TEMPLATE = ROOT / "plugins/template/src/augsynth_template"


def _imports(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module


@pytest.mark.parametrize("package", [*PLUGINS, TEMPLATE], ids=lambda path: path.name)
def test_a_plugin_imports_the_public_names_only_and_no_other_plugin(package):
    for file in package.rglob("*.py"):
        for name in _imports(file):
            own = name == package.name or name.startswith(package.name + ".")
            assert own or name == "augsynth" or not name.startswith("augsynth"), f"{file.name} imports {name}"


@pytest.mark.parametrize("package", [*PLUGINS, TEMPLATE], ids=lambda path: path.name)
def test_a_plugins_listing_is_short_and_light(package):
    file = package / "__init__.py"
    assert set(_imports(file)) <= {"augsynth", "collections.abc"}
    assert package == TEMPLATE or len(file.read_text().splitlines()) < 25


def test_the_core_imports_no_plugin_and_no_augmentation_library():
    libraries = {"albumentations", "cv2", "kornia", "nlpaug", "nltk", "torchvision"}
    measures = {("language.py", "nltk")}  # BLEU and language models, of which nothing is augmented
    for file in (ROOT / "augsynth").rglob("*.py"):
        for name in _imports(file):
            top = name.split(".")[0]
            if (file.name, top) in measures:
                continue
            assert top not in libraries and not top.startswith("augsynth_"), f"{file.name} imports {name}"


def test_nothing_on_the_data_path_asks_the_registry():
    for file in [*(ROOT / "augsynth/blending").glob("*.py"), *(ROOT / "augsynth/transforms").glob("*.py")]:
        assert not {name for name in _imports(file) if "registry" in name or "_discovery" in name}, file.name


def test_first_party_plugins_are_declared_and_packaged():
    text = (ROOT / "pyproject.toml").read_text()
    for package in PLUGINS:
        assert f'"plugins/{package.name}"' in text
        assert f'= "{package.name}"' in text
