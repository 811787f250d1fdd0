"""Who may import whom. The floors of the core are checked by import-linter, in make check."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.name.startswith("augsynth_"))
PUBLIC = {"augsynth", "augsynth.authoring"}
KINDS = ROOT / "augsynth/modalities"
TABLES = {ROOT / "augsynth/__init__.py", ROOT / "augsynth/authoring.py"}  # of exports: they say where names live
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
            assert own or name in PUBLIC or not name.startswith("augsynth"), f"{file.name} imports {name}"


@pytest.mark.parametrize("package", [*PLUGINS, TEMPLATE], ids=lambda path: path.name)
def test_a_plugins_listing_is_short_and_light(package):
    file = package / "__init__.py"
    assert set(_imports(file)) <= {"augsynth", "augsynth.authoring", "collections.abc"}
    assert package == TEMPLATE or len(file.read_text().splitlines()) < 30


def test_the_core_imports_no_plugin_and_no_augmentation_library():
    libraries = {"albumentations", "cv2", "kornia", "nlpaug", "nltk", "torchvision"}
    # BLEU and language models, and images laid over one another: nothing is augmented
    measures = {("language.py", "nltk"), ("again.py", "cv2")}
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


def _strings(tree):
    """String constants that are no docstrings, and names, each with its line."""
    docs = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docs.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value, node.lineno
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


def test_the_core_names_no_modality():
    """It asks the modality, and never which one it is: neither in a string, nor in a name, nor by import."""
    kinds = sorted(path.name for path in KINDS.iterdir() if (path / "__init__.py").is_file())
    assert kinds == ["image", "text"]
    word = re.compile(r"(?<![a-z])(images?|texts?|audio|pixels?|waveforms?)(?![a-z])", re.IGNORECASE)
    # Python's own word for a string, a method of matplotlib, and the option that the contract names
    allowed = {"text", "read_text", "write_text", "--text", "Column of a table that holds the text."}
    allowed |= {"image/png", "image/svg+xml", "torchmetrics.image.fid", "torchmetrics.image.kid"}  # of others
    found = []
    for file in (ROOT / "augsynth").rglob("*.py"):
        if KINDS in file.parents or file in TABLES:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for value, line in _strings(tree):
            if value not in allowed and word.search(value.replace("_", " ")):
                found.append(f"{file.relative_to(ROOT)}:{line}: {value!r}")
        found += [f"{file.relative_to(ROOT)}: imports {name}" for name in _imports(file) if ".modalities" in name]
    assert not found, "\n".join(found)


def test_no_module_is_too_long_and_no_package_has_logic_in_its_init():
    for file in [*(ROOT / "augsynth").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]:
        lines = file.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 400, f"{file.relative_to(ROOT)} has {len(lines)} lines"
        if file.name != "__init__.py" or file in TABLES or KINDS in file.parents or ROOT / "plugins" in file.parents:
            continue
        statements = ast.parse("\n".join(lines)).body
        plain = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign)
        assert all(isinstance(one, plain) for one in statements), f"{file.relative_to(ROOT)} has logic in it"
