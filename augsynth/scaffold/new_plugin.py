"""Write a new distribution with plugins in it."""

from __future__ import annotations

import json
import keyword
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from augsynth._atomic import atomic_folder
from augsynth._version import __version__
from augsynth.errors import ConfigError
from augsynth.plugin_specs import KINDS

_NAME = re.compile(r"[a-z][a-z0-9]*([-_.][a-z0-9]+)*\Z")
_SPEC = {kind: kind.capitalize() + "Spec" for kind in KINDS}
_HOOK = {kind: f"augsynth_{kind[:-1]}ies" if kind.endswith("y") else f"augsynth_{kind}s" for kind in KINDS}


def new_plugin(name: str, kinds: Sequence[str] = ("generator",), *, folder: str | Path = ".") -> Path:
    """Write a distribution with a working plugin of each kind, their tests, a README and a CI file.

    A modality comes with a generator, as nothing could be fitted on such data otherwise; with one among the kinds,
    generator, filter and metric are for that one.

    Args:
        name: of the distribution, such as ``"augsynth-mri"``; its package is ``augsynth_mri``.
        kinds: out of ``"generator"``, ``"transform"``, ``"filter"``, ``"metric"``, ``"callback"``, ``"modality"``.
        folder: in which the new folder ``name`` is made.

    Returns:
        The new folder.

    Raises:
        ConfigError: the name or a kind cannot be used, or there is something at that place already.
    """
    package = _package(name)
    wanted = list(dict.fromkeys(kinds))
    if unknown := [kind for kind in wanted if kind not in KINDS]:
        raise ConfigError(f"kind {unknown[0]!r}: expected one or several of {', '.join(KINDS)}")
    if not wanted:
        raise ConfigError(f"kinds: expected one or several of {', '.join(KINDS)}")
    target = Path(folder) / name
    if target.exists():
        raise ConfigError(f"{target} exists already, and is left as it is: choose another name or folder")
    parts = _parts(wanted)
    words = _words(name, package, parts)
    try:
        with atomic_folder(target) as draft:
            for file, text in _contents(package, parts, words).items():
                (draft / file).parent.mkdir(parents=True, exist_ok=True)
                (draft / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


def _package(name: str) -> str:
    package = re.sub(r"[-.]", "_", name)
    if not _NAME.match(name) or keyword.iskeyword(package):
        raise ConfigError(f"name {name!r}: expected lower-case letters and digits, joined by '-', such as augsynth-mri")
    if package in sys.stdlib_module_names or package == "augsynth":
        raise ConfigError(f"name {name!r}: the module {package!r} exists already; choose another, such as augsynth-mri")
    return package


def _parts(kinds: Sequence[str]) -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = json.loads(_template("parts.json"))
    with_generator = {*kinds, "generator"} if "modality" in kinds else set(kinds)
    parts = {kind: dict(known[kind]) for kind in KINDS if kind in with_generator}
    if "modality" in parts:
        parts["modality"]["use"] = "import torch\n\n" + parts["modality"]["use"]
        del parts["generator"]["use"]  # that of the modality shows it
        for kind in ("generator", "filter", "metric"):
            if kind in parts:
                parts[kind]["modality"] = parts["modality"]["name"]
    return parts


def _words(name: str, package: str, parts: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    *others, last = (f"a {kind}" for kind in parts)
    described = f"Plugins for augsynth: {', '.join(others)} and {last}" if others else f"Plugins for augsynth: {last}"
    uses = [Template(part["use"]).substitute(distribution=name) for part in parts.values() if "use" in part]
    major, minor = __version__.split(".")[:2]
    return {
        "distribution": name,
        "package": package,
        "entry": package.removeprefix("augsynth_"),
        "version": f"{major}.{minor}",
        "described": described,
        "check": "\n".join(f"augsynth check {name}/{part['name']}" for part in parts.values()),
        "extras": ', "augsynth[evaluate]"' if "metric" in parts else "",
        "use": "\n\n".join(f"```python\n{use}\n```" for use in uses),
        "files": "\n".join(
            f"- `src/{package}/{part['name']}.py` is the {kind}: {part['fill_in']}." for kind, part in parts.items()
        ),
    }


def _contents(package: str, parts: Mapping[str, Mapping[str, str]], words: Mapping[str, str]) -> dict[str, str]:
    made = {
        "pyproject.toml": _filled("pyproject.toml.tmpl", words),
        "README.md": _filled("README.md.tmpl", words),
        ".github/workflows/tests.yml": _filled("ci.yml.tmpl", words),
        f"src/{package}/__init__.py": _hooks(package, parts, words["described"]),
        "tests/test_conformance.py": _tests(words["distribution"], parts),
    }
    for kind, part in parts.items():
        made[f"src/{package}/{part['name']}.py"] = _template(f"{kind}.py.tmpl")
    return made


def _hooks(package: str, parts: Mapping[str, Mapping[str, str]], described: str) -> str:
    blocks = [f'"""{described}."""\n\nfrom augsynth import authoring']
    for kind, part in parts.items():
        fields = {
            "name": f'"{part["name"]}"',
            "factory": f'"{package}.{part["name"]}:{part["class"]}"',
            **({"modality": f'"{part["modality"]}"'} if kind != "modality" else {}),
            **({"conditions": part["conditions"]} if "conditions" in part else {}),
            "summary": f'"{part["summary"]}"',
        }
        lines = "".join(f"        {key}={value},\n" for key, value in fields.items())
        blocks.append(f"@authoring.hookimpl\ndef {_HOOK[kind]}():\n    yield authoring.{_SPEC[kind]}(\n{lines}    )")
    return "\n\n\n".join(blocks) + "\n"


def _tests(distribution: str, parts: Mapping[str, Mapping[str, Any]]) -> str:
    blocks = [
        '"""The contract\'s promises, run on this plugin."""\n\nfrom augsynth.testing import parametrize_with_checks'
    ]
    for kind, part in parts.items():
        decorator = f'@parametrize_with_checks("{kind}", "{distribution}/{part["name"]}")'
        blocks.append(f"{decorator}\ndef test_{kind}(check):\n    check()")
    return "\n\n\n".join(blocks) + "\n"


def _filled(name: str, words: Mapping[str, str]) -> str:
    return Template(_template(name)).substitute(words)


def _template(name: str) -> str:
    return (files("augsynth.scaffold") / "templates" / name).read_text(encoding="utf-8")
