"""What the build of the site does beyond Markdown."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")
_ROLE = re.compile(r":(?:class|func|meth|attr|data|mod|exc):(?=<code>)")
MUTANTS = "<!-- mutants -->"


def on_files(files: Any, config: Any) -> Any:
    """Without a gallery, a page that says how to make it: it takes some minutes."""
    if files.get_file_from_path("gallery.md") is None:
        page = "# Gallery\n\nMade by `make docs`, which fits every generator; this build went without.\n"
        files.append(File.generated(config, "gallery.md", content=page))
    files.append(File.generated(config, "commands.md", content=commands()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Files of the repository are named rather than linked, as the site stands alone."""
    if MUTANTS in markdown:
        markdown = markdown.replace(MUTANTS, mutants())
    return _OUTSIDE.sub(_named, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Docstrings name things by Sphinx's roles, of which the site shows the name."""
    return _ROLE.sub("", html)


def commands() -> str:
    """Every command with its options, as its own help says."""
    import typer

    from augsynth.cli.guide import guide
    from augsynth.cli.main import app

    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    told = [
        "# The command line",
        "`augsynth` alone says what to do next:",
        f"```text\n{guide(list(known), Path('nowhere'))}\n```",
    ]
    for name, command in known.items():
        about, *examples = (command.help or "").split("\n\n")
        shown = [
            re.sub(r"^(.*?): (augsynth .*)$", r"# \1\n\2", one.replace("\n", " "))
            for one in examples
            if "augsynth " in one
        ]
        told += [f"## augsynth {name}", about.replace("\n", " ")]
        told += ["```sh\n" + "\n".join(shown).replace("# Example\n", "") + "\n```"] if shown else []
        rows = ["| | | default |", "|---|---|---|"]
        for one in command.params:
            spelt = (
                ", ".join(f"`{spelling}`" for spelling in one.opts)
                if one.param_type_name == "option"
                else f"`{one.name.upper()}`"
            )
            default = "" if one.default in (None, False, ...) or callable(one.default) else f"`{one.default}`"
            rows.append(f"| {spelt} | {(getattr(one, 'help', None) or '').replace('|', '/')} | {default} |")
        told.append("\n".join(rows))
    return "\n\n".join(told) + "\n"


def mutants() -> str:
    """Each check of the suite with the plugin that it catches, as a table."""
    sys.path.insert(0, str(ROOT))
    suite = importlib.import_module("augsynth.testing")
    rows = ["| kind | check | what is promised | caught |", "|---|---|---|---|"]
    for kind, module in (("generator", "generators"), ("transform", "transforms"), ("filter", "filters"),
                         ("metric", "metrics"), ("callback", "callbacks"), ("modality", "modalities"),
                         ("source", "sources")):  # fmt: skip
        wrong = importlib.import_module(f"tests.mutants.{module}").MUTANTS
        for check in suite.checks(kind):
            promise = inspect.cleandoc(check.__doc__ or "").split("\n\n")[0].replace("\n", " ")
            promise = re.sub(r":\w+:", "", promise).replace("``", "`")
            caught = wrong[check.__name__]
            name = caught if isinstance(caught, str) else getattr(caught, "__name__", type(caught).__name__)
            rows.append(
                f"| {kind} | {check.__name__.removeprefix('check_').replace('_', ' ')} | {promise} | `{name}` |"
            )
    return "\n".join(rows)


def _named(match: re.Match[str]) -> str:
    label, path = match.groups()
    return label if path.split("/")[-1] in label else f"{label} (`{path}`)"
